/**
 * The ephemeral keys of the last requests that were opened, so that a replayed one is not opened
 * again. Only requests that passed the AEAD enter: a forger cannot push honest ones out.
 */
import { asBuffer, type Bytes } from '../base/bytes.ts';

export const replayEntriesMax = 65_536;

/** 64 of 256 random bits: no two honest keys share them. */
const prefixBytes = 8;

export class ReplayRing {
  readonly #seen = new Set<string>(); // BOUNDED by #entriesMax; a Set keeps the order of entry
  readonly #entriesMax: number;

  constructor(entriesMax: number = replayEntriesMax) {
    this.#entriesMax = entriesMax;
  }

  has(ephemeral: Bytes): boolean {
    return this.#seen.has(keyOf(ephemeral));
  }

  add(ephemeral: Bytes): void {
    this.#seen.add(keyOf(ephemeral));
    if (this.#seen.size <= this.#entriesMax) return;
    const [oldest] = this.#seen;
    if (oldest !== undefined) this.#seen.delete(oldest);
  }
}

function keyOf(ephemeral: Bytes): string {
  return asBuffer(ephemeral).toString('latin1', 0, prefixBytes);
}
