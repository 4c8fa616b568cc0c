/**
 * Writes packs again without what is dead in them, so that the disk gets its room back. It never
 * loses a block: the disk has the new pack before one commit moves the entries, and has those
 * before the old one goes. Runs inside the queue of `holdings`.
 */
import { isAltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { BlockIndex } from './block-index.ts';
import type { Book } from './book.ts';
import { reclaimable } from './costs.ts';
import type { Environment } from './environment.ts';
import type { Losses } from './losses.ts';
import type { PackFiles } from './pack-files.ts';
import { layOut, type PackedBlock, type PackLimits, type PackLine } from './pack-layout.ts';
import { type Pack, type PackTable, stepTo } from './pack-table.ts';

/** Of its pages, what a pack must give back to be written again: in quiet, and for want of room. */
export const quietShare: number = 1 / 2;
export const pressedShare: number = 1 / 16;
/** How many go into new ones at once: the heads of all are read. */
const packsAtOnce = 64;

export interface CompactionParts {
  readonly environment: Environment;
  readonly book: Book;
  readonly index: BlockIndex;
  readonly packs: PackTable;
  readonly packFiles: PackFiles;
  readonly packLimits: PackLimits;
  readonly losses: Losses;
  readonly log: Logger;
}

/** What still lives of some packs. */
interface Rest {
  readonly packs: readonly Pack[];
  readonly blocks: readonly PackedBlock[];
}

export class Compaction {
  readonly #parts: CompactionParts;

  constructor(parts: CompactionParts) {
    this.#parts = parts;
  }

  /**
   * Writes some packs again, those first of which most is had back. False when there is none that
   * gives back that share of itself, or when it cannot be done now.
   */
  async step(share: number): Promise<boolean> {
    const packs = this.#chosen(share);
    if (packs.length === 0 || !this.#hasSpace(packs)) return false;
    try {
      const rest = await this.#restOf(packs);
      if (rest.packs.length > 0) await this.#replace(rest);
      return true;
    } catch (error) {
      const code = systemCode(error);
      const isFull = code === 'ENOSPC' || code === 'EDQUOT' || isAltNetError(error, 'DISK_FULL');
      // On a full disk it is tried again after the next removal, anything else not so soon.
      if (!isFull) for (const { number } of packs) this.#parts.packs.leave(number);
      this.#parts.log.warn('packs cannot be written again', { why: String(error) });
      return false;
    }
  }

  /** As many as fill a new pack. */
  #chosen(share: number): Pack[] {
    const { packs, packLimits } = this.#parts;
    const sorted = packs.wasteful(share).toSorted((a, b) => reclaimable(b) - reclaimable(a));
    let [bytes, blocks] = [0, 0];
    const chosen: Pack[] = []; // BOUNDED by packsAtOnce
    for (const pack of sorted) {
      bytes += pack.bytes;
      blocks += pack.blocks;
      const isTooMuch = bytes > packLimits.bytesMax || blocks > packLimits.blocksMax;
      if (chosen.length > 0 && (isTooMuch || chosen.length === packsAtOnce)) break;
      chosen.push(pack);
    }
    return chosen;
  }

  #hasSpace(packs: readonly Pack[]): boolean {
    const entries = packs.reduce((sum, { blocks }) => sum + blocks + 2, 0);
    const bytes = packs.reduce((sum, pack) => sum + pack.bytes, 0);
    return this.#parts.environment.hasSpace({ entries, bytes });
  }

  async #restOf(packs: readonly Pack[]): Promise<Rest> {
    const whole: Pack[] = []; // BOUNDED by packsAtOnce
    const blocks: PackedBlock[] = []; // BOUNDED by what the packs hold
    for (const pack of packs) {
      const found = await this.#livingOf(pack);
      if (!found) continue;
      whole.push(pack);
      for (const block of found) blocks.push(block);
    }
    return { packs: whole, blocks };
  }

  /** Undefined when not all of it can be found: then the pack stays as it is. */
  async #livingOf({ number, blocks }: Pack): Promise<PackedBlock[] | undefined> {
    const { packs, packFiles, losses, log } = this.#parts;
    const lines = (await packFiles.linesOf(number))?.filter((line) => this.#lives(line));
    if (lines?.length !== blocks) {
      packs.leave(number);
      log.warn('the head of a pack is missing or damaged', { pack: number });
      return undefined;
    }
    const found = await packFiles.readAll(number, lines);
    if (found.length === blocks) return found;
    packs.leave(number);
    const read = new Set(found.map(({ hash }) => hash)); // BOUNDED by the lines
    await losses.forget(lines.map(({ hash }) => hash).filter((hash) => !read.has(hash)));
    return undefined;
  }

  /** Whether the index has the block where this line says that it is. */
  #lives({ hash, place }: PackLine): boolean {
    const known = this.#parts.index.placeOf(hash);
    if (known?.at !== 'pack') return false;
    const { pack, offset, bytes } = known;
    return pack === place.pack && offset === place.offset && bytes === place.bytes;
  }

  async #replace({ packs: old, blocks }: Rest): Promise<void> {
    const { environment, book, index, packs, packFiles } = this.#parts;
    // One pack, also of what a larger budget has let into one: several would take more.
    const made = layOut(blocks, packs.takeNumber());
    try {
      await packFiles.writeAll([made]);
      // A power cut may take away what is new, and this is not: the disk has it before the index.
      await packFiles.flush(made.number);
      await book.commit({
        write: (changes) => {
          for (const line of made.lines) index.putPlace(changes, line);
        },
        holdings: [],
        packs: [...old.map((before) => ({ before, after: undefined })), stepTo(made)],
      });
    } catch (error) {
      await packFiles.removeAll([made.number]).catch(() => undefined);
      throw error;
    }
    await environment.flushed();
    await packFiles.removeAll(old.map(({ number }) => number));
  }
}
