/** The result of a long simulation in words: for a terminal, and as a row of docs/SIMULATION.md. */
import type { CauseCounts } from './absences.ts';
import { type LongRunResult, trafficOf, type TrafficRates } from './long-run.ts';
import { type Sample, sampleKinds, type SampleKind } from './sampling.ts';
import { mean, quantile } from './statistics.ts';

const head = ['look-up', 'samples', 'success', 'hops', 'requests', 'p50', 'p95', 'p99'] as const;

/** What the samples of one kind say. */
export interface KindSummary {
  readonly kind: SampleKind;
  readonly count: number;
  /** 0–1; NaN without samples. */
  readonly success: number;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly p99Ms: number | undefined;
  readonly hops: number | undefined;
  readonly requests: number | undefined;
  /** What went wrong, and how often. */
  readonly failures: ReadonlyMap<string, number>;
}

export function summaryOf(samples: readonly Sample[], kind: SampleKind): KindSummary {
  const own = samples.filter((sample) => sample.kind === kind);
  const times = own.map(({ ms }) => ms).filter((ms) => ms !== undefined);
  const failures = new Map<string, number>();
  for (const { why } of own) if (why !== undefined) failures.set(why, (failures.get(why) ?? 0) + 1);
  return {
    kind,
    count: own.length,
    success: times.length / own.length,
    p50Ms: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    p99Ms: quantile(times, 0.99),
    hops: mean(own.map(({ hops }) => hops).filter((hops) => hops !== undefined)),
    requests: mean(own.map(({ requests }) => requests).filter((requests) => requests > 0)),
    failures,
  };
}

export function summariesOf({ samples }: LongRunResult): readonly KindSummary[] {
  return sampleKinds.map((kind) => summaryOf(samples, kind)).filter(({ count }) => count > 0);
}

/** For a terminal. */
export function tableOf(result: LongRunResult): string {
  const rows = summariesOf(result).map((summary) => [summary.kind, ...cellsOf(summary)]);
  const failures = summariesOf(result)
    .filter((summary) => summary.failures.size > 0)
    .map(
      ({ kind, failures: by }) => `${kind}: ${[...by].map(([why, n]) => `${n} ${why}`).join(', ')}`,
    );
  return [
    setupOf(result),
    '',
    ...aligned([head, ...rows]),
    '',
    ...aligned(factsOf(result)),
    ...(failures.length > 0
      ? ['', 'what failed', ...failures.map((failure) => `  ${failure}`)]
      : []),
    ...(result.explanations.length > 0
      ? ['', 'what was absent', ...result.explanations.map((what) => `  ${what}`)]
      : []),
    '',
  ].join('\n');
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(' | ')} |`;
}

/** What was simulated, in a sentence. */
function setupOf({ settings }: LongRunResult): string {
  const { nodes, hours, churn, dead, rttMs, loss, records, seed } = settings;
  const parts = [
    `${grouped(nodes)} nodes for ${hours} hours`,
    `${percent(churn)} replaced per day`,
    `${percent(dead)} cut off at any moment`,
    `${rttMs} ms median round trip`,
    `${percent(loss)} loss`,
    `${records} records per node`,
    `seed ${seed}`,
  ];
  return parts.join(', ');
}

/** The same in Markdown, to be laid beside those of other sizes. */
export function markdownOf(result: LongRunResult): string {
  const rows = summariesOf(result).map((summary) => [summary.kind, ...cellsOf(summary)]);
  return [
    setupOf(result),
    '',
    line(head),
    line(head.map(() => '---')),
    ...rows.map(line),
    '',
    line(['what', 'how much']),
    line(['---', '---']),
    ...factsOf(result).map(line),
    '',
  ].join('\n');
}

function cellsOf(summary: KindSummary): readonly string[] {
  const { count, success, hops, requests, p50Ms, p95Ms, p99Ms } = summary;
  return [
    grouped(count),
    percent(success),
    hops?.toFixed(2) ?? '–',
    requests?.toFixed(1) ?? '–',
    milliseconds(p50Ms),
    milliseconds(p95Ms),
    milliseconds(p99Ms),
  ];
}

/** What is to be said beside look-ups: name and value. */
export function factsOf(result: LongRunResult): readonly (readonly [string, string])[] {
  const { stretches, settings, requests, realSeconds, memoryBytes } = result;
  const last = stretches.at(-1);
  return [
    ...trafficFacts(trafficOf(result)),
    [
      'contacts per table',
      `${result.contacts.toFixed(0)}, of them dead ${percent(result.deadContacts)}`,
    ],
    ['nodes replaced', grouped(result.replaced)],
    [
      'records kept',
      `${grouped(last?.records ?? 0)}, held by ${result.holdersMean.toFixed(1)} nodes each, at least ${result.holdersMin}`,
    ],
    ...absenceFacts(result),
    [
      'simulated',
      `${grouped(requests)} requests in ${duration(realSeconds)}, ${grouped(Math.round(requests / realSeconds))}/s`,
    ],
    [
      'memory',
      `${(memoryBytes / 2 ** 30).toFixed(2)} GiB, ${(memoryBytes / 1024 / settings.nodes).toFixed(0)} KiB per node`,
    ],
  ];
}

function trafficFacts(rates: TrafficRates): readonly (readonly [string, string])[] {
  const { bytesPerNodeSecond, packetsPerNodeSecond, byMethod } = rates;
  const parts = byMethod.map(([method, rate]) => `${method.toUpperCase()} ${rate.toFixed(0)}`);
  const cutOff = `by nodes cut off ${rates.cutOffBytesPerNodeSecond.toFixed(0)}`;
  return [
    [
      'traffic per node',
      `${bytesPerNodeSecond.toFixed(0)} B/s, ${packetsPerNodeSecond.toFixed(2)} datagrams/s`,
    ],
    ['of that, B/s', `${parts.join(', ')}; ${cutOff}`],
    [
      'requests unanswered',
      `${percent(rates.unansweredShare)}, of them ${percent(rates.unansweredCutOffShare)} by nodes cut off`,
    ],
  ];
}

/** What the causes mean, `absences.ts` says. */
function absenceFacts({ absences }: LongRunResult): readonly (readonly [string, string])[] {
  return [
    ['records lost', countsOf(absences.lost)],
    ['new version unheard, publisher cut off', countsOf(absences.unheard)],
    ['new version late, publisher connected', countsOf(absences.late)],
  ];
}

function countsOf({ now, most, longest }: CauseCounts): string {
  const counts = `${grouped(now)} at the end, at most ${grouped(most)} at a time`;
  return longest > 0 ? `${counts}, each for ${longest} min at most` : counts;
}

function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) =>
        i === 0 || row.length === 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

export function percent(share: number): string {
  if (Number.isNaN(share)) return '–';
  const text = (share * 100).toFixed(2);
  // 99.996 % is not all of them.
  if (text === '100.00' && share < 1) return '> 99.99 %';
  return `${Number(text)} %`;
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? '–' : `${ms.toFixed(0)} ms`;
}

export function grouped(count: number): string {
  return count.toLocaleString('en-US');
}

function duration(seconds: number): string {
  return seconds < 120 ? `${seconds.toFixed(0)} s` : `${(seconds / 60).toFixed(1)} min`;
}
