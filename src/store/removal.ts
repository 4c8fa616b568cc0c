/**
 * Takes holdings away, and blocks that are lost. A holding that goes is marked first, which a crash
 * cannot undo, and loses its blocks in small commits afterwards; those that nobody else names are
 * removed with it. Runs inside the queue of `holdings`.
 */
import type { Bytes } from '../base/bytes.ts';
import type { BlockFiles } from './block-files.ts';
import { type BlockIndex, totalsOf } from './block-index.ts';
import type { BlockPlace } from './block-place.ts';
import type { Book, HoldingStep } from './book.ts';
import { membershipCost } from './costs.ts';
import type { Environment } from './environment.ts';
import type { StoredHolding } from './holding-codec.ts';
import type { HoldingTable } from './holding-table.ts';
import type { PackFiles } from './pack-files.ts';
import { gonePacks, type PackTable } from './pack-table.ts';
import type { ListStep, SharedList, SharedLists } from './shared-lists.ts';

/** Blocks of one commit: few on a disk that is nearly full, for also removing takes some space. */
const blocksAtOnce = 512;
const blocksAtOnceMin = 64;
/** What their entries may take at first. */
const spaceBytes: number = blocksAtOnce * 3 * 4096;
/** For an entry that this version cannot read. */
export const unread: BlockPlace = { at: 'file', bytes: 0 };

export class Removal {
  readonly #environment: Environment;
  readonly #book: Book;
  readonly #index: BlockIndex;
  readonly #table: HoldingTable;
  readonly #lists: SharedLists;
  readonly #files: BlockFiles;
  readonly #packs: PackTable;
  readonly #packFiles: PackFiles;
  /** Numbers of holdings that are going, the next first. BOUNDED by the holdings. */
  readonly #going: number[] = [];
  readonly #gone = new Map<number, PromiseWithResolvers<void>>(); // BOUNDED by #going

  constructor({
    environment,
    book,
    index,
    table,
    lists,
    files,
    packs,
    packFiles,
  }: {
    environment: Environment;
    book: Book;
    index: BlockIndex;
    table: HoldingTable;
    lists: SharedLists;
    files: BlockFiles;
    packs: PackTable;
    packFiles: PackFiles;
  }) {
    this.#environment = environment;
    this.#book = book;
    this.#index = index;
    this.#table = table;
    this.#lists = lists;
    this.#files = files;
    this.#packs = packs;
    this.#packFiles = packFiles;
  }

  /** Takes up what was going before, after a start. */
  resume(holding: StoredHolding): void {
    this.#going.push(holding.number);
  }

  /** From now on the holding is not there; `others` change in the same commit. */
  async mark(holding: StoredHolding, others: readonly HoldingStep[] = []): Promise<void> {
    const after: StoredHolding = { ...holding, state: 'going' };
    const step: HoldingStep = { before: holding, after };
    await this.#book.commit({ holdings: [step, ...others] }, { removesOnly: true });
    this.#going.push(holding.number);
  }

  /** Resolves when the holding's last block has gone. */
  finished(number: number): Promise<void> {
    if (!this.#going.includes(number)) return Promise.resolve();
    const waiting = this.#gone.get(number) ?? Promise.withResolvers<void>();
    this.#gone.set(number, waiting);
    return waiting.promise;
  }

  /** What is left goes later, or after the next start: nobody need wait for it. */
  release(): void {
    for (const waiting of this.#gone.values()) waiting.resolve();
    this.#gone.clear();
  }

  /** Removes a few blocks of what is going; false when nothing is. */
  async step(): Promise<boolean> {
    const [number] = this.#going;
    if (number === undefined) return false;
    const holding = this.#table.get(number);
    if (holding) await this.#dropSome(holding);
    if (holding && this.#table.get(number)) return true;
    this.#going.shift();
    this.#gone.get(number)?.resolve();
    this.#gone.delete(number);
    return true;
  }

  async #dropSome(holding: StoredHolding): Promise<void> {
    const lists = this.#lists.of(holding.number);
    const common = lists.filter(({ owners }) => owners.length > 1);
    if (common.length > 0) return this.#leave(holding, common);
    const [whole] = lists; // nobody else has it any more
    const number = whole?.number ?? holding.number;
    const isTight = this.#environment.missingBytes(spaceBytes) > 0;
    const limit = isTight ? blocksAtOnceMin : blocksAtOnce;
    const members = this.#index.membersOf(number, limit);
    const isLast = members.length < limit;
    const dying: { hash: Bytes; place: BlockPlace }[] = [];
    const shared: { hash: Bytes; sharers: number }[] = [];
    for (const hash of members) {
      const sharers = this.#index.sharersOf(hash);
      if (sharers > 1) shared.push({ hash, sharers: sharers - 1 });
      else dying.push({ hash, place: this.#index.placeOf(hash) ?? unread });
    }
    const places = dying.map(({ place }) => place);
    const gone = totalsOf(places, -1);
    const packs = this.#packs.without(places);
    await this.#book.commit(
      {
        write: (changes) => {
          for (const hash of members) this.#index.removeMember(changes, number, hash);
          for (const { hash } of dying) this.#index.remove(changes, hash);
          for (const { hash, sharers } of shared) {
            this.#index.setSharers(changes, hash, sharers);
          }
        },
        holdings: isLast && !whole ? [{ before: holding, after: undefined }] : [],
        lists: isLast && whole ? [{ before: whole, after: undefined }] : [],
        packs,
        added: { ...gone, cost: gone.cost - members.length * membershipCost },
      },
      { removesOnly: true },
    );
    await this.#packFiles.removeAll(gonePacks(packs));
    const files = dying.filter(({ place }) => place.at === 'file');
    await this.#files.removeAll(files.map(({ hash }) => hash));
  }

  /** What others have too stays as it is. */
  async #leave({ number }: StoredHolding, common: readonly SharedList[]): Promise<void> {
    const steps = common.map((before): ListStep => {
      const owners = before.owners.filter((owner) => owner !== number);
      return { before, after: { ...before, owners } };
    });
    await this.#book.commit({ holdings: [], lists: steps }, { removesOnly: true });
  }
}
