/**
 * What imports remember: which file or folder, as the system described it, was made into what, so
 * that a folder that is published again is read only where it changed. Owns the form of the notes
 * (docs/spec/content.md, "Publishing again") and their bounds. It reads no files, and what it says
 * counts only while the blocks are here.
 */
import { asBuffer, type Bytes, concatBytes, equalBytes, toHex, utf8 } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { sha256 } from '../../base/hash.ts';
import { walkBlocksMax } from '../dag/walk.ts';
import { KnownRows, rowBytes } from './known-rows.ts';
import { Turns } from '../turns.ts';

/** The notes of the store. */
export interface ImportNotes {
  get(name: string): Bytes | undefined;
  /** All or none. */
  putAll(notes: readonly { readonly name: string; readonly value: Bytes }[]): Promise<void>;
  removeAll(names: readonly string[]): Promise<void>;
}

/** What is known of one folder. */
export interface KnownSite {
  /** Hash of what it was made into as a whole. */
  readonly root: Bytes | undefined;
  readonly rows: KnownRows;
}

export const unknownSite: KnownSite = { root: undefined, rows: KnownRows.none };

const rowsPerPiece = 1000;
const pieceBytes: number = rowsPerPiece * rowBytes;
/** Of all folders together: 22 MB. One alone may have more. */
const rowsMax = 400_000;
/** A block or two rows for each. */
const rowsMaxOfOne: number = 2 * walkBlocksMax;
const foldersMax = 64;
const keyBytes = 16;
const hashBytes = 32;
const folderEntryBytes: number = keyBytes + 4 + 8 + hashBytes;
const indexName = 'imports';

interface RememberedFolder {
  readonly key: Bytes;
  readonly rows: number;
  readonly usedMs: number;
  readonly root: Bytes;
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
  ): Promise<KnownSite> {
    const key = keyOf(path);
    const folder = this.#folder(key);
    if (!folder) return unknownSite;
    const pieces: Bytes[] = []; // BOUNDED by rowsMaxOfOne
    const turns = new Turns(signal);
    for (const name of pieceNames(folder)) {
      await turns.next();
      const piece = this.#notes.get(name);
      if (!piece) break;
      pieces.push(piece);
      if (piece.length !== pieceBytes) break; // what comes after it is not where it should be
    }
    // Rows of two imports would say of a folder that it holds what is in another one.
    if (!isSame(folder, this.#folder(key))) return unknownSite;
    return { root: folder.root, rows: new KnownRows(concatBytes(...pieces)) };
  }

  /** In place of what was known of this path. Other folders are forgotten to make room. */
  remember(path: string, site: { readonly root: Bytes; readonly rows: Bytes }): Promise<void> {
    const writing = this.#writing.then(() => this.#remember(keyOf(path), site));
    this.#writing = writing.catch(() => undefined); // whoever asked for it gets the reason
    return writing;
  }

  async #remember(
    key: Bytes,
    { root, rows }: { readonly root: Bytes; readonly rows: Bytes },
  ): Promise<void> {
    const folders = this.#folders();
    const count = rows.length / rowBytes;
    const own: RememberedFolder = { key, rows: count, usedMs: this.#clock.unixMs(), root };
    const others = folders.filter((one) => !equalBytes(one.key, key));
    const kept = count > 0 && count <= rowsMaxOfOne ? fitting(own, others) : others;
    const names = new Set(kept.flatMap(pieceNames));
    const surplus = folders.flatMap(pieceNames).filter((name) => !names.has(name));
    const list = concatBytes(...kept.map(encodeFolder));
    const notes = [{ name: indexName, value: list }]; // BOUNDED by the pieces of a folder
    for (const [i, name] of kept.includes(own) ? pieceNames(own).entries() : []) {
      const piece = rows.subarray(i * pieceBytes, (i + 1) * pieceBytes);
      const before = this.#notes.get(name);
      if (!before || !equalBytes(before, piece)) notes.push({ name, value: piece });
    }
    // In this order, so that after a crash every piece that there still is stands in the list.
    if (surplus.length > 0) await this.#notes.removeAll(surplus);
    await this.#notes.putAll(notes);
  }

  #folder(key: Bytes): RememberedFolder | undefined {
    return this.#folders().find((one) => equalBytes(one.key, key));
  }

  /** Last used first. What cannot be read is as good as nothing. */
  #folders(): RememberedFolder[] {
    const list = asBuffer(this.#notes.get(indexName) ?? new Uint8Array());
    const folders: RememberedFolder[] = []; // BOUNDED by foldersMax
    for (let at = 0; at + folderEntryBytes <= list.length; at += folderEntryBytes) {
      const rows = Math.min(list.readUInt32BE(at + keyBytes), rowsMaxOfOne);
      const usedMs = list.readDoubleBE(at + keyBytes + 4);
      const root = list.subarray(at + keyBytes + 12, at + folderEntryBytes);
      folders.push({ key: list.subarray(at, at + keyBytes), rows, usedMs, root });
      if (folders.length === foldersMax) break;
    }
    return folders;
  }
}

function keyOf(path: string): Bytes {
  return sha256(utf8(path)).subarray(0, keyBytes);
}

/** Whether nobody has remembered anything else of this folder in between. */
function isSame(one: RememberedFolder, other: RememberedFolder | undefined): boolean {
  if (!other) return false;
  return one.usedMs === other.usedMs && one.rows === other.rows && equalBytes(one.root, other.root);
}

function pieceNames({ key, rows }: RememberedFolder): string[] {
  const count = Math.ceil(rows / rowsPerPiece);
  return Array.from({ length: count }, (_, i) => `import/${toHex(key)}/${i}`);
}

/** As many as there is room for, `first` and those used last before the others. */
function fitting(first: RememberedFolder, others: readonly RememberedFolder[]): RememberedFolder[] {
  let left = rowsMax - first.rows;
  const kept = [first];
  for (const folder of others.toSorted((a, b) => b.usedMs - a.usedMs)) {
    left -= folder.rows;
    if (left < 0 || kept.length === foldersMax) break;
    kept.push(folder);
  }
  return kept;
}

function encodeFolder({ key, rows, usedMs, root }: RememberedFolder): Bytes {
  const entry = Buffer.alloc(folderEntryBytes);
  entry.set(key);
  entry.writeUInt32BE(rows, keyBytes);
  entry.writeDoubleBE(usedMs, keyBytes + 4);
  entry.set(root, keyBytes + 12);
  return entry;
}
