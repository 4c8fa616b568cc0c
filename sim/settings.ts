/** What a long simulation is told on its command line. */
import { parseArgs } from 'node:util';

export interface LongRunSettings {
  readonly nodes: number;
  /** Measured, after everybody has joined and settled. */
  readonly hours: number;
  /** Between joining and measuring; everybody publishes in its first half. */
  readonly settleMinutes: number;
  /** Whether tables are filled by the simulator, as joining would take too long. */
  readonly warm: boolean;
  /** Share of the nodes that is replaced in a day. */
  readonly churn: number;
  /** Share of the nodes that is cut off at any moment. */
  readonly dead: number;
  readonly seed: number;
  /** Records that each node publishes. */
  readonly records: number;
  /** Median round trip. */
  readonly rttMs: number;
  /** Share of datagrams that get lost. */
  readonly loss: number;
  /** Look-ups of each kind over the run. */
  readonly samples: number;
  /** Where the picture goes; the table as Markdown stands beside it, with .md. */
  readonly out: string | undefined;
  /** A Markdown file whose part for this number of nodes gets the table. */
  readonly doc: string | undefined;
}

export const usage = `usage: npm run sim -- [options]

  --nodes N       nodes (1000)
  --hours H       virtual hours that are measured (24)
  --settle M      virtual minutes before that, in which everybody publishes (60)
  --warm          begins with full tables, as of a network that is not new
  --churn C       share of the nodes replaced per day (0.3)
  --dead P        share of the nodes cut off at any moment, ten minutes each (0.05)
  --records N     records that each node publishes: of ten, one name, four links,
                  five providers (10)
  --rtt MS        median round trip; log-normal over pairs, sigma 0.6 (80)
  --loss P        share of datagrams lost (0)
  --samples N     look-ups of each kind (2000)
  --seed N        the same seed gives the same run (1)
  --out FILE.svg  draws the run; FILE.md gets the table
  --doc FILE.md   puts the table between the lines <!-- begin N nodes --> and
                  <!-- end N nodes --> of this file
`;

const defaults = {
  nodes: '1000',
  hours: '24',
  settle: '60',
  churn: '0.3',
  dead: '0.05',
  records: '10',
  rtt: '80',
  loss: '0',
  samples: '2000',
  seed: '1',
} as const;

type Option = keyof typeof defaults;

/** Throws a TypeError with a message for people. */
export function parseSettings(args: readonly string[]): LongRunSettings | 'help' {
  const numbers = Object.entries(defaults).map(
    ([name, value]) => [name, { type: 'string', default: value }] as const,
  );
  const options = {
    ...Object.fromEntries(numbers),
    out: { type: 'string' },
    doc: { type: 'string' },
    warm: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  const { values } = parseArgs({ args: [...args], options });
  const texts = new Map<string, unknown>(Object.entries(values));
  if (values['help'] === true) return 'help';
  const read = (name: Option, least: number, most: number): number => {
    const value = Number(texts.get(name));
    if (value >= least && value <= most) return value;
    throw new TypeError(`--${name} must be a number from ${least} to ${most}`);
  };
  return {
    nodes: Math.floor(read('nodes', 2, 1_000_000)),
    hours: read('hours', 0.01, 10_000),
    settleMinutes: read('settle', 2, 10_000),
    warm: values.warm === true,
    churn: read('churn', 0, 10),
    dead: read('dead', 0, 0.9),
    records: Math.floor(read('records', 0, 1000)),
    rttMs: read('rtt', 1, 10_000),
    loss: read('loss', 0, 0.9),
    samples: Math.floor(read('samples', 0, 1_000_000)),
    seed: Math.floor(read('seed', 0, 2 ** 31 - 1)),
    out: typeof values.out === 'string' ? values.out : undefined,
    doc: typeof values.doc === 'string' ? values.doc : undefined,
  };
}
