import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { manualWorld } from '../../test/support/manual-world.ts';
import { sha256 } from '../base/hash.ts';
import { MemoryBlocks } from '../../test/support/memory-blocks.ts';
import { BlockWriter } from './block-writer.ts';
import type { Block } from './ports.ts';

function someBlock(length = 1000): Block {
  const bytes = randomBytes(length);
  return { hash: sha256(bytes), bytes };
}

test('each of several who finish waits for what all of them added', async () => {
  const blocks = new MemoryBlocks();
  const disk = Promise.withResolvers<void>();
  blocks.beforePut = () => disk.promise;
  const writer = new BlockWriter(blocks);
  void writer.add(someBlock());
  let finished = 0;
  const all = [1, 2, 3].map(async () => {
    await writer.finish();
    finished++;
  });
  for (let turn = 0; turn < 10; turn++) await setImmediate();
  assert.equal(finished, 0);
  disk.resolve();
  await Promise.all(all);
  assert.equal(blocks.size, 1);
});

test('what the store said is told to each of those who finish', async () => {
  const blocks = new MemoryBlocks();
  blocks.beforePut = () => Promise.reject(new Error('no room'));
  const writer = new BlockWriter(blocks);
  void writer.add(someBlock());
  for (let i = 0; i < 3; i++) await assert.rejects(writer.finish(), /no room/);
  assert.ok(writer.hasFailed);
});

/** The sizes of the batches, in blocks of 256 KiB, of which one comes every so many milliseconds. */
async function batchesAt(msPerBlock: readonly number[]): Promise<number[]> {
  const sizes: number[] = []; // BOUNDED by the test
  const putAll = (blocks: readonly Block[]): Promise<void> => {
    sizes.push(blocks.length);
    return Promise.resolve();
  };
  const world = manualWorld();
  const swift = { clock: world.clock, bytesMax: 8 * 1024 * 1024 };
  const writer = new BlockWriter({ putAll }, { swift });
  const block = someBlock(256 * 1024);
  for (const ms of msPerBlock) {
    world.advance(ms);
    await writer.add(block);
  }
  return sizes;
}

test('batches grow to 2 MiB, and further as long as they fill fast', async () => {
  const slow = await batchesAt(Array.from({ length: 47 }, () => 50));
  assert.deepEqual(slow, [1, 2, 4, 8, 8, 8, 8, 8]);
  const fast = await batchesAt(Array.from({ length: 127 }, () => 1));
  assert.deepEqual(fast, [1, 2, 4, 8, 16, 32, 32, 32]);
  const slower = await batchesAt(Array.from({ length: 119 }, (_, n) => (n < 63 ? 1 : 50)));
  assert.deepEqual(slower, [1, 2, 4, 8, 16, 32, 32, 16, 8]);
});
