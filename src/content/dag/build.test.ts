import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { importer, type ImportCandidate } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import type { CID } from 'multiformats/cid';
import { toHex, utf8 } from '../../base/bytes.ts';
import { MemoryBlocks } from '../../../test/support/memory-blocks.ts';
import { buildFolder, chunkBytes, FileBuilder, type NamedBuilt } from './build.ts';
import { cidOf } from './root.ts';

/** The reference: what the common UnixFS importer makes of the same content. */
async function reference(candidates: ImportCandidate[], wrap: boolean): Promise<CID> {
  const store = { put: (cid: CID): Promise<CID> => Promise.resolve(cid) };
  let last: CID | undefined;
  const options = {
    cidVersion: 1 as const,
    rawLeaves: true,
    wrapWithDirectory: wrap,
    chunker: fixedSize({ chunkSize: chunkBytes }),
  };
  for await (const { cid } of importer(candidates, store, options)) last = cid;
  return last ?? assert.fail('the reference made nothing');
}

function contentOf(length: number): Buffer {
  const seed = createHash('sha256').update(String(length)).digest();
  const bytes = Buffer.alloc(length);
  for (let at = 0; at < length; at += 32) seed.copy(bytes, at);
  for (let at = 0; at + 4 < length; at += chunkBytes) bytes.writeUInt32BE(at, at);
  return bytes;
}

async function build(content: Buffer): Promise<{ cid: string; size: number; depth: number }> {
  const blocks = new MemoryBlocks();
  const builder = new FileBuilder((block) => blocks.putAll([block]));
  for (let at = 0; at < content.length; at += chunkBytes) {
    await builder.add(content.subarray(at, at + chunkBytes));
  }
  const built = await builder.finish();
  return { cid: cidOf(built).toString(), size: built.size, depth: built.depth };
}

const sizes = [0, 1, 1000, chunkBytes - 1, chunkBytes, chunkBytes + 1, chunkBytes * 2];
for (const size of [...sizes, chunkBytes * 174, chunkBytes * 174 + 1, chunkBytes * 348]) {
  test(`a file of ${size} bytes has the root that others give it`, async () => {
    const content = contentOf(size);
    const built = await build(content);
    const expected = await reference([{ path: 'f', content }], false);
    assert.equal(built.cid, expected.toString());
    assert.equal(built.size, size);
  });
}

async function nameFiles(count: number): Promise<{ built: NamedBuilt[]; blocks: MemoryBlocks }> {
  const blocks = new MemoryBlocks();
  const sink = (block: Parameters<MemoryBlocks['putAll']>[0][number]): Promise<void> =>
    blocks.putAll([block]);
  const built: NamedBuilt[] = [];
  for (let i = 0; i < count; i++) {
    const builder = new FileBuilder(sink);
    await builder.add(utf8(`content ${i % 7}`));
    built.push({ ...(await builder.finish()), name: nameOf(i) });
  }
  return { built, blocks };
}

function nameOf(i: number): string {
  return `größe-${toHex(utf8(String(i)))}-a-name-that-takes-some-room-${i}.html`;
}

// 3000 are sharded, and so are most of their shards.
for (const count of [1, 20, 3000]) {
  test(`a folder of ${count} files has the root that others give it`, async () => {
    const { built, blocks } = await nameFiles(count);
    const folder = await buildFolder(built.toReversed(), (block) => blocks.putAll([block]));
    const candidates = built.map(({ name }, i) => ({
      path: name,
      content: utf8(`content ${i % 7}`),
    }));
    const expected = await reference(candidates, true);
    assert.equal(cidOf(folder).toString(), expected.toString());
  });
}
