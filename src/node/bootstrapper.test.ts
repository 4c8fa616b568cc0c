import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { MemoryRecordStore } from '../../test/support/memory-store.ts';
import { boundSocket, replies, startNode, toyHandler } from '../../test/support/udp.ts';
import { formatEndpoint } from '../base/address.ts';
import { systemWorld } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { Dht } from '../dht/dht.ts';
import type { RequestHandler, Transport } from '../dht/ports.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import { networkProfiles } from '../record/network.ts';
import { type BootstrapAddress, parseBootstrapAddress } from './bootstrap.ts';
import { Bootstrapper } from './bootstrapper.ts';

test('a node joins through an address over real datagrams', async (t) => {
  const toy = toyHandler();
  // It knows nobody: whom it named, the node would ask as well, and wait for.
  const handler: RequestHandler = (from, request) =>
    request.method === 'find' ? { ...replies.find, contacts: [] } : toy(from, request);
  const server = await startNode(t, { n: 1, handler });
  const { transport, key } = await startNode(t, { n: 2 });
  const dht = new Dht({
    self: () => key,
    transport,
    records: new MemoryRecordStore(),
    world: systemWorld,
    profile: networkProfiles.local,
    network: new Uint8Array(16),
    log: silentLogger,
    contactRecord: () => undefined,
    isServer: () => true,
  });
  t.after(() => dht.stop());
  const deps = { transport, dht, world: systemWorld, log: silentLogger, remembered: () => [] };
  const address = parseBootstrapAddress(formatEndpoint(server.contact.endpoint));
  const bootstrapper = new Bootstrapper(deps, [address]);
  t.after(() => bootstrapper.stop());
  assert.equal(await bootstrapper.start(), 1);
  assert.deepEqual(dht.table.contacts(), [server.contact]);
});

/** A network of one kind of node, which is there or not. */
function bench(texts: readonly string[]) {
  const world = manualWorld();
  const asked: string[] = [];
  const joined: Contact[][] = [];
  const warnings: string[] = [];
  const it = {
    up: new Set<string>(),
    hanging: new Set<string>(),
    size: 0,
    remembered: [] as Contact[],
  };
  const identify: Transport['identify'] = (endpoint) => {
    const text = formatEndpoint(endpoint);
    asked.push(text);
    if (it.hanging.has(text)) return new Promise(() => undefined);
    const contact = contactOf(new Uint8Array(32).fill(endpoint.port & 255), endpoint);
    return it.up.has(text)
      ? Promise.resolve(contact)
      : Promise.reject(new AltNetError('TIMEOUT', { what: text, ms: 1 }));
  };
  const dht = {
    join: (seeds: readonly Contact[]): Promise<number> => {
      joined.push([...seeds]);
      it.size += seeds.length;
      return Promise.resolve(it.size);
    },
    table: {
      get size() {
        return it.size;
      },
    },
  };
  const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  const addresses: BootstrapAddress[] = texts.map(parseBootstrapAddress);
  const transport = { identify } as unknown as Transport;
  const deps = { transport, dht, world, log, remembered: () => it.remembered };
  return Object.assign(it, {
    world,
    asked,
    joined,
    warnings,
    bootstrapper: new Bootstrapper(deps, addresses),
  });
}

const [one, two] = ['10.0.0.1:9001', '10.0.0.2:9002'] as const;

test('a node that is alone tries again after 1, 2, 4 … 15 seconds or so, and says so once', async () => {
  const it = bench([one]);
  assert.equal(await it.bootstrapper.start(), 0);
  await it.world.advanceAsync(9000);
  assert.ok(it.asked.length >= 4 && it.asked.length <= 5, `${it.asked.length} tries`);
  it.asked.length = 0;
  await it.world.advanceAsync(600_000);
  assert.ok(it.asked.length >= 32 && it.asked.length <= 54, `${it.asked.length} tries`);
  it.up.add(one);
  await it.world.advanceAsync(19_000);
  assert.equal(it.size, 1);
  assert.deepEqual(it.warnings, ['bootstrap failed']);
  it.asked.length = 0;
  await it.world.advanceAsync(600_000);
  assert.deepEqual(it.asked, [], 'then it rests');
  it.size = 0;
  await it.world.advanceAsync(10_000);
  assert.equal(it.size, 1, 'until it is alone again');
  await it.bootstrapper.stop();
  assert.equal(it.world.pendingTimers(), 0);
});

test('an address where nobody was yet is tried also while others are known', async () => {
  const it = bench([one, two]);
  it.up.add(one);
  const earlier = contactOf(new Uint8Array(32).fill(9), {
    ip: Uint8Array.of(10, 0, 0, 9),
    port: 9009,
  });
  it.remembered = [earlier];
  assert.equal(await it.bootstrapper.start(), 2);
  it.up.add(two);
  await it.world.advanceAsync(10_000);
  assert.deepEqual(it.asked, [one, two, two]);
  assert.deepEqual(
    it.joined.map((seeds) => seeds.map(({ endpoint }) => endpoint.port)),
    [[9009], [9001], [9002]],
  );
  await it.world.advanceAsync(600_000);
  assert.equal(it.asked.length, 3, 'and then no more');
  await it.bootstrapper.stop();
});

test('while others are known, a dead address is tried once a minute or so', async () => {
  const it = bench([one, two]);
  it.up.add(one);
  await it.bootstrapper.start();
  await it.world.advanceAsync(600_000);
  it.asked.length = 0;
  await it.world.advanceAsync(3_600_000);
  assert.ok(it.asked.length >= 45 && it.asked.length <= 80, `${it.asked.length} tries`);
  assert.deepEqual([...new Set(it.asked)], [two]);
  await it.bootstrapper.stop();
});

test('an address that keeps silent holds up neither the start nor the others', async () => {
  const it = bench([one, two]);
  it.hanging.add(one);
  it.up.add(two);
  assert.equal(await it.bootstrapper.start(), 1);
});

test('what failed is tried at once when something changed', async () => {
  const it = bench([one, two]);
  assert.equal(await it.bootstrapper.start(), 0);
  await it.world.advanceAsync(300_000);
  it.asked.length = 0;
  it.up.add(one);
  it.bootstrapper.wake();
  await it.world.advanceAsync(1);
  assert.deepEqual(it.asked, [one, two]);
  assert.equal(it.size, 1);
  await it.bootstrapper.stop();
  assert.equal(it.world.pendingTimers(), 0);
});

test('a node that has moved is joined where it is, after where it was', async () => {
  const it = bench([one]);
  it.up.add(one);
  const moved = contactOf(new Uint8Array(32).fill(9001 & 255), {
    ip: Uint8Array.of(10, 0, 0, 1),
    port: 8999,
  });
  it.remembered = [moved];
  await it.bootstrapper.start();
  await it.bootstrapper.stop();
  assert.deepEqual(
    it.joined.map((seeds) => seeds.map(({ endpoint }) => endpoint.port)),
    [[8999], [9001]],
  );
});

test('stop waits for a first attempt that is still under way, and ends it', async (t) => {
  const { transport } = await startNode(t, { n: 1 });
  const deaf = await boundSocket(t);
  const dht = { join: () => Promise.resolve(0), table: { size: 0 } };
  const deps = { transport, dht, world: systemWorld, log: silentLogger, remembered: () => [] };
  const bootstrapper = new Bootstrapper(deps, [
    parseBootstrapAddress(`127.0.0.1:${deaf.address().port}`),
  ]);
  let settled = false;
  const started = bootstrapper.start().then(() => (settled = true));
  await bootstrapper.stop();
  await started;
  assert.ok(settled);
});
