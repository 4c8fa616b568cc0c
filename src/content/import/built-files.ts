/**
 * What the files of a site were made into, until its folders are made: packed, as objects for
 * 100,000 files would take 60 MB. It knows no folders, and nothing of how files are read.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { BuiltFile } from '../dag/build.ts';
import type { ReadFile } from './read-files.ts';
import type { ScannedFile } from './scanned.ts';

const hashBytes = 32;
/** After the hash: total f64, size f64, depth u8, whether it is settled u8. */
const totalAt: number = hashBytes;
const sizeAt: number = totalAt + 8;
const depthAt: number = sizeAt + 8;
const settledAt: number = depthAt + 1;
const entryBytes: number = settledAt + 1;
/** Memory grows by a piece at a time, so that nothing is copied. */
const entriesPerPiece = 1024;

export class BuiltFiles {
  readonly #places = new Map<ScannedFile, number>(); // BOUNDED by filesMax
  readonly #pieces: Buffer[] = []; // BOUNDED likewise
  /** Of files that became others between being listed and being read. BOUNDED likewise. */
  readonly #says = new Map<ScannedFile, string>();
  #bytes = 0;

  /** How many there are, and the bytes of their content. */
  get done(): { readonly files: number; readonly bytes: number } {
    return { files: this.#places.size, bytes: this.#bytes };
  }

  /** Once for each file. */
  add(file: ScannedFile, { built, says, settled }: ReadFile): void {
    const place = this.#places.size;
    if (place % entriesPerPiece === 0)
      this.#pieces.push(Buffer.alloc(entriesPerPiece * entryBytes));
    this.#places.set(file, place);
    const { piece, at } = this.#entry(place);
    piece.set(built.hash, at);
    piece.writeDoubleBE(built.total, at + totalAt);
    piece.writeDoubleBE(built.size, at + sizeAt);
    piece.writeUInt8(built.depth, at + depthAt);
    piece.writeUInt8(settled ? 1 : 0, at + settledAt);
    if (says !== file.says) this.#says.set(file, says);
    this.#bytes += built.size;
  }

  get(file: ScannedFile): ReadFile | undefined {
    const place = this.#places.get(file);
    if (place === undefined) return undefined;
    const { piece, at } = this.#entry(place);
    const depth = piece.readUInt8(at + depthAt);
    const hash: Bytes = piece.subarray(at, at + hashBytes);
    const built: BuiltFile = {
      codec: depth === 1 ? 'raw' : 'dag-pb', // a file of one block is its only leaf
      hash,
      total: piece.readDoubleBE(at + totalAt),
      size: piece.readDoubleBE(at + sizeAt),
      depth,
    };
    const settled = piece.readUInt8(at + settledAt) === 1;
    return { built, says: this.#says.get(file) ?? file.says, settled };
  }

  #entry(place: number): { readonly piece: Buffer; readonly at: number } {
    const piece = this.#pieces[Math.floor(place / entriesPerPiece)];
    if (!piece) throw new RangeError('no such file'); // places are given out by add() alone
    return { piece, at: (place % entriesPerPiece) * entryBytes };
  }
}
