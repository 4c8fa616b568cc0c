/**
 * What other resolvers said, for as long as they said it holds; bounded by bytes, least used first.
 */
import type { Clock } from '../../base/clock.ts';
import type { PassedAnswer } from '../response.ts';
import type { Reply } from './reply.ts';

interface Entry {
  readonly reply: Reply;
  /** Monotonic milliseconds. */
  readonly storedMs: number;
  readonly bytes: number;
}

/** What the entry and its place in the map take beside the octets, roughly. */
const entryOverheadBytes = 300;
const numberBytes = 8;

export class ReplyCache {
  readonly #clock: Clock;
  readonly #bytesMax: number;
  readonly #entries = new Map<string, Entry>(); // BOUNDED by bytesMax, see set()
  #bytes = 0;

  constructor(clock: Clock, bytesMax: number) {
    this.#clock = clock;
    this.#bytesMax = bytesMax;
  }

  /** Of all entries, as estimated. */
  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): PassedAnswer | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    const ageSeconds = Math.floor((this.#clock.monotonicMs() - entry.storedMs) / 1000);
    this.#entries.delete(key);
    if (ageSeconds >= entry.reply.ttlSeconds) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(key, entry); // as the one used last
    return passedAnswer(entry.reply, ageSeconds);
  }

  /** Remembers what is to be remembered, and no more than fits. */
  set(key: string, reply: Reply): void {
    const { octets, ttlOffsets, ttlSeconds, isTruncated } = reply;
    if (ttlSeconds === 0 || isTruncated) return;
    const bytes =
      octets.length + 2 * key.length + numberBytes * ttlOffsets.length + entryOverheadBytes;
    if (bytes > this.#bytesMax) return;
    this.#remove(key);
    this.#entries.set(key, { reply, storedMs: this.#clock.monotonicMs(), bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}

export function passedAnswer(reply: Reply, ageSeconds: number): PassedAnswer {
  const { octets, ttlOffsets, ttlSeconds } = reply;
  return { kind: 'passed', octets, ttlOffsets, ageSeconds, ttlSeconds: ttlSeconds - ageSeconds };
}
