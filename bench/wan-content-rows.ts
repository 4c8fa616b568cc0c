/** What bench/wan-content.ts saw, and the rows that this makes. */
import process from 'node:process';
import { type BenchRow, row } from './row.ts';
import type { WanAnswerBody } from './wan-hosts.ts';

/** The network that the figures are about. */
export interface WanLines {
  readonly rttMs: number;
  readonly lineMegabits: number;
  readonly slowUplinkMegabits: number;
  readonly providers: number;
}

/** Answers by the name of the figure. */
export class WanTally {
  readonly #answers = new Map<string, WanAnswerBody[]>(); // BOUNDED by the bench

  note(figure: string, answer: WanAnswerBody): void {
    const { firstMs, doneMs, count, peers } = answer;
    const first = firstMs === undefined ? '' : `first byte ${firstMs.toFixed(0)} ms, `;
    const from = peers === undefined ? '' : `, ${peers} peers`;
    process.stderr.write(
      `bench:   ${figure}: ${first}${doneMs.toFixed(0)} ms, ${count.toFixed(0)}${from}\n`,
    );
    this.#answers.set(figure, [...(this.#answers.get(figure) ?? []), answer]);
  }

  /** The value that `share` of the answers do not exceed. */
  at(figure: string, share: number, of: (answer: WanAnswerBody) => number): number {
    const sorted = (this.#answers.get(figure) ?? []).map(of).toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  }

  most(figure: string, of: (answer: WanAnswerBody) => number): number {
    return Math.max(...(this.#answers.get(figure) ?? []).map(of));
  }

  least(figure: string, of: (answer: WanAnswerBody) => number): number {
    return Math.min(...(this.#answers.get(figure) ?? []).map(of));
  }
}

const firstMs = (answer: WanAnswerBody): number => answer.firstMs ?? NaN;
const doneMs = (answer: WanAnswerBody): number => answer.doneMs;
const count = (answer: WanAnswerBody): number => answer.count;
const toMegabits = (bytes: number, ms: number): number => (bytes * 8) / 1000 / ms;
const megabits = (answer: WanAnswerBody): number => toMegabits(answer.count, answer.doneMs);

const knownGoalRtts = 3;
const coldGoalRtts = 7;
const lineGoal = 0.85;
const peakGoalMegabytes = 250;

export function rowsOf(tally: WanTally, lines: WanLines, sought: Sought): BenchRow[] {
  return [...pageRows(tally, lines), ...siteRows(tally, lines), ...seekRows(tally, sought)];
}

/** Half of the pages began earlier than this, nine of ten than the second figure. */
function pageRows(tally: WanTally, { rttMs }: WanLines): BenchRow[] {
  const figures = [
    { figure: 'known, connection open', goalRtts: knownGoalRtts },
    { figure: 'known, connection closed', goalRtts: knownGoalRtts },
    { figure: 'cold', goalRtts: coldGoalRtts },
    { figure: 'cold, by name' },
  ];
  const limit = { name: 'plain TCP request', value: tally.at('plain TCP request', 0.5, firstMs) };
  return figures.flatMap(({ figure, goalRtts }) =>
    [0.5, 0.9].map((share) =>
      row({
        name: `wan first byte of a page, ${figure}, p${share * 100}`,
        value: tally.at(figure, share, firstMs),
        unit: 'ms',
        limit,
        ...(goalRtts !== undefined && share === 0.5 && { goal: goalRtts * rttMs }),
        lowerIsBetter: true,
      }),
    ),
  );
}

function siteRows(tally: WanTally, lines: WanLines): BenchRow[] {
  const line = { name: 'the line of the reader', value: lines.lineMegabits };
  const slow = ', slow uplinks';
  const figures = [
    { from: 1, scenario: '' },
    { from: lines.providers, scenario: '', goal: lineGoal },
    { from: lines.providers, scenario: slow, goal: lineGoal },
  ];
  const unit = 'Mbit/s';
  return figures.flatMap(({ from, scenario, goal }) => {
    const figure = `from ${from}${scenario}`;
    const name = scenario === slow ? `, ${lines.slowUplinkMegabits} Mbit/s uplinks` : '';
    const rate = tally.most(`site ${figure}`, megabits);
    const tcp = tally.most(`TCP ${figure}`, megabits);
    return [
      row({
        name: `wan site of 20 MB from ${from}${name}`,
        value: rate,
        unit,
        limit: line,
        ...(goal !== undefined && { goal }),
      }),
      row({
        name: `wan site of 20 MB from ${from}${name}, after its first bytes`,
        value: tally.most(`site ${figure}`, ({ count: bytes, firstMs: first = 0, doneMs: done }) =>
          toMegabits(bytes, done - first),
        ),
        unit,
        limit: line,
      }),
      row({
        name: `wan site of 20 MB from ${from}${name}, beside TCP`,
        value: rate,
        unit,
        limit: { name: 'plain TCP', value: tcp },
      }),
    ];
  });
}

/** What was asked for in the middle of the video. */
export interface Sought {
  readonly bytes: number;
  /** What a seek may bring besides. */
  readonly aheadBytesMax: number;
}

function seekRows(tally: WanTally, sought: Sought): BenchRow[] {
  const tcp = 'TCP seek';
  const plain = 'plain TCP';
  const megabyte = 1_000_000;
  const asked = { name: 'what was asked for', value: sought.bytes / megabyte };
  const goal = (sought.bytes + sought.aheadBytesMax) / megabyte;
  const bytes = ['until the end of a seek', 'some time after a seek'].map((when) =>
    row({
      name: `wan bytes ${when} in a video`,
      value: tally.most(`bytes ${when}`, count) / megabyte,
      unit: 'MB',
      limit: asked,
      goal,
      lowerIsBetter: true,
    }),
  );
  const times = [
    { name: 'first byte', of: firstMs },
    { name: 'all of 1 MB', of: doneMs },
  ].map(({ name, of }) =>
    row({
      name: `wan seek in a video of 1 GB, ${name}`,
      value: tally.most('seek', of),
      unit: 'ms',
      limit: { name: plain, value: tally.most(tcp, of) },
      lowerIsBetter: true,
    }),
  );
  return [...times, ...bytes, ...peakRows(tally)];
}

/** The most of all nodes, beside the least of any. */
function peakRows(tally: WanTally): BenchRow[] {
  return [
    row({
      name: 'wan memory of a node, peak',
      value: tally.most('peak', count),
      unit: 'MB',
      limit: { name: 'the node that did least', value: tally.least('peak', count) },
      goal: peakGoalMegabytes,
      lowerIsBetter: true,
    }),
  ];
}
