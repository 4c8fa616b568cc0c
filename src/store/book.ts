/**
 * What the store holds and how much of its budget that takes: entries, totals and the holdings'
 * own entries change in one commit, so the sums are exact whenever a crash comes. It does not
 * decide what may be written or has to go.
 */
import type { Bytes } from '../base/bytes.ts';
import { type BlockIndex, type BlockTotals, noTotals } from './block-index.ts';
import { fileCost, holdingCost, packOverhead } from './costs.ts';
import type { Changes, Environment } from './environment.ts';
import type { StoredHolding } from './holding-codec.ts';
import { HoldingCounts, type HoldingsCounted } from './holding-counts.ts';
import type { HoldingTable } from './holding-table.ts';
import type { Pack, PackStep, PackTable } from './pack-table.ts';
import type { ListStep, SharedLists } from './shared-lists.ts';
import { textOf } from './tables.ts';

/** Most that is stored, by what it costs on the disk. */
export interface Budget {
  readonly bytesMax: number;
  /** Of replicas, for the peer that offered them. */
  readonly perPeerBytesMax: number;
}

/**
 * Most of the budget that blocks may take in the index. LMDB's file never shrinks: what is free in
 * it is lost to the blocks in files. And it is mapped, so all of it may count as our memory.
 */
const inlineShare = 1 / 20;

/** Pages of LMDB that may be unused without taking room: some always are, between two commits. */
const unusedShare = 1 / 20;
const unusedBytesMin = 256 * 1024;
const inlineBytesMax = 32 * 1024 * 1024;

/** Peers in one network may together take so many times what one peer may. */
const peersPerNetwork = 4;

/** A holding before and after a commit; undefined when there is none. */
export interface HoldingStep {
  readonly before: StoredHolding | undefined;
  readonly after: StoredHolding | undefined;
}

export interface BookEntry {
  /** Writes blocks, memberships and shares. */
  readonly write?: (changes: Changes) => void;
  readonly holdings: readonly HoldingStep[];
  readonly lists?: readonly ListStep[];
  readonly packs?: readonly PackStep[];
  /**
   * What blocks and memberships add to the totals; what holdings and packs cost besides is added
   * here.
   */
  readonly added?: BlockTotals;
}

/** Whose replica it is. */
export type Origin = Pick<StoredHolding, 'kind' | 'from' | 'source'>;

export class Book {
  readonly budget: Budget;
  readonly #environment: Environment;
  readonly #index: BlockIndex;
  readonly #table: HoldingTable;
  readonly #lists: SharedLists;
  readonly #packs: PackTable;
  readonly #counts = new HoldingCounts();
  #totals: BlockTotals;
  #reserved = 0;
  /** What LMDB takes for blocks beyond what they cost there; undefined after each commit. */
  #unusedBytes: number | undefined;
  /** Replicas by origin, and what is set aside for them. BOUNDED by the holdings. */
  readonly #held = new Map<string, number>();
  readonly #reservedFor = new Map<string, number>(); // BOUNDED by the open holdings

  constructor({
    environment,
    index,
    table,
    lists,
    packs,
    budget,
  }: {
    environment: Environment;
    index: BlockIndex;
    table: HoldingTable;
    lists: SharedLists;
    packs: PackTable;
    budget: Budget;
  }) {
    this.#environment = environment;
    this.#index = index;
    this.#table = table;
    this.#lists = lists;
    this.#packs = packs;
    this.budget = budget;
    this.#totals = index.totals();
    for (const holding of table.list()) this.#charge({ before: undefined, after: holding });
  }

  /** What is set aside. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Of the holdings that others see. */
  get counted(): HoldingsCounted {
    return this.#counts.snapshot();
  }

  get totals(): BlockTotals {
    return this.#totals;
  }

