import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { nodeKey, testNetwork } from '../../test/support/dht-samples.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { checkContactRecord } from '../record/acceptance.ts';
import { parseContact } from '../record/contact.ts';
import { parseRecord, type SignedRecord } from '../record/envelope.ts';
import { type ContactSources, OwnContact, programName, type SeenAt } from './own-contact.ts';

const key = nodeKey(1);

const unseen: SeenAt = { udp4: undefined, udp6: undefined };

function sources(addresses: () => readonly string[], seen = (): SeenAt => unseen): ContactSources {
  return { addresses, seen };
}

function read(bytes: Uint8Array): SignedRecord {
  const parsed = parseRecord(bytes);
  assert.ok(parsed.ok);
  return parsed.record;
}

test('the record is right, and signed anew only when it has to be', () => {
  const world = manualWorld();
  let addresses = ['/ip4/10.0.0.1/tcp/9000', '/ip6/fd00::1/tcp/9000', '/dns/nonsense'];
  const own = new OwnContact(
    { key, network: testNetwork },
    world.clock,
    sources(() => addresses),
  );
  const first = own.current();
  const nowUnixSeconds = world.clock.unixMs() / 1000;
  const judging = { nodeId: key.id, nowUnixSeconds, network: testNetwork };
  assert.equal(checkContactRecord(read(first), judging), 0);
  assert.equal(parseContact(read(first))?.multiaddrs.length, 2);

  world.advance(3_600_000);
  assert.equal(own.current(), first);
  addresses = ['/ip4/10.0.0.2/tcp/9000'];
  assert.equal(own.current(), first, 'the addresses were looked at a moment ago');
  world.advance(10_000);
  const second = own.current();
  assert.ok(read(second).seq > read(first).seq);
  world.advance(12 * 3_600_000);
  assert.ok(read(own.current()).issued > read(second).issued, 'half of its life is over');
});

test('the address that others agree on is in it', () => {
  const world = manualWorld();
  let udp4: SeenAt['udp4'];
  const udp6 = { ip: Uint8Array.from([0x2a, ...Array<number>(15).fill(1)]), port: 9001 };
  const signer = { key, network: testNetwork };
  const seen = (): SeenAt => ({ udp4, udp6 });
  const own = new OwnContact(
    signer,
    world.clock,
    sources(() => [], seen),
  );
  const first = read(own.current());
  assert.deepEqual(parseContact(first)?.udp6, udp6);
  assert.equal(parseContact(first)?.udp4, undefined);
  udp4 = { ip: Uint8Array.of(51, 0, 0, 1), port: 9000 };
  world.advance(10_000);
  const second = read(own.current());
  assert.deepEqual(parseContact(second)?.udp4, udp4);
  assert.ok(second.seq > first.seq);
});

test('a node with many addresses names the best four', () => {
  const addresses = Array.from({ length: 9 }, (_, i) => `/ip4/10.0.0.${i + 1}/tcp/9000`);
  const signer = { key, network: testNetwork };
  const own = new OwnContact(
    signer,
    manualWorld().clock,
    sources(() => addresses),
  );
  assert.equal(parseContact(read(own.current()))?.multiaddrs.length, 4);
});

test('the program names the version that it is', async () => {
  const file = path.join(import.meta.dirname, '../../package.json');
  const { name, version } = JSON.parse(await readFile(file, 'utf8')) as Record<string, string>;
  assert.equal(programName, `${name}/${version}`);
});
