/**
 * What becomes of a holding while it is being written: what it begins as, when it is complete, and
 * what stays of it once its last writer has closed it. Runs inside the queue of `holdings`.
 */
import { equalBytes, toHex } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { NewHolding } from '../content/ports.ts';
import type { Book } from './book.ts';
import type { Environment } from './environment.ts';
import type { StoredHolding } from './holding-codec.ts';
import { asVisited, beginHolding, originOf, raise } from './holding-kinds.ts';
import type { HoldingTable } from './holding-table.ts';
import type { OpenHolding, OpenHoldings } from './open-holdings.ts';
import type { PeerRoom } from './peer-room.ts';
import type { Removal } from './removal.ts';
import type { Room } from './room.ts';
import type { Completion, Reservation } from './write-requests.ts';

/** Beyond its own length, what a block of middle size costs: set aside together with it. */
const reservedShare = 1 / 32;

export interface LifecycleParts {
  readonly environment: Environment;
  readonly book: Book;
  readonly table: HoldingTable;
  readonly opens: OpenHoldings;
  readonly removal: Removal;
  readonly room: Room;
  readonly peers: PeerRoom;
  readonly nowMs: () => number;
  readonly onRemoved: (holding: StoredHolding) => void;
}

export class Lifecycle {
  readonly #parts: LifecycleParts;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  /** The entry of a holding that is open; undefined while it has none. */
  find({ root, number }: OpenHolding): StoredHolding | undefined {
    const { table } = this.#parts;
    if (root) return table.ofRoot(root.hash);
    return number === undefined ? undefined : table.get(number);
  }

