import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { auditStore } from '../../test/support/store-audit.ts';
import { openTestStore } from '../../test/support/store-folder.ts';
import { isFull, linkOf } from '../../test/support/store-holdings.ts';
import type { Bytes } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { sha256 } from '../base/hash.ts';
import { silentLogger } from '../base/logger.ts';
import type { Block } from '../content/ports.ts';
import { DiskThread, type DiskThreadOptions } from './disk-thread.ts';
import { PackFiles } from './pack-files.ts';
import { layOut } from './pack-layout.ts';
import type { Store } from './store.ts';

const blockBytes = 64 * 1024;
const dyingProgram = new URL('../../test/support/dying-worker.ts', import.meta.url);

function sharedBlock(n: number): Block {
  const bytes = new Uint8Array(new SharedArrayBuffer(blockBytes)).fill(n);
  return { hash: sha256(bytes), bytes };
}

interface Asked {
  matches(hash: Bytes, bytes: Bytes): Promise<boolean> | undefined;
}

/** Asks until the worker takes it: with its answer, which is yet to come. */
async function untilItTakes(
  thread: Asked,
  { hash, bytes } = sharedBlock(0),
): Promise<{ readonly answer: Promise<boolean> }> {
  for (;;) {
    const answer = thread.matches(hash, bytes);
    if (answer) return { answer };
    await setImmediate();
  }
}

async function untilItRuns(thread: Asked, block = sharedBlock(0)): Promise<boolean> {
  return (await untilItTakes(thread, block)).answer;
}

function startThread(t: TestContext, options: Partial<DiskThreadOptions> = {}): DiskThread {
  const { timers } = systemWorld;
  const thread = new DiskThread({ timers, log: silentLogger, worthwhileBytes: 1, ...options });
  atEnd(t, () => thread.stop());
  return thread;
}

describe('a disk thread', () => {
  test('tells right blocks from wrong ones', async (t) => {
    const thread = startThread(t);
    await untilItRuns(thread);
    const [right, other] = [sharedBlock(1), sharedBlock(2)];
    const found = [right, other].map(({ bytes }) => thread.matches(right.hash, bytes));
    assert.deepEqual([await found[0], await found[1]], [true, false]);
  });

  test('is not there for little, nor for memory that it cannot see', async (t) => {
    const thread = startThread(t, { worthwhileBytes: 3 * blockBytes });
    const { hash, bytes } = sharedBlock(1);
    const own = Uint8Array.from(bytes);
    for (let i = 0; i < 10; i++) assert.equal(thread.matches(hash, own), undefined);
    for (let i = 0; i < 2; i++) assert.equal(thread.matches(hash, bytes), undefined);
    const file = { name: path.join(temporaryFolder(t), 'a'), parts: [bytes] };
    assert.deepEqual(await thread.write([file]), [file]);
    assert.equal(await untilItRuns(thread, { hash, bytes }), true);
    const copied = { ...file, parts: [own] };
    assert.deepEqual(await thread.write([file, copied]), [copied]);
  });

  test('makes files and the folders that they are in, and makes them anew', async (t) => {
    const thread = startThread(t);
    await untilItRuns(thread);
    const name = path.join(temporaryFolder(t), 'ab', 'file');
    for (const n of [1, 2]) {
      const { bytes } = sharedBlock(n);
      assert.deepEqual(await thread.write([{ name, parts: [bytes] }]), []);
      assert.deepEqual(new Uint8Array(readFileSync(name)), Uint8Array.from(bytes));
    }
  });

  test('ends when nothing is asked any more, and comes back', async (t) => {
    const world = manualWorld();
    const thread = startThread(t, { timers: world.timers, worthwhileBytes: 2 * blockBytes });
    const { hash, bytes } = sharedBlock(1);
    await untilItRuns(thread);
    world.advance(5000);
    assert.ok(thread.matches(hash, bytes), 'it was used in this period');
    while (world.pendingTimers() > 0) {
      world.advance(5000);
      await setImmediate();
    }
    assert.equal(thread.matches(hash, bytes), undefined);
    assert.equal(await untilItRuns(thread), true);
  });

  test('verifies what comes while it makes many files', async (t) => {
    const thread = startThread(t);
    await untilItRuns(thread);
    const { hash, bytes } = sharedBlock(1);
    const folder = temporaryFolder(t);
    const files = Array.from({ length: 200 }, (_, i) => ({
      name: path.join(folder, `${i}`),
      parts: [bytes],
    }));
    const order: string[] = [];
    const written = thread.write(files).then(() => order.push('files'));
    await thread.matches(hash, bytes)?.then(() => order.push('hash'));
    await written;
    assert.deepEqual(order, ['hash', 'files']);
  });

  test('answers all that it was asked before it stops', async (t) => {
    const thread = startThread(t);
    await untilItRuns(thread);
    const { hash, bytes } = sharedBlock(1);
    const name = path.join(temporaryFolder(t), 'file');
    const asked = Array.from({ length: 50 }, () => thread.matches(hash, bytes));
    const written = thread.write([{ name, parts: [bytes] }]);
    await thread.stop();
    for (const answer of asked) assert.equal(await answer, true);
    assert.deepEqual(await written, []);
    assert.equal(thread.matches(hash, bytes), undefined);
    await thread.stop();
  });

  test('that dies leaves its work to this one, and says so once', async (t) => {
    const said: string[] = [];
    const log = { ...silentLogger, warn: (message: string) => said.push(message) };
    const thread = startThread(t, { program: dyingProgram, log });
    assert.equal(await untilItRuns(thread), true, 'this one has looked itself');
    const { hash, bytes } = sharedBlock(1);
    assert.equal(thread.matches(hash, bytes), undefined);
    assert.equal(said.length, 1);
  });

  test('that dies while it writes leaves all files to this one', async (t) => {
    const folder = temporaryFolder(t);
    const thread = startThread(t, { program: dyingProgram });
    const blocks = [1, 2, 3].map(sharedBlock);
    const [first] = blocks;
    const files = new PackFiles(folder, thread);
    atEnd(t, () => files.close());
    const packs = [1, 2].map((number) => layOut(blocks, number));
    const { answer } = await untilItTakes(thread, first);
    await files.writeAll(packs); // asked before it is known that it dies
    assert.equal(await answer, true);
    for (const { lines } of packs) {
      for (const [i, { place }] of lines.entries()) {
        assert.deepEqual(files.read(place), Buffer.from(blocks[i]?.bytes ?? []));
      }
    }
  });
});

