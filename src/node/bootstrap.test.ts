import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { boundSocket, startNode, startPair, toyHandler } from '../../test/support/udp.ts';
import { formatEndpoint } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { Dht } from '../dht/dht.ts';
import type { Transport } from '../dht/ports.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import { networkProfiles } from '../record/network.ts';
import { MemoryRecordStore } from '../../test/support/memory-store.ts';
import {
  type BootstrapAddress,
  Bootstrapper,
  contactAt,
  parseBootstrapAddress,
  readBootstrapFile,
} from './bootstrap.ts';

const pin = 'ab'.repeat(32);

test('an address is host:port, with or without the ID of its node', () => {
  assert.deepEqual(parseBootstrapAddress(' node.example:9000 '), {
    text: 'node.example:9000',
    host: 'node.example',
    port: 9000,
    nodeId: undefined,
  });
  const pinned = parseBootstrapAddress(`[::1]:9000#${pin}`);
  assert.equal(pinned.nodeId && toHex(pinned.nodeId), pin);
  for (const text of ['', 'host', ':9000', 'host:0', 'host:1#', 'host:1#ab', `host:1#${pin}#`]) {
    assert.throws(() => parseBootstrapAddress(text), { code: 'BAD_ADDRESS' }, text);
  }
});

test('bootstrap.txt has an address a line; what is wrong in it names the file', async (t) => {
  const file = path.join(temporaryFolder(t), 'bootstrap.txt');
  assert.deepEqual(await readBootstrapFile(file), []);
  writeFileSync(file, '# friends\r\n\n127.0.0.1:9000\n  node.example:9001  \n');
  assert.deepEqual(
    (await readBootstrapFile(file)).map(({ text }) => text),
    ['127.0.0.1:9000', 'node.example:9001'],
  );
  writeFileSync(file, '127.0.0.1:1\n'.repeat(100));
  assert.equal((await readBootstrapFile(file)).length, 64);
  writeFileSync(file, 'nonsense');
  await assert.rejects(readBootstrapFile(file), /"nonsense".*bootstrap\.txt/);
  await assert.rejects(readBootstrapFile(path.dirname(file)), { code: 'PATH_UNREADABLE' });
});

test('who is at an address proves it; another node than the pinned one is refused', async (t) => {
  const [client, server] = await startPair(t);
  const at = formatEndpoint(server.contact.endpoint);
  const ask = (text: string): Promise<Contact> =>
    contactAt(parseBootstrapAddress(text), client.transport, { world: systemWorld });
  assert.deepEqual(await ask(at), server.contact);
  assert.deepEqual(await ask(`${at}#${toHex(server.contact.id)}`), server.contact);
  assert.deepEqual(await ask(at.replace('127.0.0.1', 'localhost')), server.contact);
  await assert.rejects(ask(`${at}#${pin}`), { code: 'WRONG_PEER' });
  await assert.rejects(ask('no-such-host.invalid:9000'), { code: 'UNREACHABLE' });
  await assert.rejects(ask('0.0.0.0:9000'), { code: 'UNREACHABLE' });
  const deaf = await boundSocket(t);
  const silent = `127.0.0.1:${deaf.address().port}`;
  await assert.rejects(ask(silent), { code: 'UNREACHABLE' });
  const controller = new AbortController();
  const { signal } = controller;
  const asked = contactAt(parseBootstrapAddress(silent), client.transport, {
    world: systemWorld,
    signal,
  });
  controller.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(asked, { code: 'ABORTED' });
});

test('a node joins through an address over real datagrams', async (t) => {
  const server = await startNode(t, { n: 1, handler: toyHandler() });
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
  const it = { up: new Set<string>(), size: 0, remembered: [] as Contact[] };
  const identify: Transport['identify'] = (endpoint) => {
    const text = formatEndpoint(endpoint);
    asked.push(text);
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

test('a node that is alone tries again after 1, 2, 4 … 60 seconds, and says so once', async () => {
  const it = bench([one]);
  assert.equal(await it.bootstrapper.start(), 0);
  await it.world.advanceAsync(1000 + 2000 + 4000);
  assert.equal(it.asked.length, 4);
  await it.world.advanceAsync(600_000);
  assert.ok(it.asked.length >= 4 + 9 && it.asked.length <= 4 + 14, `${it.asked.length} tries`);
  it.up.add(one);
  await it.world.advanceAsync(60_000);
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
    [[9001, 9009], [9002]],
  );
  await it.bootstrapper.stop();
});

test('a node that has moved is joined where it is, not where it was', async () => {
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
    [[9001]],
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
