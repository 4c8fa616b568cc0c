/**
 * Makes room for what is to be written: takes away what may go, the least missed first. Runs inside
 * the queue of `holdings`.
 *
 * First come old versions that were replaced, then partial holdings that nobody is reading, then
 * what was used least recently. What this node's user published and what is open stays.
 */
import type { BlockIndex } from './block-index.ts';
import type { BlockPlace } from './block-place.ts';
import type { Book } from './book.ts';
import { type Compaction, pressedShare } from './compaction.ts';
import { blockCost, membershipCost, packOverhead, packOverheadMax, reclaimable } from './costs.ts';
import type { StoredHolding } from './holding-codec.ts';
import type { HoldingTable } from './holding-table.ts';
import type { OpenHoldings } from './open-holdings.ts';
import { isWorthwhile, type Pack, type PackTable } from './pack-table.ts';
import type { Removal } from './removal.ts';
import type { SharedLists } from './shared-lists.ts';
import { textOf } from './tables.ts';

/** A partial holding that was used more recently than this goes in its turn, not first. */
const idleAfterMs = 10 * 60_000;

/** Once something has to go, a little more goes: the next write shall not have to wait again. */
const slackShare = 1 / 64;
const slackBytesMax = 64 * 1024 * 1024;

export interface RoomParts {
  readonly book: Book;
  readonly index: BlockIndex;
  readonly table: HoldingTable;
  readonly lists: SharedLists;
  readonly packs: PackTable;
  readonly removal: Removal;
  readonly compaction: Pick<Compaction, 'step'>;
  readonly nowMs: () => number;
  /** When it was used last, as far as that is not yet written down. */
  readonly usedMs: (holding: StoredHolding) => number;
  readonly opens: Pick<OpenHoldings, 'has'>;
  /** Told once the removal cannot be undone any more. */
  readonly onRemoved: (holding: StoredHolding) => void;
}

interface Candidates {
  /** The first to go first. */
  readonly list: readonly StoredHolding[];
  /** What everything else may cost at most. */
  readonly othersCost: number;
}

export class Room {
  readonly #parts: RoomParts;
  /** Holdings that had to go since the start. */
  evicted = 0;

  constructor(parts: RoomParts) {
    this.#parts = parts;
  }

  /** Removes what costs at least `bytes`; false, and nothing is changed, when that cannot be. */
  async make(bytes: number): Promise<boolean> {
    const { book } = this.#parts;
    const before = book.room();
    const gained = (): number => book.room() - before;
    await this.#finishRemovals(bytes);
    if (gained() >= bytes) return true;
    const candidates = this.#candidates();
    if (!this.#suffice(candidates, bytes - gained())) return false;
    // What is dead goes before anything that lives.
    await this.#compact(pressedShare, () => gained() >= bytes);
    if (gained() >= bytes) return true;
    const slack = Math.min(book.budget.bytesMax * slackShare, slackBytesMax);
    await this.#evict(candidates, () => gained() >= bytes + slack);
    return gained() >= bytes;
  }

  /** After the budget has become smaller: until the rest fits, or is all that must stay. */
  async shrink(): Promise<void> {
    const { book } = this.#parts;
    await this.#finishRemovals(-book.room());
    await this.#compact(pressedShare, () => book.room() >= 0);
    await this.#evict(this.#candidates(), () => book.room() >= 0);
  }

  /** What would be left if all went that may go. */
  pinnedBytes(): number {
    const { list, othersCost } = this.#candidates();
    const { book, table } = this.#parts;
    // Blocks that several of them name count more than once: a closer look is worth it only then.
    if (othersCost <= book.budget.bytesMax) return othersCost;
    const going = [...table.list()].filter(({ state }) => state === 'going');
    return book.totals.cost - this.#gainOf([...list, ...going]);
  }

  /** Whether `make` would succeed. Only what is going already goes. */
  async canMake(bytes: number): Promise<boolean> {
    const { book } = this.#parts;
    const before = book.room();
    await this.#finishRemovals(bytes);
    const missing = bytes - (book.room() - before);
    return missing <= 0 || this.#suffice(this.#candidates(), missing);
  }

  async #evict({ list }: Candidates, isEnough: () => boolean): Promise<void> {
    const { removal, onRemoved } = this.#parts;
    for (const holding of list) {
      if (isEnough()) return;
      await removal.mark(holding);
      this.evicted++;
      onRemoved(holding);
      while (!isEnough() && (await removal.step())) continue;
      await this.#compact(pressedShare, isEnough);
    }
    // As far as it was counted on, what is left of it is had here.
    await this.#compact(0, isEnough);
  }

