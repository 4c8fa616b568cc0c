/**
 * A long fuzzing session: `node tools/run.mjs test/fuzz/main.ts [--runs 1000000] [--seed 1]`.
 * Prints how much was run, how fast, and what it did to memory; ends with code 1 on a finding and
 * when memory grew without bound.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzzApi } from './api.ts';
import { diceOf } from './dice.ts';
import { packets, replies, requests } from './messages.ts';
import { bodies, recordBodies, recordOctets } from './records.ts';
import { fuzz, type Target } from './target.ts';
import { fuzzAnswering, fuzzAsking } from './transport.ts';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: String(Date.now() >>> 0) },
  },
});
const runs = Number(values.runs);
const seed = Number(values.seed);
const dice = diceOf(seed);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** After a collection: what is still in use, and what the system has given. */
function memory(): { heapMb: number; rssMb: number } {
  collect();
  const { heapUsed, rss } = process.memoryUsage();
  return { heapMb: heapUsed / 2 ** 20, rssMb: rss / 2 ** 20 };
}

/** Far above what caches of a fixed size take, far below what a leak of each input would. */
const growthMbMax = 64;
/** Shares of all runs. */
const targets: readonly (readonly [Target, number])[] = [
  [packets, 0.2],
  [requests, 0.15],
  [replies, 0.15],
  [bodies, 0.2],
  [recordOctets, 0.15],
  [recordBodies, 0.1],
];

interface Row {
  readonly count: number;
  readonly note: string;
  readonly ms: number;
}

function report(name: string, { count, note, ms }: Row): void {
  const rate = Math.round((count / ms) * 1000);
  const { heapMb, rssMb } = memory();
  const columns = [
    name.padEnd(34),
    String(count).padStart(8),
    `${rate}/s`.padStart(10),
    `heap ${heapMb.toFixed(1)} MiB, resident ${rssMb.toFixed(0)} MiB`.padStart(34),
  ];
  console.log(`${columns.join(' ')}  ${note}`);
}

/** The decoders and checks, in one process and without a socket. */
function runTargets(): number {
  let total = 0;
  for (const [target, share] of targets) {
    const start = performance.now();
    const [tally] = fuzz([target], { dice, runs: Math.ceil(runs * share) });
    const { runs: count = 0, accepted = 0 } = tally ?? {};
    report(target.name, { count, note: `${accepted} accepted`, ms: performance.now() - start });
    total += count;
  }
  return total;
}

const sessions = [
  ['datagrams to a transport', fuzzAnswering, 0.045],
  ['answers to a transport', fuzzAsking, 0.005],
  ['requests to the API of a node', fuzzApi, 0.02],
] as const;

async function runSessions(): Promise<number> {
  let total = 0;
  for (const [name, session, share] of sessions) {
    const start = performance.now();
    const count = Math.ceil(runs * share);
    const outcomes = Object.entries(await session(dice, count));
    report(name, { count, note: `${outcomes.length} outcomes`, ms: performance.now() - start });
    console.log(`  ${outcomes.map(([what, times]) => `${what} ${times}`).join(', ')}`);
    total += count;
  }
  return total;
}

async function main(): Promise<number> {
  console.log(`seed ${seed}`);
  const all = targets.map(([target]) => target);
  fuzz(all, { dice, runs: Math.ceil(runs / 50) }); // so that code and caches are there
  const before = memory();
  const began = performance.now();
  const total = runTargets() + (await runSessions());
  const after = memory();
  const [heap, rss] = [after.heapMb - before.heapMb, after.rssMb - before.rssMb];
  const minutes = ((performance.now() - began) / 60_000).toFixed(1);
  console.log(`${total} runs in ${minutes} minutes, no finding`);
  console.log(`heap in use ${before.heapMb.toFixed(1)} -> ${after.heapMb.toFixed(1)} MiB`);
  console.log(`resident set ${before.rssMb.toFixed(0)} -> ${after.rssMb.toFixed(0)} MiB`);
  return heap > growthMbMax || rss > 4 * growthMbMax ? 1 : 0;
}

process.exitCode = await main();