  /** What may still be written besides what is set aside; below 0 when the budget was lowered. */
  room(): number {
    const { cost, files } = this.#totals;
    // Pages that LMDB has and nobody uses are no use to packs.
    this.#unusedBytes ??= this.#environment.blockPagesBytes() - (cost - files);
    const allowed = Math.max(this.budget.bytesMax * unusedShare, unusedBytesMin);
    const lost = Math.max(0, this.#unusedBytes - allowed);
    return this.budget.bytesMax - cost - lost - this.#reserved;
  }

  /** What blocks in the index may still take. */
  inlineRoom(): number {
    return Math.min(this.budget.bytesMax * inlineShare, inlineBytesMax) - this.#totals.inline;
  }

  /** Of the peer that offered it, and of the network it did so from: the narrower of both. */
  roomFor(origin: Origin): { readonly bytes: number; readonly bytesMax: number } {
    let least = { bytes: Infinity, bytesMax: Infinity };
    for (const { id, bytesMax } of this.#accountsOf(origin)) {
      const bytes = bytesMax - (this.#held.get(id) ?? 0) - (this.#reservedFor.get(id) ?? 0);
      if (bytes < least.bytes) least = { bytes, bytesMax };
    }
    return least;
  }

  heldFor(from: Bytes): number {
    return this.#held.get(peerAccount(from)) ?? 0;
  }

  /** Sets so much aside, or frees it when negative. */
  reserve(bytes: number, origin: Origin): void {
    this.#reserved += bytes;
    for (const { id } of this.#accountsOf(origin)) addTo(this.#reservedFor, id, bytes);
  }

  async commit(
    { write, holdings, lists = [], packs = [], added = noTotals }: BookEntry,
    { removesOnly = false }: { readonly removesOnly?: boolean } = {},
  ): Promise<void> {
    const before = this.#totals;
    const made = holdings.filter((step) => !step.before && step.after).length;
    const gone = holdings.filter((step) => step.before && !step.after).length;
    const filesGrow = packs.reduce((sum, step) => sum + growth(step, packFileCost), 0);
    const packsGrow = packs.reduce((sum, step) => sum + growth(step, packOverhead), 0);
    const totals: BlockTotals = {
      blocks: before.blocks + added.blocks,
      bytes: before.bytes + added.bytes,
      cost: before.cost + added.cost + packsGrow + (made - gone) * holdingCost,
      inline: before.inline + added.inline,
      files: before.files + added.files + filesGrow,
    };
    await this.#environment.commit(
      (changes) => {
        write?.(changes);
        for (const step of holdings) this.#table.change(changes, step);
        for (const step of lists) this.#lists.change(changes, step);
        for (const step of packs) this.#packs.change(changes, step);
        this.#index.setTotals(changes, totals);
      },
      { removesOnly },
    );
    this.#totals = totals;
    this.#unusedBytes = undefined;
    for (const step of holdings) this.#charge(step);
    for (const step of lists) this.#lists.changed(step);
    for (const step of packs) this.#packs.changed(step);
  }

  #charge({ before, after }: HoldingStep): void {
    this.#counts.count(before, after);
    if (before) this.#addHeld(before, -before.cost);
    if (after) this.#addHeld(after, after.cost);
  }

  #addHeld(holding: StoredHolding, cost: number): void {
    if (holding.state === 'going') return;
    for (const { id } of this.#accountsOf(holding)) addTo(this.#held, id, cost);
  }

  #accountsOf({ kind, from, source }: Origin): { id: string; bytesMax: number }[] {
    if (kind !== 'replica') return [];
    const { perPeerBytesMax } = this.budget;
    const ofPeer = from ? [{ id: peerAccount(from), bytesMax: perPeerBytesMax }] : [];
    const bytesMax = perPeerBytesMax * peersPerNetwork;
    return source === '' ? ofPeer : [...ofPeer, { id: `network ${source}`, bytesMax }];
  }
}

function packFileCost({ fileBytes }: Pack): number {
  return fileCost(fileBytes);
}

function growth({ before, after }: PackStep, costOf: (pack: Pack) => number): number {
  return (after ? costOf(after) : 0) - (before ? costOf(before) : 0);
}

function peerAccount(from: Bytes): string {
  return `peer ${textOf(from)}`;
}

function addTo(sums: Map<string, number>, id: string, bytes: number): void {
  const sum = (sums.get(id) ?? 0) + bytes;
  if (sum === 0) sums.delete(id);
  else sums.set(id, sum);
}
