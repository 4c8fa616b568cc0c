/**
 * Files as streams of bytes, whole or in part, one block in memory at a time. Where the blocks come
 * from is the caller's business.
 */
import { type Bytes, toHex } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Blocks } from '../ports.ts';
import { type ByteRange, overlaps, rangeFrom } from './byte-range.ts';
import { hashKey, type Link } from './root.ts';
import { Turns } from '../turns.ts';
import { decodeNode, type FilePart } from './unixfs.ts';
import { linksPendingMax, walkBlocksMax, walkDepthMax, type Want } from './walk.ts';

const pieceBytesMax = 1024 * 1024;

interface Place extends FilePart {
  /** Where in the file it begins. */
  readonly start: number;
  readonly depth: number;
}

/**
 * The bytes of a file of `size` bytes. `block` brings a block, verified. Throws CONTENT_BAD where
 * parts do not have the size that is said of them.
 */
export async function* readFile(
  file: FilePart,
  range: ByteRange,
  block: (link: Link) => Bytes | Promise<Bytes>,
): AsyncGenerator<Bytes, void, undefined> {
  const pending: Place[] = [{ ...file, start: 0, depth: 1 }]; // BOUNDED by linksPendingMax
  const turns = new Turns(); // a hostile file may have a byte in each block
  for (let place = pending.pop(); place; place = pending.pop()) {
    if (!overlaps(place, range)) continue;
    const turn = turns.next();
    if (turn) await turn;
    const node = decodeNode(place, await block(place));
    if (node.kind !== 'file' || node.size !== place.size) {
      throw contentBad(file, 'a part of a file is not what the file says it is');
    }
    yield* pieces(node.inline, { from: range.from - place.start, to: range.to - place.start });
    const parts = placeParts(place, node);
    if (place.depth > walkDepthMax || pending.length + parts.length > linksPendingMax) {
      throw contentBad(file, 'a file is nested too deep');
    }
    pending.push(...parts.toReversed());
  }
}

/**
 * What must still be fetched to read `range`, in order of the file. A part that comes again as a
 * whole is looked at once: a few blocks that repeat each other, level after level, may spell a file
 * of any size. Throws CONTENT_BAD when there are more than one want may bring.
 */
export async function* missingOfFile(
  blocks: Blocks,
  file: FilePart,
  range: ByteRange,
): AsyncGenerator<Want, void, undefined> {
  const pending: Place[] = [{ ...file, start: 0, depth: 1 }]; // BOUNDED by linksPendingMax
  const seen = new Set<string>(); // BOUNDED by walkBlocksMax
  const turns = new Turns();
  for (let place = pending.pop(); place; place = pending.pop()) {
    if (!overlaps(place, range) || place.depth > walkDepthMax) continue;
    const turn = turns.next();
    if (turn) await turn;
    const { codec, hash } = place;
    const isWhole = place.start >= range.from && place.start + place.size <= range.to;
    if (isWhole) {
      const key = hashKey(hash);
      if (seen.has(key)) continue;
      if (seen.size >= walkBlocksMax) throw contentBad(file, 'a file has too many blocks');
      seen.add(key);
    }
    if (codec === 'raw' && blocks.has(hash)) continue;
    const bytes = codec === 'raw' ? undefined : blocks.get(hash);
    if (bytes === undefined) {
      yield wantOf(place, isWhole ? undefined : rangeFrom(range, place.start));
      continue;
    }
    const node = decodeNode(place, bytes);
    const parts = node.kind === 'file' ? placeParts(place, node) : [];
    if (pending.length + parts.length <= linksPendingMax) pending.push(...parts.toReversed());
  }
}

/**
 * With what is below it, as far as it is wanted: so that no level costs a round trip of its own.
 */
function wantOf({ codec, hash }: Place, range: ByteRange | undefined): Want {
  const link = { codec, hash };
  if (codec === 'raw') return { link, level: 0, path: [], scope: 'block' };
  return { link, level: 0, path: [], scope: 'entity', ...(range && { range }) };
}

function placeParts(
  place: Place,
  { inline, parts }: { readonly inline: Bytes; readonly parts: readonly FilePart[] },
): Place[] {
  let start = place.start + inline.length;
  return parts.map((part) => {
    const placed = { ...part, start, depth: place.depth + 1 };
    start += part.size;
    return placed;
  });
}

function* pieces(bytes: Bytes, { from, to }: ByteRange): Generator<Bytes, void, undefined> {
  const end = Math.min(to, bytes.length);
  for (let at = Math.max(from, 0); at < end; at += pieceBytesMax) {
    yield bytes.subarray(at, Math.min(at + pieceBytesMax, end));
  }
}

function contentBad({ hash }: Link, why: string): AltNetError {
  return new AltNetError('CONTENT_BAD', { root: toHex(hash), why });
}
