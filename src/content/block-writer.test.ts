import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { sha256 } from '../base/hash.ts';
import { MemoryBlocks } from '../../test/support/memory-blocks.ts';
import { BlockWriter } from './block-writer.ts';
import type { Block } from './ports.ts';

function someBlock(): Block {
  const bytes = randomBytes(1000);
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
