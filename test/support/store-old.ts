/** A store as version 1 has written it, made without the code of today. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { open } from 'lmdb';
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import { sha256 } from '../../src/base/hash.ts';

/** Of its blocks. */
export const oldSizes: readonly number[] = [40, 700, 3000, 4096, 20_000, 300_000];

/** The first block is an own root, the second a visited one; the others belong to neither. */
export async function writeOldStore(folder: string): Promise<Bytes[]> {
  const store = path.join(folder, 'store');
  mkdirSync(store, { recursive: true });
  const root = open<Buffer, Buffer>({
    path: path.join(store, 'index.mdb'),
    noSubdir: true,
    maxDbs: 16,
  });
  const table = (name: string): ReturnType<typeof root.openDB<Buffer, Buffer>> =>
    root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
  const hashes = oldSizes.map((size, i) => {
    const bytes = Buffer.alloc(size, i + 1);
    const hash = Buffer.from(sha256(bytes));
    const length = Buffer.alloc(5, 1);
    length.writeUInt32BE(size, 1);
    const isInline = size <= 4096;
    table('blocks').putSync(hash, isInline ? Buffer.concat([Buffer.of(0), bytes]) : length);
    if (isInline) return hash;
    const name = toHex(hash);
    mkdirSync(path.join(store, 'blocks', name.slice(0, 2)), { recursive: true });
    writeFileSync(path.join(store, 'blocks', name.slice(0, 2), name), bytes);
    return hash;
  });
  for (const [i, own] of [1, 0].entries()) {
    const value = Buffer.alloc(26);
    value.writeUInt8(1, 0);
    value.writeUInt8(own, 1);
    value.writeDoubleBE(3, 2);
    value.writeDoubleBE(1234, 10);
    value.writeDoubleBE(1_700_000_000_000, 18);
    table('roots').putSync(hashes[i] ?? Buffer.alloc(32), value);
  }
  const counts = Buffer.alloc(16);
  counts.writeDoubleBE(oldSizes.length, 0);
  table('meta').putSync(Buffer.from('block-counts'), counts);
  table('meta').putSync(Buffer.from('schema-version'), Buffer.of(0, 0, 0, 1));
  await root.close();
  return hashes;
}
