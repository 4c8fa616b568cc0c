/**
 * What bench/trust.ts measures, in a process that does nothing else: a blocklist of many lines is
 * read and asked, or the same digests are kept in a plain Set of hex strings.
 */
import { randomBytes } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { asBuffer, type Bytes } from '../src/base/bytes.ts';
import { loadRules } from '../src/trust/load-rules.ts';
import { parseLine } from '../src/trust/rule.ts';
import { answerWith } from './forked.ts';

export interface TrustTask {
  /** rules: as a node does it. set: CIDs parsed by the common library, into a Set. */
  readonly as: 'rules' | 'set';
  readonly file: string;
  readonly lookups: number;
}

export interface TrustCost {
  readonly seconds: number;
  /** What JavaScript holds, inside its heap and outside. */
  readonly heldMegabytes: number;
  /** The most that the process ever held, without what it held before. */
  readonly peakMegabytes: number;
  /** One of a digest that is not in the list, in microseconds. */
  readonly lookupMicroseconds: number;
  /** The most processor time between two turns of the event loop, in milliseconds. */
  readonly longestMs: number;
}

type Asked = (hash: Bytes) => boolean;

async function loadAs(as: TrustTask['as'], file: string): Promise<Asked> {
  if (as === 'rules') {
    const { loaded } = await loadRules(file, { seed: randomBytes(32) });
    return (hash) => loaded.rules.deniesBlock(hash);
  }
  const digests = new Set<string>();
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const parsed = parseLine(line);
    if (parsed.is === 'rule' && parsed.rule.on === 'block') {
      digests.add(asBuffer(parsed.rule.hash).toString('hex'));
    }
  }
  return (hash) => digests.has(asBuffer(hash).toString('hex'));
}

/** Not `maxRSS`, which begins with that of the process that forked this one. Linux only. */
function peakBytes(): number {
  if (process.platform !== 'linux') return NaN;
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

function heldBytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** Processor time, so that what else the machine does is not in it. */
function usedMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

function watchTurns(): { end(): number } {
  let [lastMs, longestMs] = [usedMs(), 0];
  const look = (): void => {
    const nowMs = usedMs();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
  };
  const timer = setInterval(look, 1);
  return {
    end() {
      look();
      clearInterval(timer);
      return longestMs;
    },
  };
}

function microsecondsOf(ask: Asked, lookups: number): number {
  const octets = randomBytes(32 * lookups);
  const startMs = performance.now();
  let found = 0;
  for (let at = 0; at < octets.length; at += 32) if (ask(octets.subarray(at, at + 32))) found++;
  const ms = performance.now() - startMs;
  if (found > 0) throw new Error('random digests are in the list');
  return (ms * 1000) / lookups;
}

answerWith(async ({ as, file, lookups }: TrustTask): Promise<TrustCost> => {
  const before = heldBytes();
  const residentBefore = process.memoryUsage().rss;
  const turns = watchTurns();
  const startMs = performance.now();
  const ask = await loadAs(as, file);
  const seconds = (performance.now() - startMs) / 1000;
  const longestMs = turns.end();
  const peak = peakBytes() - residentBefore;
  const held = heldBytes() - before;
  microsecondsOf(ask, lookups / 10); // until it is compiled
  return {
    seconds,
    heldMegabytes: held / 1e6,
    peakMegabytes: peak / 1e6,
    lookupMicroseconds: microsecondsOf(ask, lookups),
    longestMs,
  };
});
