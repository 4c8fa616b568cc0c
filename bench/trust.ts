/**
 * A blocklist of a million lines: the time to read it, the memory that it takes, and what a lookup
 * costs, for CIDs and for double hashes. The limit is what comes to mind first: the same lines into
 * a Set of hex strings.
 */
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { base32 } from 'multiformats/bases/base32';
import { base58btc } from 'multiformats/bases/base58';
import { concatBytes, toHex } from '../src/base/bytes.ts';
import { Forked } from './forked.ts';
import { type BenchRow, row } from './row.ts';
import type { TrustCost, TrustTask } from './trust-worker.ts';
import { inFolder, settleDisk, turnsWanted } from './turns.ts';

const lines = 1_000_000;
const lookups = 100_000;
const secondsGoal = 3;
const megabytesGoal = 100;
const microsecondsGoal = 2;
const longestMsGoal = 20;

const forms = {
  CIDv1: (digest: Uint8Array) =>
    `/ipfs/${base32.encode(concatBytes(Uint8Array.of(1, 0x70, 0x12, 32), digest))}`,
  CIDv0: (digest: Uint8Array) =>
    `/ipfs/${base58btc.baseEncode(concatBytes(Uint8Array.of(0x12, 32), digest))}`,
  'double hashes': (digest: Uint8Array) => `//${toHex(digest)}`,
} as const;

async function writeList(file: string, form: (digest: Uint8Array) => string): Promise<void> {
  const parts: string[] = [];
  for (let i = 0; i < lines; i++) {
    parts.push(form(createHash('sha256').update(String(i)).digest()));
  }
  await writeFile(file, `${parts.join('\n')}\n`);
}

/** In a process of its own; of times the best counts, of memory and pauses the worst. */
async function measure(as: TrustTask['as'], file: string): Promise<TrustCost> {
  const costs: TrustCost[] = [];
  for (let turn = 0; turn < turnsWanted; turn++) {
    await using worker = new Forked<TrustTask, TrustCost>('trust-worker.ts', {
      flags: ['--expose-gc'],
    });
    costs.push(await worker.ask({ as, file, lookups }));
  }
  const least = (of: (cost: TrustCost) => number): number => Math.min(...costs.map(of));
  const most = (of: (cost: TrustCost) => number): number => Math.max(...costs.map(of));
  return {
    seconds: least(({ seconds }) => seconds),
    heldMegabytes: most(({ heldMegabytes }) => heldMegabytes),
    peakMegabytes: most(({ peakMegabytes }) => peakMegabytes),
    lookupMicroseconds: least(({ lookupMicroseconds }) => lookupMicroseconds),
    longestMs: most(({ longestMs }) => longestMs),
  };
}

export function benchTrust(): Promise<BenchRow[]> {
  return inFolder(async (folder) => {
    const rows: BenchRow[] = [];
    let peer: TrustCost | undefined;
    for (const [form, spell] of Object.entries(forms)) {
      const file = path.join(folder, 'blocklist.txt');
      await writeList(file, spell);
      await settleDisk();
      const cost = await measure('rules', file);
      peer ??= await measure('set', file);
      rows.push(...rowsOf(form, cost, peer));
    }
    return rows;
  });
}

function rowsOf(form: string, cost: TrustCost, peer: TrustCost): BenchRow[] {
  const one = (
    name: string,
    unit: string,
    of: (cost: TrustCost) => number,
    goal: number,
  ): BenchRow =>
    row({
      name: `blocklist of 1,000,000 ${form}, ${name}`,
      value: of(cost),
      unit,
      limit: { name: 'a Set of hex strings, CIDv1', value: of(peer) },
      goal,
      lowerIsBetter: true,
    });
  return [
    one('read', 's', ({ seconds }) => seconds, secondsGoal),
    one('held', 'MB', ({ heldMegabytes }) => heldMegabytes, megabytesGoal),
    one('peak', 'MB', ({ peakMegabytes }) => peakMegabytes, megabytesGoal),
    one('lookup', 'µs', ({ lookupMicroseconds }) => lookupMicroseconds, microsecondsGoal),
    one('longest pause', 'ms', ({ longestMs }) => longestMs, longestMsGoal),
  ];
}
