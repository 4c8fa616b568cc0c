/**
 * What a list comes to in the end: which targets may not be had, for quick answers. Where entries
 * come from and how they are kept is not known here.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bytes } from '../base/bytes.ts';
import type { Revocation } from '../record/revocations.ts';
import { DigestTable } from '../trust/digest-table.ts';
import { eachOf } from './entries.ts';

const turnEntries = 8192;

export class EntryTable {
  /** For each target: bit 1 revoked content, bit 2 a revoked name. */
  readonly #table: DigestTable;
  #inForce = 0;

  /** `seed`: 32 random bytes. */
  constructor(seed: Bytes) {
    this.#table = new DigestTable(seed);
  }

  /** Targets that may not be had now. */
  get inForce(): number {
    return this.#inForce;
  }

  /** Targets that were ever revoked: what the memory is for. */
  get size(): number {
    return this.#table.size;
  }

  isRevoked(type: Revocation['type'], target: Bytes): boolean {
    return (this.#table.get(target) & type) !== 0;
  }

  /** Later entries win. Long lists let others have their turn in between. */
  async enforce(entries: Bytes): Promise<void> {
    let done = 0;
    for (const { type, target, undo } of eachOf(entries)) {
      const before = this.#table.get(target);
      const after = undo ? before & ~type : before | type;
      if (after !== before) this.#table.set(target, after);
      this.#inForce += bitsOf(after) - bitsOf(before);
      if (++done % turnEntries === 0) await nextTurn();
    }
  }
}

function bitsOf(value: number): number {
  return (value & 1) + ((value >> 1) & 1);
}
