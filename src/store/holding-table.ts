/** The holdings' own entries in LMDB, by number and by root. It knows nothing of their blocks. */
import { asBuffer, type Bytes } from '../base/bytes.ts';
import { encodeNumber } from './block-index.ts';
import type { Changes, Environment } from './environment.ts';
import { decodeHolding, encodeHolding, type StoredHolding } from './holding-codec.ts';
import type { Table } from './table.ts';
import { tableEntries } from './tables.ts';

const nextKey: Bytes = Buffer.from('next-holding');

interface Step {
  readonly before: StoredHolding | undefined;
  readonly after: StoredHolding | undefined;
}

export class HoldingTable {
  readonly #holdings: Table;
  readonly #byRoot: Table;
  readonly #meta: Table;
  #next: number;

  constructor(environment: Environment) {
    this.#holdings = environment.table('holdings');
    this.#byRoot = environment.table('holding-roots');
    this.#meta = environment.table('meta');
    this.#next = this.#meta.get(nextKey)?.readUInt32BE(0) ?? 1;
  }

  get(number: number): StoredHolding | undefined {
    const value = this.#holdings.get(encodeNumber(number));
    return value && decodeHolding(number, value);
  }

  ofRoot(hash: Bytes): StoredHolding | undefined {
    const number = this.#byRoot.get(hash);
    return number && this.get(number.readUInt32BE(0));
  }

  has(hash: Bytes): boolean {
    return this.#byRoot.has(hash);
  }

  /** In order of number; may be read slowly while others write. */
  *list(): Iterable<StoredHolding> {
    for (const { key, value } of tableEntries(this.#holdings)) {
      const holding = decodeHolding(asBuffer(key).readUInt32BE(0), value);
      if (holding) yield holding;
    }
  }

  /** A number for a holding that the next commit may make; one that is not used is no loss. */
  takeNumber(): number {
    return this.#next++;
  }

  /** Part of a commit. One that is going stands no longer for its root. */
  change(changes: Changes, { before, after }: Step): void {
    const root = before?.state === 'going' ? undefined : before?.root;
    const stays = after && after.state !== 'going' && after.root;
    if (root && !stays) changes.remove(this.#byRoot, root.hash);
    if (!after) {
      if (before) changes.remove(this.#holdings, encodeNumber(before.number));
      return;
    }
    const number = encodeNumber(after.number);
    changes.put(this.#holdings, { key: number, value: encodeHolding(after) });
    if (!before) changes.put(this.#meta, { key: nextKey, value: encodeNumber(this.#next) });
    if (stays) changes.put(this.#byRoot, { key: stays.hash, value: number });
  }
}