  /** Takes what is dead out of packs that give back that share of themselves. */
  async #compact(share: number, isEnough: () => boolean): Promise<void> {
    while (!isEnough() && (await this.#parts.compaction.step(share))) continue;
  }

  /** Until they have made so much room. */
  async #finishRemovals(bytes: number): Promise<void> {
    const { book, removal } = this.#parts;
    const until = book.room() + bytes;
    while (book.room() < until && (await removal.step())) continue;
  }

  #candidates(): Candidates {
    const { table, usedMs, opens, nowMs } = this.#parts;
    const found: { holding: StoredHolding; usedMs: number; rank: number }[] = [];
    const idleSince = nowMs() - idleAfterMs;
    let othersCost = 0;
    for (const holding of table.list()) {
      const isOld = holding.supersededMs !== undefined && !holding.keep;
      const isPinned = (holding.kind === 'own' && !isOld) || !holding.root;
      if (isPinned || holding.state === 'going' || opens.has(holding)) {
        othersCost += holding.cost;
        continue;
      }
      const used = usedMs(holding);
      const isIdle = holding.state !== 'complete' && used < idleSince;
      found.push({ holding, usedMs: used, rank: isOld ? 0 : isIdle ? 1 : 2 });
    }
    found.sort((a, b) => a.rank - b.rank || a.usedMs - b.usedMs);
    return { list: found.map(({ holding }) => holding), othersCost };
  }

  /** Whether all candidates together make so much room. */
  #suffice({ list, othersCost }: Candidates, bytes: number): boolean {
    const { book, packs } = this.#parts;
    const atMost = list.reduce((sum, { cost }) => sum + cost, packs.overhead);
    if (atMost < bytes) return false;
    const { cost, files } = book.totals;
    const overheadLeft = files * pressedShare + packs.count * packOverheadMax;
    if (cost - othersCost - overheadLeft >= bytes) return true;
    return this.#gainOf(list) >= bytes;
  }

  /** Exactly, which takes a look at each of their blocks. */
  #gainOf(list: readonly StoredHolding[]): number {
    const { index, lists } = this.#parts;
    const left = new Map<string, number>(); // BOUNDED by the blocks that several lists name
    const dying: BlockPlace[] = []; // BOUNDED by the blocks of these
    let gain = 0;
    const holdings = new Set(list.map(({ number }) => number)); // BOUNDED by `list`
    const all = new Set(list.flatMap(({ number }) => lists.numbersOf(number))); // BOUNDED likewise
    for (const number of all) {
      if (!lists.ownersOf(number).every((owner) => holdings.has(owner))) continue;
      for (const member of index.memberships(number)) {
        if (member.number !== number) break;
        const id = textOf(member.hash);
        const sharers = (left.get(id) ?? index.sharersOf(member.hash)) - 1;
        gain += membershipCost;
        if (sharers > 0) {
          left.set(id, sharers);
          continue;
        }
        const place = index.placeOf(member.hash);
        if (!place) continue;
        gain += blockCost(place);
        dying.push(place);
      }
    }
    return gain + this.#packGainOf(dying);
  }

  /** What packs cost besides, less what they will when these are gone and they are rewritten. */
  #packGainOf(dying: readonly BlockPlace[]): number {
    const { packs } = this.#parts;
    const steps = packs.without(dying);
    const changed = new Set(steps.map(({ before }) => before?.number)); // BOUNDED by the packs
    const others = packs.wasteful(pressedShare).filter(({ number }) => !changed.has(number));
    const gains = steps.map(({ before, after }) => {
      return (before ? packOverhead(before) : 0) - (after ? overheadAfter(after) : 0);
    });
    return [...gains, ...others.map(reclaimable)].reduce((sum, gain) => sum + gain, 0);
  }
}

/** Of a pack that is written again if that gives enough back. */
function overheadAfter(pack: Pack): number {
  const worthwhile = isWorthwhile(pack, pressedShare) ? reclaimable(pack) : 0;
  return packOverhead(pack) - worthwhile;
}
