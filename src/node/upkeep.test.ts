import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryNotes } from '../../test/support/link-net.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { silentLogger } from '../base/logger.ts';
import type { TableEntry } from '../dht/table/table.ts';
import { contactOf } from '../identity/contact.ts';
import { rememberedPeers } from './memory.ts';
import { Upkeep } from './upkeep.ts';

function entry(n: number): TableEntry {
  const endpoint = { ip: Uint8Array.of(10, 0, 0, n), port: 9000 };
  return {
    contact: contactOf(new Uint8Array(32).fill(n), endpoint),
    rttMs: 1,
    seenMs: n,
    misses: 0,
  };
}

function bench(notes = new MemoryNotes()) {
  const world = manualWorld();
  const it = {
    world,
    notes,
    addresses: ['/ip4/10.0.0.1/tcp/1'],
    entries: [] as TableEntry[],
    announced: 0,
    failure: undefined as Error | undefined,
    reprovide: (_signal: AbortSignal): Promise<void> => {
      it.announced++;
      return it.failure ? Promise.reject(it.failure) : Promise.resolve();
    },
  };
  const upkeep = new Upkeep({
    notes,
    table: { entries: () => it.entries },
    lost: () => [],
    reachableAt: () => [],
    addresses: () => it.addresses,
    reprovide: ({ signal }) => it.reprovide(signal),
    world,
    log: silentLogger,
  });
  return Object.assign(it, { upkeep });
}

test('who is met is noted while the node runs, those seen last first', async () => {
  const it = bench();
  it.upkeep.start();
  it.entries = [entry(1), entry(3), entry(2)];
  await it.world.advanceAsync(60_000);
  assert.deepEqual(
    rememberedPeers(it.notes).map(({ publicKey }) => publicKey[0]),
    [3, 2, 1],
  );
  it.entries = [entry(4)];
  await it.upkeep.stop();
  assert.equal(rememberedPeers(it.notes)[0]?.publicKey[0], 4);
  assert.equal(it.world.pendingTimers(), 0);
});

test('new addresses are announced: at the start, and when they change later', async () => {
  const it = bench();
  it.upkeep.start();
  await it.world.advanceAsync(600_000);
  assert.equal(it.announced, 1);
  it.addresses = [];
  await it.world.advanceAsync(60_000);
  assert.equal(it.announced, 1, 'off the network there is nothing to say');
  it.addresses = ['/ip4/10.0.0.2/tcp/1'];
  await it.world.advanceAsync(60_000);
  assert.equal(it.announced, 2);
  await it.upkeep.stop();
  const next = bench(it.notes);
  next.addresses = it.addresses;
  next.upkeep.start();
  await next.world.advanceAsync(600_000);
  assert.equal(next.announced, 0, 'the next run knows');
  await next.upkeep.stop();
});

test('addresses that change again and again are announced ever less often', async () => {
  const it = bench();
  it.upkeep.start();
  for (let seconds = 0; seconds < 600; seconds++) {
    it.addresses = [`/ip4/10.0.0.1/tcp/${seconds + 1}`];
    it.upkeep.addressesChanged();
    await it.world.advanceAsync(1000);
  }
  assert.ok(it.announced <= 18, `${it.announced} in ten minutes`);
  await it.world.advanceAsync(600_000);
  const before = it.announced;
  for (const last of [7, 8]) {
    it.addresses = [`/ip4/10.0.0.${last}/tcp/1`];
    it.upkeep.addressesChanged();
    await it.world.advanceAsync(1);
  }
  assert.equal(it.announced, before + 2, 'after a calm time at once again');
  await it.upkeep.stop();
});

test('one relay after another may fail: each that comes instead is announced at once', async () => {
  const it = bench();
  it.upkeep.start();
  const [a, b, c, d] = [1, 2, 3, 4].map((last) => `/ip4/45.0.0.${last}/tcp/1`);
  assert.ok(a !== undefined && b !== undefined && c !== undefined && d !== undefined);
  const become = async (addresses: string[], afterMs: number): Promise<void> => {
    it.addresses = addresses;
    it.upkeep.addressesChanged();
    await it.world.advanceAsync(afterMs);
  };
  await become([a], 0);
  await become([a, b], 1000);
  const before = it.announced;
  await become([b], 500);
  assert.equal(it.announced, before, 'whoever reads the record finds the other one');
  await become([b, c], 1000);
  assert.equal(it.announced, before + 1);
  await become([c], 500);
  await become([c, d], 1000);
  assert.equal(it.announced, before + 2);
  await it.upkeep.stop();
});

test('an announcement under which all ways are lost begins anew', async () => {
  const it = bench();
  const heard: AbortSignal[] = [];
  it.reprovide = (signal) => {
    heard.push(signal);
    const { promise, reject } = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => reject(signal.reason as Error));
    return promise;
  };
  it.upkeep.start();
  await it.world.advanceAsync(1);
  it.addresses = [...it.addresses, '/ip4/45.0.0.2/tcp/1'];
  it.upkeep.addressesChanged();
  await it.world.advanceAsync(5000);
  assert.equal(heard.length, 1, 'what it announces leads here still');
  it.addresses = ['/ip4/45.0.0.3/tcp/1'];
  it.upkeep.addressesChanged();
  await it.world.advanceAsync(1);
  assert.deepEqual(
    heard.map(({ aborted }) => aborted),
    [true, false],
  );
  await it.upkeep.stop();
});

test('an announcement that failed is tried again, also by the next run', async () => {
  const it = bench();
  it.failure = new Error('no');
  it.upkeep.start();
  await it.world.advanceAsync(1);
  assert.equal(it.announced, 1);
  it.failure = undefined;
  await it.world.advanceAsync(60_000);
  assert.equal(it.announced, 2);
  await it.upkeep.stop();
});

test('a disk that is full at the end does not keep the node from stopping', async () => {
  const it = bench();
  it.entries = [entry(1)];
  it.notes.put = () => Promise.reject(new Error('full'));
  it.upkeep.start();
  await it.upkeep.stop();
  await it.upkeep.stop();
});
