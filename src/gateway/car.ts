/**
 * Blocks as a CAR of version 1 (https://ipld.io/specs/transport/car/carv1/), one block in memory at
 * a time. It knows neither HTTP nor which blocks belong together.
 */
import type { CID } from 'multiformats/cid';
import type { Bytes } from '../base/bytes.ts';
import type { DagBlock } from '../content/types.ts';

/** The archive as it is made. Rejects like `blocks`. */
export async function* formatCar(
  root: CID,
  blocks: AsyncIterable<DagBlock>,
): AsyncGenerator<Bytes, void, undefined> {
  yield await formatHeader(root);
  for await (const { cid, bytes } of blocks) yield formatSection(cid, bytes);
}

/** Few ask for archives: what writes their head is loaded for the first of them. */
async function formatHeader(root: CID): Promise<Bytes> {
  const { createWriter, headerLength } = await import('@ipld/car/buffer-writer');
  const roots = [root];
  const memory = new ArrayBuffer(headerLength({ roots }));
  return createWriter(memory, { roots }).close();
}

/** The length of CID and block as a varint, then both. */
function formatSection(cid: CID, bytes: Bytes): Bytes {
  const length = cid.bytes.length + bytes.length;
  const prefix: number[] = []; // BOUNDED by the digits of a length
  let rest = length;
  for (; rest > 0x7f; rest >>>= 7) prefix.push((rest & 0x7f) | 0x80);
  prefix.push(rest);
  const section = new Uint8Array(prefix.length + length);
  section.set(prefix);
  section.set(cid.bytes, prefix.length);
  section.set(bytes, prefix.length + cid.bytes.length);
  return section;
}
