/**
 * A long fuzzing session: `node tools/run.mjs test/fuzz/main.ts [--runs 1000000] [--seed 1]`, or of
 * a part of it, `--only DNS`. Prints how much was run, how fast, and what it did to memory; ends
 * with code 1 on a finding and when memory grew without bound.
 */
import process from 'node:process';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { fuzzApi } from './api.ts';
import { diceOf } from './dice.ts';
import { dnsQueries, dnsReplies, fuzzDns } from './dns.ts';
import { packets, replies, requests } from './messages.ts';
import { bodies, recordBodies, recordOctets } from './records.ts';
import { fuzz, type Target } from './target.ts';
import { fuzzAnswering, fuzzAsking } from './transport.ts';

const usage = `usage: npm run fuzz -- [options]

  --runs N     inputs in all (1000000)
  --seed N     the same seed makes the same inputs (another each time)
  --only TEXT  of the parts those whose name holds it, such as DNS
`;

const options = {
  runs: { type: 'string', default: '1000000' },
  seed: { type: 'string', default: String(Date.now() >>> 0) },
  only: { type: 'string', default: '' },
} as const;

/** Ends the process at words that nobody can follow: a session of no runs has no findings. */
function readSettings(): { runs: number; seed: number; only: string } {
  try {
    const { values } = parseArgs({ options });
    const [runs, seed] = [Number(values.runs), Number(values.seed)];
    if (!Number.isSafeInteger(runs) || runs < 1) throw new TypeError('--runs is a count from 1 on');
    if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError('--seed is a whole number');
    return { runs, seed, only: values.only };
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    return process.exit(2);
  }
}

const { runs, seed, only } = readSettings();
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
/** Shares of all runs, when all of it runs. */
const targets: readonly (readonly [Target, number])[] = [
  [packets, 0.2],
  [requests, 0.15],
  [replies, 0.1],
  [bodies, 0.15],
  [recordOctets, 0.1],
  [recordBodies, 0.1],
  [dnsQueries, 0.06],
  [dnsReplies, 0.06],
];
const isWanted = (name: string): boolean => name.includes(only);

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
  for (const [target, share] of targets.filter(([{ name }]) => isWanted(name))) {
    const start = performance.now();
    const [tally] = fuzz([target], { dice, runs: runsOf(share) });
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
  ['DNS queries to a service', fuzzDns, 0.04],
] as const;

/** What is left out leaves its runs to the rest. */
function runsOf(share: number): number {
  const all = [
    ...targets.map(([{ name }, part]) => [name, part] as const),
    ...sessions.map(([name, , part]) => [name, part] as const),
  ];
  const wanted = all.filter(([name]) => isWanted(name));
  return Math.ceil((runs * share) / wanted.reduce((sum, [, part]) => sum + part, 0));
}

async function runSessions(): Promise<number> {
  let total = 0;
  for (const [name, session, share] of sessions.filter(([one]) => isWanted(one))) {
    const start = performance.now();
    const count = runsOf(share);
    const outcomes = Object.entries(await session(dice, count));
    report(name, { count, note: `${outcomes.length} outcomes`, ms: performance.now() - start });
    console.log(`  ${outcomes.map(([what, times]) => `${what} ${times}`).join(', ')}`);
    total += count;
  }
  return total;
}

async function main(): Promise<number> {
  const names = [...targets.map(([{ name }]) => name), ...sessions.map(([name]) => name)];
  if (!names.some(isWanted)) {
    process.stderr.write(`no part is called ${only}; there are: ${names.join('; ')}\n`);
    return 2;
  }
  console.log(`seed ${seed}`);
  const all = targets.map(([target]) => target).filter(({ name }) => isWanted(name));
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
