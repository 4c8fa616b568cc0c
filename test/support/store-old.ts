/** Stores as older versions have written them, made without the code of today. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { open } from 'lmdb';
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import { sha256 } from '../../src/base/hash.ts';
import type { Block } from '../../src/content/ports.ts';
import { block, linkOf } from './store-holdings.ts';

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

/** Version 3: the complete, visited root "three" names blocks that have files of their own. */
export async function writeStore3(folder: string): Promise<Block[]> {
  const store = path.join(folder, 'store');
  mkdirSync(store, { recursive: true });
  const file = path.join(store, 'index.mdb');
  const environment = open<Buffer, Buffer>({ path: file, noSubdir: true, maxDbs: 16 });
  const put = async (name: string, key: Uint8Array, value: Buffer): Promise<void> => {
    const how = { name, encoding: 'binary', keyEncoding: 'binary' } as const;
    await environment.openDB<Buffer, Buffer>(how).put(Buffer.from(key), value);
  };
  const blocks = [9000, 12_000, 300_000].map((size) => block(`of ${size}`, size));
  let [bytes, cost, files] = [0, 512, 0];
  for (const one of blocks) {
    const { length } = one.bytes;
    const pages = Math.ceil(length / 4096) * 4096;
    bytes += length;
    files += pages;
    cost += pages + 96 + 128;
    const name = toHex(one.hash);
    mkdirSync(path.join(store, 'blocks', name.slice(0, 2)), { recursive: true });
    writeFileSync(path.join(store, 'blocks', name.slice(0, 2), name), one.bytes);
    await put('blocks', one.hash, Buffer.concat([Buffer.of(1), uint32(length)]));
    await put('members', Buffer.concat([uint32(1), one.hash]), Buffer.alloc(0));
  }
  const { hash } = linkOf('three');
  const head = Buffer.from([1, 2, 1, 1]); // complete, visited, raw, has a root
  const numbers = floats([1, bytes, 1_700_000_000_000, 1_700_000_000_000, 0, cost]);
  await put('holdings', uint32(1), Buffer.concat([head, numbers, hash]));
  await put('holding-roots', hash, uint32(1));
  await put('meta', Buffer.from('next-holding'), uint32(2));
  await put('meta', Buffer.from('block-totals'), floats([blocks.length, bytes, cost, 0, files]));
  await put('meta', Buffer.from('schema-version'), uint32(3));
  await environment.close();
  return blocks;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function floats(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeDoubleBE(value, 8 * i);
  return bytes;
}