const refusals: readonly {
  readonly code: string;
  /** Makes a place where no file can be written; gives its name. */
  readonly prepare: (folder: string) => string;
  readonly skip?: boolean;
}[] = [
  {
    code: 'ENOSPC',
    skip: process.platform !== 'linux',
    prepare: (folder) => {
      const name = path.join(folder, 'full');
      symlinkSync('/dev/full', name);
      return name;
    },
  },
  {
    code: 'EACCES',
    skip: process.getuid?.() === 0,
    prepare: (folder) => {
      chmodSync(folder, 0o500);
      return path.join(folder, 'file');
    },
  },
  {
    code: 'EISDIR',
    prepare: (folder) => {
      mkdirSync(path.join(folder, 'folder'));
      return path.join(folder, 'folder');
    },
  },
  {
    code: 'ENOTDIR',
    prepare: (folder) => {
      writeFileSync(path.join(folder, 'file'), '');
      return path.join(folder, 'file', 'below');
    },
  },
];

for (const { code, prepare, skip = false } of refusals) {
  test(`a disk thread tells ${code} as the system does`, { skip }, async (t) => {
    const thread = startThread(t);
    await untilItRuns(thread);
    const { hash, bytes } = sharedBlock(1);
    const name = prepare(temporaryFolder(t));
    await assert.rejects(thread.write([{ name, parts: [bytes] }]), { code });
    assert.equal(await thread.matches(hash, bytes), true, 'it goes on');
  });
}

/** A store with a worker that runs. */
async function storeWithThread(
  t: TestContext,
  budgetBytes?: number,
): Promise<{ readonly folder: string; readonly store: Store }> {
  const folder = temporaryFolder(t);
  const store = await openTestStore(folder, { budgetBytes });
  atEnd(t, () => store.close());
  await untilItRuns(store.verifier);
  return { folder, store };
}

async function assertSound(folder: string, blocks: number): Promise<void> {
  const audit = await auditStore(folder);
  assert.deepEqual(audit.problems, []);
  assert.equal(audit.orphans, 0);
  assert.equal(audit.blocks, blocks);
}

describe('a store with a disk thread', () => {
  test('has all that was put, and counts it as ever', async (t) => {
    const { folder, store } = await storeWithThread(t);
    const blocks = [1, 2, 3].map(sharedBlock);
    const writes = t.mock.method(DiskThread.prototype, 'write');
    const holding = await store.holdings.open({ kind: 'visited', root: linkOf('site') });
    await holding.putAll(blocks);
    await holding.close();
    assert.deepEqual(await writes.mock.calls[0]?.result, [], 'the thread has written them');
    for (const { hash, bytes } of blocks) {
      assert.deepEqual(store.blocks.get(hash), Buffer.from(bytes));
    }
    await store.close();
    await assertSound(folder, 3);
  });

  test('refuses what does not fit before anything is written', async (t) => {
    const { folder, store } = await storeWithThread(t, 3 * blockBytes);
    const writes = t.mock.method(DiskThread.prototype, 'write');
    await using holding = await store.holdings.open({ kind: 'own', root: linkOf('site') });
    await assert.rejects(holding.putAll([1, 2, 3, 4].map(sharedBlock)), isFull);
    assert.equal(writes.mock.callCount(), 0);
    await holding.close();
    await store.close();
    await assertSound(folder, 0);
  });

  test(
    'is as it was when the disk turns out to be full',
    { skip: process.platform !== 'linux' },
    async (t) => {
      const { folder, store } = await storeWithThread(t);
      const blocks = [1, 2, 3].map(sharedBlock);
      const packs = path.join(folder, 'store/packs');
      mkdirSync(packs, { recursive: true });
      symlinkSync('/dev/full', path.join(packs, '00000001'));
      await using holding = await store.holdings.open({ kind: 'own', root: linkOf('site') });
      await assert.rejects(holding.putAll(blocks), { code: 'DISK_FULL' });
      await holding.putAll(blocks); // what was in the way has been removed with the rest
      await holding.close();
      await store.close();
      await assertSound(folder, 0);
    },
  );

  test('ends its thread when it is closed, whatever was asked', async (t) => {
    const { store } = await storeWithThread(t);
    const { hash, bytes } = sharedBlock(1);
    const holding = await store.holdings.open({ kind: 'visited', root: linkOf('site') });
    const asked = store.verifier.matches(hash, bytes);
    const put = holding.putAll([{ hash, bytes }]);
    await store.close();
    assert.equal(await asked, true);
    await put;
    assert.equal(store.verifier.matches(hash, bytes), undefined);
  });
});
