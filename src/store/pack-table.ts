/**
 * The packs that there are, what lives in each, and which of them are worth being written again. It
 * owns the table `packs` and knows no files.
 */
import { asBuffer } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { encodeNumber } from './block-index.ts';
import type { BlockPlace } from './block-place.ts';
import { fileCost, type PackContent, packOverhead, reclaimable } from './costs.ts';
import type { Changes, Environment } from './environment.ts';
import type { NewPack } from './pack-layout.ts';
import type { Table } from './table.ts';
import { tableEntries } from './tables.ts';

export interface Pack extends PackContent {
  readonly number: number;
}

/** A pack before and after a commit; undefined when there is none. */
export interface PackStep {
  readonly before: Pack | undefined;
  readonly after: Pack | undefined;
}

const nextKey = Buffer.from('next-pack');
const valueBytes = 12;
const numberMax = 2 ** 32 - 1;

export class PackTable {
  readonly #packs: Table;
  readonly #meta: Table;
  #next: number;
  #count = 0;
  #overhead = 0;
  /** Those that would take fewer pages if they were written again. BOUNDED by the packs. */
  readonly #wasteful = new Map<number, Pack>();
  /** Of those: the ones that would take half of them at most. BOUNDED likewise. */
  readonly #halfEmpty = new Set<number>();

  constructor(environment: Environment) {
    this.#packs = environment.table('packs');
    this.#meta = environment.table('meta');
    this.#next = this.#meta.get(nextKey)?.readUInt32BE(0) ?? 1;
    for (const pack of this.list()) this.changed({ before: undefined, after: pack });
  }

  /** How many there are, and what they cost beyond their living blocks. */
  get count(): number {
    return this.#count;
  }

  get overhead(): number {
    return this.#overhead;
  }

  get(number: number): Pack | undefined {
    const value = this.#packs.get(encodeNumber(number));
    return value && decodePack(number, value);
  }

  /** In order of number; may be read slowly while others write. */
  *list(): Iterable<Pack> {
    for (const { key, value } of tableEntries(this.#packs)) {
      const pack = decodePack(asBuffer(key).readUInt32BE(0), value);
      if (pack) yield pack;
    }
  }

  /** Those of which at least this share of their pages would be had back, in no order. */
  wasteful(share: number): Pack[] {
    const numbers = share >= 1 / 2 ? this.#halfEmpty : this.#wasteful.keys();
    return [...numbers]
      .flatMap((number) => this.#wasteful.get(number) ?? [])
      .filter((pack) => isWorthwhile(pack, share));
  }

  /** It cannot be written again: until more of it dies, nobody tries. */
  leave(number: number): void {
    this.#wasteful.delete(number);
    this.#halfEmpty.delete(number);
  }

  /** Never given before, unless what it was for has failed and this process has ended since. */
  takeNumber(): number {
    if (this.#next > numberMax) throw new AltNetError('INTERNAL', { what: 'no number for a pack' });
    return this.#next++;
  }

  /** What becomes of packs when these blocks go. */
  without(places: Iterable<BlockPlace>): PackStep[] {
    const steps = new Map<number, { before: Pack; after: Pack }>(); // BOUNDED by the places
    for (const place of places) {
      if (place.at !== 'pack') continue;
      const before = steps.get(place.pack)?.before ?? this.get(place.pack);
      if (!before) continue;
      const { blocks, bytes } = steps.get(place.pack)?.after ?? before;
      const after = { ...before, blocks: blocks - 1, bytes: bytes - place.bytes };
      steps.set(place.pack, { before, after });
    }
    return Array.from(steps.values(), ({ before, after }) => {
      return { before, after: after.blocks > 0 ? after : undefined };
    });
  }

  /** Part of a commit. */
  change(changes: Changes, { before, after }: PackStep): void {
    if (after) {
      changes.put(this.#packs, { key: encodeNumber(after.number), value: encodePack(after) });
      if (!before) changes.put(this.#meta, { key: nextKey, value: encodeNumber(this.#next) });
    } else if (before) {
      changes.remove(this.#packs, encodeNumber(before.number));
    }
  }

  /** The commit is done. */
  changed({ before, after }: PackStep): void {
    if (before) {
      this.#count--;
      this.#overhead -= packOverhead(before);
      this.leave(before.number);
    }
    if (!after) return;
    this.#count++;
    this.#overhead += packOverhead(after);
    if (reclaimable(after) > 0) this.#wasteful.set(after.number, after);
    if (isWorthwhile(after, 1 / 2)) this.#halfEmpty.add(after.number);
  }
}

/** Whether that share of what its file takes would be had back. */
export function isWorthwhile(pack: PackContent, share: number): boolean {
  return reclaimable(pack) >= fileCost(pack.fileBytes) * share;
}

/** The numbers of packs that are no more after these steps. */
export function gonePacks(steps: readonly PackStep[]): number[] {
  return steps.flatMap(({ before, after }) => (before && !after ? before.number : []));
}

/** As it is right after it was written: all of it lives. */
export function stepTo({ number, lines, fileBytes, bytes }: NewPack): PackStep {
  return { before: undefined, after: { number, fileBytes, blocks: lines.length, bytes } };
}

function encodePack({ fileBytes, blocks, bytes }: Pack): Buffer {
  const value = Buffer.alloc(valueBytes);
  for (const [i, number] of [fileBytes, blocks, bytes].entries()) {
    value.writeUInt32BE(number, 4 * i);
  }
  return value;
}

/** Undefined for what this version cannot read. */
function decodePack(number: number, bytes: Uint8Array): Pack | undefined {
  if (bytes.length !== valueBytes) return undefined;
  const value = asBuffer(bytes);
  const [fileBytes, blocks] = [value.readUInt32BE(0), value.readUInt32BE(4)];
  return { number, fileBytes, blocks, bytes: value.readUInt32BE(8) };
}
