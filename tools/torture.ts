/** `npm run torture`: breaks running nodes in every way we know, and shows what was lost by it. */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { tableOf, writeReport } from '../test/torture/report.ts';
import { scenarios } from '../test/torture/scenarios.ts';
import { type Ended, runScenario } from '../test/torture/session.ts';

const usage = `usage: npm run torture -- [options]

  --kills N       kills of the scenario "kill"; others take their share (200)
  --lanes N       nodes that are killed at the same time, each on its own (3)
  --nodes N       nodes of a network that is broken as a whole (16)
  --seed N        the same seed draws the same work and moments (1)
  --only NAMES    some of the scenarios: ${scenarios.map(({ name }) => name).join(', ')}
  --minutes M     no new round after so many minutes (60)
  --report FILE   puts the result between the markers of this Markdown file
`;

const options = {
  kills: { type: 'string', default: '200' },
  lanes: { type: 'string', default: '3' },
  nodes: { type: 'string', default: '16' },
  seed: { type: 'string', default: '1' },
  only: { type: 'string', default: '' },
  minutes: { type: 'string', default: '60' },
  report: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** Throws a TypeError with a message for people. */
function count(name: string, text: string, least: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value < 2 ** 31) return value;
  throw new TypeError(`--${name} must be a whole number from ${least} on`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options }); // throws a TypeError as well
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const only = values.only.split(',').filter((name) => name !== '');
  const unknown = only.filter((name) => scenarios.every((scenario) => scenario.name !== name));
  if (unknown.length > 0) throw new TypeError(`no such scenario: ${unknown.join(', ')}`);
  const size = {
    kills: count('kills', values.kills, 1),
    lanes: count('lanes', values.lanes, 1),
    nodes: count('nodes', values.nodes, 4),
    watchMs: 75_000,
  };
  const seed = count('seed', values.seed, 0);
  const minutes = count('minutes', values.minutes, 1);
  const signal = AbortSignal.timeout(minutes * 60_000);
  const ended: Ended[] = [];
  for (const scenario of scenarios) {
    if (only.length > 0 && !only.includes(scenario.name)) continue;
    say(`${scenario.name}: ${scenario.title}`);
    ended.push(await runScenario(scenario, { seed, size, signal, say }));
  }
  process.stdout.write(tableOf(ended, seed));
  if (values.report !== undefined) writeReport(values.report, ended, { seed, size });
  return ended.some(({ tally }) => tally.findings.length > 0) ? 1 : 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`${error.message}\n\n${usage}`);
  process.exitCode = 2;
}
