/**
 * Whether many contacts of the table stopped answering within a short time: then many more have,
 * and it is worth asking all. It only counts.
 */
import { toHex } from '../../base/bytes.ts';
import type { Contact } from '../../identity/contact.ts';

const windowMs = 60_000;
/** A tenth of the table, but no fewer than two, and five are enough in any. */
const leastMin = 2;
const leastMax = 5;
const share = 0.1;

export class Failures {
  /** When each was last missed (monotonic). BOUNDED by leastMax, as a cluster is forgotten. */
  readonly #missedMs = new Map<string, number>();

  /** A contact of a table of `size` did not answer; whether those that did not make a cluster. */
  note({ id }: Contact, { nowMs, size }: { nowMs: number; size: number }): boolean {
    for (const [other, missedMs] of this.#missedMs) {
      if (nowMs - missedMs >= windowMs) this.#missedMs.delete(other);
    }
    this.#missedMs.set(toHex(id), nowMs);
    const enough = Math.min(leastMax, Math.max(leastMin, Math.ceil(size * share)));
    if (this.#missedMs.size < enough) return false;
    this.#missedMs.clear();
    return true;
  }
}
