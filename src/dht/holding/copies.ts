/**
 * Who else was seen holding a record that nobody refreshed for long: enough of them, and it need
 * not be stored again. SYNC shows it for free.
 */
import type { Bytes } from '../../base/bytes.ts';
import { LruMap } from '../../base/limits.ts';
import { prefixNumber } from '../distance.ts';

const recordsMax = 4096;
/** More change nothing. */
const holdersMax = 20;

export class Copies {
  /** By the first six bytes of the record's hash. BOUNDED by recordsMax and holdersMax */
  readonly #holders = new LruMap<number, number[]>(recordsMax);

  /** `holder` listed it. */
  saw(hash: Bytes, holder: Bytes): void {
    const id = prefixNumber(hash);
    const holders = this.#holders.get(id) ?? [];
    if (holders.length === 0) this.#holders.set(id, holders);
    const short = shortOf(holder);
    if (holders.length < holdersMax && !holders.includes(short)) holders.push(short);
  }

  countOf(hash: Bytes): number {
    return this.#holders.get(prefixNumber(hash))?.length ?? 0;
  }

  has(hash: Bytes, holder: Bytes): boolean {
    return this.#holders.get(prefixNumber(hash))?.includes(shortOf(holder)) ?? false;
  }

  /** The record was refreshed: what was seen before counts no more. */
  forget(hash: Bytes): void {
    this.#holders.delete(prefixNumber(hash));
  }
}

/** The first 30 bits: what stands in a list without memory of its own, as there are many. */
function shortOf(holder: Bytes): number {
  return Math.floor(prefixNumber(holder) / 2 ** 18);
}
