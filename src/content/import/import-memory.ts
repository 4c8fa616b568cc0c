/**
 * What imports remember: which file, as the system described it, had which content, so that a
 * folder that is published again is read only where it changed. Owns the form of the notes
 * (docs/spec/content.md, "Publishing again") and their bounds. It reads no files, and what it says
 * counts only while the blocks are here.
 */
import { asBuffer, type Bytes, concatBytes, equalBytes, toHex, utf8 } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { sha256 } from '../../base/hash.ts';
import type { BuiltFile } from '../dag/build.ts';
import { filesMax } from '../dag/measure.ts';
import { stampBytes } from './stamp.ts';
import { Turns } from '../turns.ts';

/** The notes of the store. */
export interface ImportNotes {
  get(name: string): Bytes | undefined;
  put(name: string, value: Bytes): Promise<void>;
  removeAll(names: readonly string[]): Promise<void>;
}

/** What a file's content was made into; its size is part of what the system says of it. */
export type KnownFile = Omit<BuiltFile, 'size'>;

const hashBytes = 32;
const entryBytes: number = stampBytes + hashBytes + 1 + 6;
const entriesPerPiece = 1000;
/** Of all folders together: 22 MB. */
const entriesMax = 400_000;
const foldersMax = 64;
const keyBytes = 16;
const folderEntryBytes: number = keyBytes + 4 + 8;
const indexName = 'imports';

/** What is known of the files of one folder. */
export class KnownFiles {
  static readonly none: KnownFiles = new KnownFiles();

  /** As they are stored. BOUNDED by the files of a folder */
  readonly #pieces: Buffer[] = [];
  /** Where the entry of a stamp stands in all pieces together. BOUNDED likewise */
  readonly #places = new Map<string, number>();

  addPiece(piece: Buffer): void {
    const first = this.#pieces.length * entriesPerPiece;
    const count = Math.min(Math.floor(piece.length / entryBytes), entriesPerPiece);
    for (let i = 0; i < count; i++) {
      const at = i * entryBytes;
      this.#places.set(piece.toString('latin1', at, at + stampBytes), first + i);
    }
    this.#pieces.push(piece);
  }

  find(stamp: string, size: number): BuiltFile | undefined {
    const place = this.#places.get(stamp);
    if (place === undefined) return undefined;
    const piece = this.#pieces[Math.floor(place / entriesPerPiece)];
    if (!piece) return undefined;
    const at = (place % entriesPerPiece) * entryBytes + stampBytes;
    const depth = piece.readUInt8(at + hashBytes);
    return {
      codec: depth === 1 ? 'raw' : 'dag-pb',
      hash: piece.subarray(at, at + hashBytes),
      depth,
      size,
      total: piece.readUIntBE(at + hashBytes + 1, 6),
    };
  }
}

interface RememberedFolder {
  readonly key: Bytes;
  readonly files: number;
  readonly usedMs: number;
}

export class ImportMemory {
  readonly #notes: ImportNotes;
  readonly #clock: Clock;
  /** One after the other: each reads the list of folders and writes it. */
  #writing: Promise<void> = Promise.resolve();

  constructor(notes: ImportNotes, clock: Clock) {
    this.#notes = notes;
    this.#clock = clock;
  }

  /** Of the folder or file at this absolute path. */
  async recall(
    path: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<KnownFiles> {
    const key = keyOf(path);
    const folder = this.#folders().find((one) => equalBytes(one.key, key));
    if (!folder) return KnownFiles.none;
    const known = new KnownFiles();
    const turns = new Turns(signal);
    for (const name of pieceNames(folder)) {
      await turns.next();
      known.addPiece(asBuffer(this.#notes.get(name) ?? new Uint8Array()));
    }
    return known;
  }

  /** In place of what was known of this path. Other folders are forgotten to make room. */
  remember(path: string, files: ReadonlyMap<string, KnownFile>): Promise<void> {
    const writing = this.#writing.then(() => this.#remember(keyOf(path), files));
    this.#writing = writing.catch(() => undefined); // whoever asked for it gets the reason
    return writing;
  }

  async #remember(key: Bytes, files: ReadonlyMap<string, KnownFile>): Promise<void> {
    const folders = this.#folders();
    const own: RememberedFolder = { key, files: files.size, usedMs: this.#clock.unixMs() };
    const others = folders.filter((one) => !equalBytes(one.key, key));
    const kept = files.size > 0 ? fitting(own, others) : others;
    const names = new Set(kept.flatMap(pieceNames));
    const surplus = folders.flatMap(pieceNames).filter((name) => !names.has(name));
    // In this order, so that after a crash every piece that there still is stands in the list.
    const writes: Promise<void>[] = []; // BOUNDED by the pieces of a folder
    if (surplus.length > 0) writes.push(this.#notes.removeAll(surplus));
    writes.push(this.#notes.put(indexName, concatBytes(...kept.map(encodeFolder))));
    const entries = [...files];
    for (const [i, name] of pieceNames(own).entries()) {
      const piece = encodePiece(entries.slice(i * entriesPerPiece, (i + 1) * entriesPerPiece));
      const before = this.#notes.get(name);
      if (!before || !equalBytes(before, piece)) writes.push(this.#notes.put(name, piece));
    }
    await Promise.all(writes);
  }

  /** Last used first. What cannot be read is as good as nothing. */
  #folders(): RememberedFolder[] {
    const list = asBuffer(this.#notes.get(indexName) ?? new Uint8Array());
    const folders: RememberedFolder[] = []; // BOUNDED by foldersMax
    for (let at = 0; at + folderEntryBytes <= list.length; at += folderEntryBytes) {
      const files = Math.min(list.readUInt32BE(at + keyBytes), filesMax);
      const usedMs = list.readDoubleBE(at + keyBytes + 4);
      folders.push({ key: list.subarray(at, at + keyBytes), files, usedMs });
      if (folders.length === foldersMax) break;
    }
    return folders;
  }
}

function keyOf(path: string): Bytes {
  return sha256(utf8(path)).subarray(0, keyBytes);
}

function pieceNames({ key, files }: RememberedFolder): string[] {
  const count = Math.ceil(files / entriesPerPiece);
  return Array.from({ length: count }, (_, i) => `import/${toHex(key)}/${i}`);
}

/** As many as there is room for, `first` and those used last before the others. */
function fitting(first: RememberedFolder, others: readonly RememberedFolder[]): RememberedFolder[] {
  let left = entriesMax - first.files;
  const kept = [first];
  for (const folder of others.toSorted((a, b) => b.usedMs - a.usedMs)) {
    left -= folder.files;
    if (left < 0 || kept.length === foldersMax) break;
    kept.push(folder);
  }
  return kept;
}

function encodeFolder({ key, files, usedMs }: RememberedFolder): Bytes {
  const entry = Buffer.alloc(folderEntryBytes);
  entry.set(key);
  entry.writeUInt32BE(files, keyBytes);
  entry.writeDoubleBE(usedMs, keyBytes + 4);
  return entry;
}

function encodePiece(files: readonly (readonly [string, KnownFile])[]): Bytes {
  const piece = Buffer.alloc(files.length * entryBytes);
  for (const [i, [stamp, { hash, depth, total }]] of files.entries()) {
    const at = i * entryBytes;
    piece.write(stamp, at, 'latin1');
    piece.set(hash, at + stampBytes);
    piece.writeUInt8(depth, at + stampBytes + hashBytes);
    piece.writeUIntBE(total, at + stampBytes + hashBytes + 1, 6);
  }
  return piece;
}
