/**
 * What became of one node's publications: each time that its publisher stored a record, how many
 * took it and who. For whoever asks why nobody holds a record; it changes nothing.
 */
import type { Bytes } from '../src/base/bytes.ts';
import { toHex } from '../src/base/bytes.ts';
import type { StoreResult } from '../src/dht/placing/storing.ts';
import type { Contact } from '../src/identity/contact.ts';
import type { SignedRecord } from '../src/record/envelope.ts';

export interface Try {
  /** Virtual milliseconds. */
  readonly atMs: number;
  readonly version: bigint;
  readonly asked: number;
  /** Others that took it; this node itself may have kept a copy besides. */
  readonly holders: readonly Contact[];
}

/** Of each key the last ones. */
const triesMax = 8;

export class Tries {
  readonly #nowMs: () => number;
  /** By key in hexadecimal. BOUNDED by what the node publishes, and triesMax */
  readonly #tries = new Map<string, readonly Try[]>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Oldest first. */
  of(key: Bytes): readonly Try[] {
    return this.#tries.get(toHex(key)) ?? [];
  }

  /** Notes what storing this record comes to, and passes it on. */
  async note({ key, seq }: SignedRecord, storing: Promise<StoreResult>): Promise<StoreResult> {
    const atMs = this.#nowMs();
    const result = await storing;
    const { asked, holders } = result;
    const tried = [...this.of(key), { atMs, version: seq, asked, holders }];
    this.#tries.set(toHex(key), tried.slice(-triesMax));
    return result;
  }
}
