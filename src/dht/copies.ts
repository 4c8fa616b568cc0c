/**
 * Who else was seen holding a record that nobody refreshed for long: enough of them, and it need
 * not be stored again. SYNC shows it for free.
 */
import type { Bytes } from '../base/bytes.ts';
import { LruMap } from '../base/limits.ts';
import { prefixNumber } from './distance.ts';

const recordsMax = 4096;
/** More change nothing. */
const holdersMax = 20;

export class Copies {
  /** By the first six bytes of the record's hash. BOUNDED by recordsMax and holdersMax */
  readonly #holders = new LruMap<number, Set<number>>(recordsMax);

  /** `holder` listed it. */
  saw(hash: Bytes, holder: Bytes): void {
    const id = prefixNumber(hash);
    const holders = this.#holders.get(id) ?? new Set<number>();
    if (holders.size === 0) this.#holders.set(id, holders);
    if (holders.size < holdersMax) holders.add(prefixNumber(holder));
  }

  countOf(hash: Bytes): number {
    return this.#holders.get(prefixNumber(hash))?.size ?? 0;
  }

  has(hash: Bytes, holder: Bytes): boolean {
    return this.#holders.get(prefixNumber(hash))?.has(prefixNumber(holder)) ?? false;
  }

  /** The record was refreshed: what was seen before counts no more. */
  forget(hash: Bytes): void {
    this.#holders.delete(prefixNumber(hash));
  }
}
