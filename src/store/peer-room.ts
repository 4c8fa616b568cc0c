/**
 * How much may still be stored for one peer, and what goes first when that is too little: versions
 * that this peer has replaced itself. Runs inside the queue of `holdings`.
 *
 * A block counts for each replica that names it, also for both versions of one site. So that an
 * update still finds room, the version that it takes the place of does not count while the update
 * is being written, and goes at once afterwards when there is no room for both.
 */
import { equalBytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { Book, Origin } from './book.ts';
import type { StoredHolding } from './holding-codec.ts';
import type { HoldingTable } from './holding-table.ts';
import type { OpenHolding, OpenHoldings } from './open-holdings.ts';
import type { Removal } from './removal.ts';

export interface PeerRoomParts {
  readonly book: Book;
  readonly table: HoldingTable;
  readonly removal: Removal;
  readonly opens: Pick<OpenHoldings, 'has'>;
  /** Told once the removal cannot be undone any more. */
  readonly onRemoved: (holding: StoredHolding) => void;
}

export class PeerRoom {
  readonly #parts: PeerRoomParts;

  constructor(parts: PeerRoomParts) {
    this.#parts = parts;
  }

  /** Below 0 when there is too much. No limit for what is no replica. */
  of(origin: Origin, open?: OpenHolding): { readonly bytes: number; readonly bytesMax: number } {
    const { bytes, bytesMax } = this.#parts.book.roomFor(origin);
    return { bytes: bytes + this.#replacedCost(origin, open), bytesMax };
  }

  /** Makes room for what costs so much. Rejects with STORE_FULL, and then nothing is changed. */
  async require(
    cost: number,
    { origin, open }: { readonly origin: Origin; readonly open?: OpenHolding },
  ): Promise<void> {
    const missing = (): number => cost - this.of(origin, open).bytes;
    if (missing() <= 0) return;
    const old = this.#supersededFor(origin, open);
    const atMost = old.reduce((sum, holding) => sum + holding.cost, 0);
    if (atMost < missing()) {
      const { bytesMax } = this.of(origin, open);
      throw new AltNetError('STORE_FULL', { bytes: cost, bytesMax });
    }
    for (const holding of old) {
      if (missing() <= 0) break;
      await this.#parts.removal.mark(holding);
      this.#parts.onRemoved(holding);
    }
  }

  /** After a version was replaced: it goes if there is no room for it any more. */
  async settle(origin: Origin): Promise<void> {
    const excess = -this.of(origin).bytes;
    if (excess <= 0) return;
    for (const holding of this.#supersededFor(origin, undefined)) {
      if (this.of(origin).bytes >= 0) break;
      await this.#parts.removal.mark(holding);
      this.#parts.onRemoved(holding);
    }
  }

  /** What this peer has replaced, the oldest first; not what an update is just built upon. */
  #supersededFor({ kind, from }: Origin, open: OpenHolding | undefined): StoredHolding[] {
    if (kind !== 'replica' || !from) return [];
    const { table, opens } = this.#parts;
    const replaced = open?.begin.replaces;
    return [...table.list()]
      .filter(
        (one) =>
          isReplicaOf(one, from) &&
          one.supersededMs !== undefined &&
          !opens.has(one) &&
          !(replaced && one.root && equalBytes(one.root.hash, replaced)),
      )
      .toSorted((a, b) => (a.supersededMs ?? 0) - (b.supersededMs ?? 0));
  }

  #replacedCost({ kind, from, source }: Origin, open: OpenHolding | undefined): number {
    const replaced = open?.begin.replaces;
    if (kind !== 'replica' || !from || !replaced) return 0;
    const before = this.#parts.table.ofRoot(replaced);
    if (!before || !isReplicaOf(before, from) || before.source !== source) return 0;
    return before.cost;
  }
}

function isReplicaOf({ kind, from, state }: StoredHolding, peer: Uint8Array): boolean {
  return kind === 'replica' && state !== 'going' && from !== undefined && equalBytes(from, peer);
}