  begin({ begin }: OpenHolding): StoredHolding {
    return beginHolding(this.#parts.table.takeNumber(), begin, this.#parts.nowMs());
  }

  /** Whether somebody opens it who needs it more than those before. */
  isRaisedBy(open: OpenHolding, by: NewHolding): boolean {
    const before = this.find(open);
    const after = before && raise(before, by);
    return after?.kind !== before?.kind || after?.keep !== before?.keep;
  }

  async raise(open: OpenHolding, by: NewHolding): Promise<void> {
    const { peers } = this.#parts;
    const before = this.find(open);
    if (!before || !this.isRaisedBy(open, by)) return;
    const after = raise(before, by);
    if (after.kind === 'replica') {
      const required = peers.require(before.cost, { origin: after, open });
      await required.catch((error: unknown) => {
        open.begin = beganAsVisited(open.begin); // what it was stays for those before
        throw error;
      });
    }
    await this.#parts.book.commit({ holdings: [{ before, after }] });
    if (before.state === 'writing' && before.kind === 'visited') open.before ??= before.kind;
  }

  /**
   * A reader must not be refused because the peer that offered the same root has used up its
   * budget: what is open for both counts for the reader alone from then on. False when nobody
   * reads.
   */
  async fallBack(open: OpenHolding): Promise<boolean> {
    const before = this.find(open);
    const isReplica = (before ?? open.begin).kind === 'replica' && before?.state !== 'complete';
    if (open.readers === 0 || !isReplica) return false;
    if (before) await this.#parts.book.commit({ holdings: [{ before, after: asVisited(before) }] });
    open.begin = beganAsVisited(open.begin);
    open.before = undefined;
    return true;
  }

  async reserve(open: OpenHolding, reservation: Reservation, bytes: number): Promise<void> {
    const { book, room, peers, environment } = this.#parts;
    const cost = costOf(bytes);
    const origin = reservation.origin ?? this.find(open) ?? originOf(open.begin);
    try {
      await peers.require(cost, { origin, open });
    } catch (error) {
      const isReader = reservation.by === 'visited' && !reservation.origin;
      if (isReader && isFull(error) && (await this.fallBack(open))) {
        return this.reserve(open, reservation, bytes);
      }
      throw error;
    }
    const shortage = cost - book.room();
    if (shortage > 0 && !(await room.make(shortage))) {
      throw new AltNetError('STORE_FULL', { bytes, bytesMax: book.budget.bytesMax });
    }
    // A disk that others have filled is a smaller budget.
    const missing = environment.missingBytes(cost + book.reserved);
    if (missing > 0 && !(await room.make(missing)))
      environment.requireSpace({ entries: 0, bytes: cost });
    reservation.origin = origin;
    reservation.bytes += cost;
    book.reserve(cost, origin);
  }

  /** Changes nothing: what is only said to come must not make others go. */
  async requireRoom(_: OpenHolding, reservation: Reservation, bytes: number): Promise<void> {
    const { book, room } = this.#parts;
    const missing = costOf(bytes) - reservation.bytes - book.room();
    if (!(await room.canMake(missing))) {
      throw new AltNetError('STORE_FULL', { bytes, bytesMax: book.budget.bytesMax });
    }
  }

  /** Gives back the holding that stands for the root from now on. */
  async complete(open: OpenHolding, done: Completion): Promise<OpenHolding> {
    try {
      return await this.#complete(open, done);
    } catch (error) {
      if (!isFull(error) || !(await this.fallBack(open))) throw error;
      return this.#complete(open, done);
    }
  }

  async #complete(open: OpenHolding, { link, files, bytes }: Completion): Promise<OpenHolding> {
    const { book, table, removal, opens, peers } = this.#parts;
    if (open.root && !equalBytes(open.root.hash, link.hash)) {
      throw new AltNetError('INTERNAL', { what: 'a holding was completed with another root' });
    }
    const own = this.find(open);
    if (open.written !== undefined && own?.number !== open.written && own?.state !== 'complete') {
      const why = 'it was removed meanwhile';
      throw new AltNetError('CONTENT_UNAVAILABLE', { root: toHex(link.hash), why });
    }
    if (open.lost.size > 0) {
      const why = 'some of it was lost on the disk meanwhile';
      throw new AltNetError('CONTENT_UNAVAILABLE', { root: toHex(link.hash), why });
    }
    const rooted = table.ofRoot(link.hash);
    const base = raise(own ?? rooted ?? this.begin(open), rooted ?? open.begin);
    const after: StoredHolding = {
      ...raise(base, open.begin),
      state: 'complete',
      root: { hash: link.hash.slice(), codec: link.codec },
      legacy: false,
      files,
      bytes,
      addedMs: rooted?.addedMs ?? base.addedMs,
      usedMs: this.#parts.nowMs(),
      supersededMs: open.begin.kind === 'own' ? undefined : base.supersededMs,
    };
    // Of two updates that take the place of one version, the second has no room.
    if (own?.state === 'writing') await peers.require(0, { origin: after, open });
    if (own && rooted && own.number !== rooted.number) {
      // It was held before: the new one names all of it, so the old one can go.
      await removal.mark(rooted, [{ before: own, after }]);
    } else {
      await book.commit({ holdings: [{ before: own ?? rooted, after }] });
    }
    return open.root ? open : opens.root(open, after.root ?? link);
  }

  async close(open: OpenHolding, reservation: Reservation): Promise<void> {
    const { book, opens, removal } = this.#parts;
    if (reservation.origin) book.reserve(-reservation.bytes, reservation.origin);
    reservation.bytes = 0;
    if (!opens.close(open, reservation.by)) return;
    const holding = this.find(open);
    if (holding?.state !== 'writing') return;
    if (open.before && holding.root) {
      const after: StoredHolding = { ...asVisited(holding), kind: open.before };
      await book.commit({ holdings: [{ before: holding, after }] }, { removesOnly: true });
    } else if (!staysPartial(holding)) {
      await removal.mark(holding);
      this.#parts.onRemoved(holding);
    }
  }
}

function isFull(error: unknown): boolean {
  return isAltNetError(error, 'STORE_FULL');
}

function beganAsVisited({ root, keep }: NewHolding): NewHolding {
  return { kind: 'visited', root, keep };
}

/** What so many bytes of blocks are likely to cost. */
function costOf(bytes: number): number {
  return Math.ceil(bytes * (1 + reservedShare));
}

/** What was only visited is kept in part, until the room is needed. */
export function staysPartial({ kind, root }: StoredHolding): boolean {
  return kind === 'visited' && root !== undefined;
}
