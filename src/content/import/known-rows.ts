/**
 * What an import remembers of a folder, as rows of equal length (docs/spec/content.md, "Publishing
 * again"): those of a folder, then of its files, then of the folders in it. Bytes alone; what was
 * stored is looked at with care, as nobody knows who wrote it.
 */
import { asBuffer, type Bytes } from '../../base/bytes.ts';
import type { Built } from '../dag/build.ts';
import type { HashList } from './hash-list.ts';
import { stampBytes } from './stamp.ts';

const hashBytes = 32;
export const rowBytes: number = stampBytes + hashBytes + 1 + 6;
/** Each of these is a u32 after the stamp of the path. */
const folderNumbers = 4;
const rowsOfFolder = 2;

/** A file or a folder, and what it was made into. */
export interface KnownEntry {
  readonly stamp: string;
  readonly built: Built;
}

export interface KnownFolder extends KnownEntry {
  /** Where its rows begin, and how many there are, those of everything below included. */
  readonly at: number;
  readonly rows: number;
  readonly pathStamp: string;
  /** Nodes of the folder besides the top one. */
  readonly shards: number;
  readonly files: number;
  /** Nodes of all folders from this one down. */
  readonly nodes: number;
}

/** Of a folder without stamp: not all of its files may be recognised. */
export const noStamp: string = '\0'.repeat(stampBytes);

export class KnownRows {
  static readonly none: KnownRows = new KnownRows(new Uint8Array());

  readonly #rows: Buffer;

  constructor(rows: Bytes) {
    this.#rows = asBuffer(rows);
  }

  /** The top folder; undefined when there is none, or it cannot be. */
  get top(): KnownFolder | undefined {
    return this.#folder(0, Math.floor(this.#rows.length / rowBytes));
  }

  /** All folders, by the stamp of the path. */
  byPath(): ReadonlyMap<string, KnownFolder> {
    const folders = new Map<string, KnownFolder>(); // BOUNDED by the rows
    const { top } = this;
    const pending = top ? [top] : []; // BOUNDED by the rows
    for (let folder = pending.pop(); folder; folder = pending.pop()) {
      folders.set(folder.pathStamp, folder);
      for (const one of this.foldersOf(folder)) pending.push(one);
    }
    return folders;
  }

  *filesOf({ at, shards, files }: KnownFolder): Iterable<KnownEntry> {
    const first = at + rowsOfFolder + shards;
    for (let row = first; row < first + files; row++) yield this.#entry(row);
  }

  /** What its files were made into. */
  *builtOf({ at, shards, files }: KnownFolder): Iterable<Built> {
    const first = at + rowsOfFolder + shards;
    for (let row = first; row < first + files; row++) yield this.#built(row);
  }

  /** Adds what its files of one block were made into to `hashes`, and gives back the others. */
  addLeavesOf({ at, shards, files }: KnownFolder, hashes: HashList): readonly Built[] {
    const larger: Built[] = []; // BOUNDED by the files of the folder
    const first = at + rowsOfFolder + shards;
    for (let row = first; row < first + files; row++) {
      const hashAt = row * rowBytes + stampBytes;
      if (this.#rows[hashAt + hashBytes] === 1) hashes.addFrom(this.#rows, hashAt);
      else larger.push(this.#built(row));
    }
    return larger;
  }

  *foldersOf({ at, rows, shards, files }: KnownFolder): Iterable<KnownFolder> {
    const end = at + rows;
    let next = at + rowsOfFolder + shards + files;
    while (next < end) {
      const folder = this.#folder(next, end);
      if (!folder) return;
      yield folder;
      next += folder.rows;
    }
  }

  /** The blocks of a folder's own nodes. */
  *nodesOf({ at, shards, built }: KnownFolder): Iterable<Bytes> {
    yield built.hash;
    const first = at + rowsOfFolder;
    for (let row = first; row < first + shards; row++) yield this.#hash(row);
  }

  /** As they are stored. */
  copyOf({ at, rows }: KnownFolder): Bytes {
    return this.#rows.subarray(at * rowBytes, (at + rows) * rowBytes);
  }

  #hash(row: number): Bytes {
    const at = row * rowBytes + stampBytes;
    return this.#rows.subarray(at, at + hashBytes);
  }

  #entry(row: number): KnownEntry {
    const at = row * rowBytes;
    const stamp = this.#rows.toString('latin1', at, at + stampBytes);
    return { stamp, built: this.#built(row) };
  }

  #built(row: number): Built {
    const rest = row * rowBytes + stampBytes + hashBytes;
    const depth = this.#rows.readUInt8(rest);
    const codec = depth === 1 ? 'raw' : 'dag-pb';
    const total = this.#rows.readUIntBE(rest + 1, 6);
    return { codec, hash: this.#hash(row), depth, total };
  }

  #folder(at: number, end: number): KnownFolder | undefined {
    if (at + rowsOfFolder > end) return undefined;
    const { stamp, built } = this.#entry(at);
    const second = (at + 1) * rowBytes;
    const pathStamp = this.#rows.toString('latin1', second, second + stampBytes);
    const [shards = 0, files = 0, rows = 0, nodes = 0] = Array.from(
      { length: folderNumbers },
      (_, i) => this.#rows.readUInt32BE(second + stampBytes + 4 * i),
    );
    if (rowsOfFolder + shards + files > rows || at + rows > end) return undefined;
    // A folder without files, whose only node is a leaf, has never been one.
    const top: Built = { ...built, codec: 'dag-pb' };
    return { stamp, built: top, at, rows, pathStamp, shards, files, nodes };
  }
}

/** Rows one after the other. BOUNDED by the files and folders of a site. */
export class RowWriter {
  #rows: Buffer = Buffer.alloc(1024 * rowBytes);
  #length = 0;

  get written(): Bytes {
    return this.#rows.subarray(0, this.#length);
  }

  entry(stamp: string, { hash, depth, total }: Built): void {
    const at = this.#take(rowBytes);
    this.#rows.write(stamp, at, stampBytes, 'latin1');
    this.#rows.set(hash, at + stampBytes);
    this.#rows.writeUInt8(depth, at + stampBytes + hashBytes);
    this.#rows.writeUIntBE(total, at + stampBytes + hashBytes + 1, 6);
  }

  copy(rows: Bytes): void {
    const at = this.#take(rows.length);
    this.#rows.set(rows, at);
  }

  /** Begins a folder; `finish` is to be called once all below it is written. */
  folder(
    { pathStamp, shards }: { readonly pathStamp: string; readonly shards: readonly Bytes[] },
    built: Built,
  ): { finish(done: { stamp: string; files: number; nodes: number }): void } {
    const first = this.#length / rowBytes;
    this.entry(noStamp, built);
    const second = this.#take(rowBytes);
    this.#rows.write(pathStamp, second, stampBytes, 'latin1');
    for (const hash of shards) this.#rows.set(hash, this.#take(rowBytes) + stampBytes);
    return {
      finish: ({ stamp, files, nodes }) => {
        this.#rows.write(stamp, first * rowBytes, stampBytes, 'latin1');
        const rows = this.#length / rowBytes - first;
        for (const [i, number] of [shards.length, files, rows, nodes].entries()) {
          this.#rows.writeUInt32BE(number, second + stampBytes + 4 * i);
        }
      },
    };
  }

  /** Zeros. */
  #take(bytes: number): number {
    const at = this.#length;
    this.#length += bytes;
    if (this.#length > this.#rows.length) {
      const larger = Buffer.alloc(Math.max(2 * this.#rows.length, this.#length));
      larger.set(this.#rows);
      this.#rows = larger;
    }
    return at;
  }
}
