/** Providers whose relays fail: their newest records tell other ways to them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ManualWorld, manualWorld } from '../../../test/support/manual-world.ts';
import { contactOf } from '../../identity/contact.ts';
import { SigningKey } from '../../identity/key.ts';
import { encodeMultiaddr, parseMultiaddr } from '../../peer/address.ts';
import type { ByteStream } from '../../peer/stream.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { networkId, networkProfiles } from '../../record/network.ts';
import { makeProviderRecord } from '../../record/provider.ts';
import { type Link, multihashOf } from '../dag/root.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';
import { ProviderDialer } from './dialer.ts';
import { BadPeers, type ProviderContact } from './providers.ts';

const link: Link = { codec: 'raw', hash: new Uint8Array(32) };
const key = new SigningKey('node', new Uint8Array(32).fill(7));
const storer = contactOf(new Uint8Array(32).fill(1), { ip: Uint8Array.of(45, 0, 0, 9), port: 1 });
const [dead, alive]: readonly [string, string] = ['/ip4/45.0.0.1/tcp/1', '/ip4/45.0.0.2/tcp/1'];

function recordAt(world: ManualWorld, address: string, seq: bigint): SignedRecord {
  const endpoint = parseMultiaddr(address) ?? assert.fail();
  const body = { multihash: multihashOf(link), multiaddrs: [encodeMultiaddr(endpoint)] };
  const issued = Math.floor(world.clock.unixMs() / 1000);
  return makeProviderRecord(
    body,
    { seq, issued },
    { key, network: networkId(networkProfiles.local) },
  );
}

/** A quest in a network where nobody answers but at `living`; `records` are what is held at the time. */
function bench(known: readonly ProviderContact[], guesses: readonly ProviderContact[] = []) {
  const world = manualWorld();
  const { clock, timers } = world;
  const it = {
    world,
    records: [] as SignedRecord[],
    dialled: [] as string[],
    searches: 0,
    guessed: 0,
    living: alive,
    /** Where the provider is surely, and what the receiving thread was told to dial. */
    proven: [] as string[],
    received: [] as string[],
  };
  const stream: ByteStream = {
    remote: key.publicKey,
    read: (async function* () {})(),
    write: () => Promise.resolve(),
    close: () => Promise.resolve(),
    abort: () => undefined,
  };
  const dialer = new ProviderDialer(
    {
      search: {
        async *gather() {
          it.searches++;
          yield { from: storer, records: it.records };
          return { isConclusive: true };
        },
      },
      connections: {
        addresses: () => [],
        remoteAddress: () => undefined,
        provenAddresses: () => it.proven,
        handle: () => Promise.resolve(),
        open({ addresses }, _protocol, { signal } = {}) {
          it.dialled.push(addresses.join());
          if (addresses.includes(it.living)) return Promise.resolve(stream);
          const { promise, reject } = Promise.withResolvers<never>();
          const fail = (): void => reject(new Error('nobody answers'));
          signal?.addEventListener('abort', fail);
          timers.after(6000, fail);
          return promise;
        },
      },
      reception: {
        open({ addresses }) {
          it.received.push(...addresses);
          return Promise.resolve(stream);
        },
      },
      clock,
      timers,
      bad: new BadPeers(clock, 1),
      slow: new BadPeers(clock, 1),
      slots: new StreamSlots(6),
      self: new Uint8Array(32).fill(255),
    },
    {
      link,
      known,
      guess: { contacts: guesses, onOpen: () => it.guessed++ },
      signal: new AbortController().signal,
      onFailure: () => undefined,
    },
  );
  return Object.assign(it, { dialer });
}

const at = (address: string): ProviderContact => ({
  publicKey: key.publicKey,
  addresses: [address],
});

test('who served the content before is dialled where a newer record says', async () => {
  const it = bench([at(dead)]);
  it.records = [recordAt(it.world, dead, 1n), recordAt(it.world, alive, 2n)];
  it.dialer.start();
  const found = it.dialer.next();
  await it.world.advanceAsync(250);
  assert.deepEqual((await found)?.contact.addresses, [alive]);
  assert.deepEqual(it.dialled, [dead, alive]);
  it.dialer.stop();
});

test('an older record does not take the place of a newer one', async () => {
  const it = bench([]);
  it.records = [recordAt(it.world, alive, 2n), recordAt(it.world, dead, 1n)];
  it.dialer.want(2);
  it.dialer.start();
  await it.world.advanceAsync(1000);
  assert.deepEqual(it.dialled, [alive]);
  it.dialer.stop();
});

test('a guess that has moved costs a moment, one that has not is not dialled twice', async () => {
  const moved = bench([], [at(dead)]);
  moved.records = [recordAt(moved.world, alive, 2n)];
  moved.dialer.start();
  const found = moved.dialer.next();
  await moved.world.advanceAsync(250);
  assert.deepEqual((await found)?.contact.addresses, [alive]);
  moved.dialer.stop();

  const same = bench([], [at(alive)]);
  same.records = [recordAt(same.world, alive, 2n)];
  same.dialer.start();
  await same.world.advanceAsync(10_000);
  assert.deepEqual(same.dialled, [alive]);
  assert.equal(same.guessed, 1);
  same.dialer.stop();
});

test('as long as a provider is dialled in vain, the search for it goes on', async () => {
  const it = bench([]);
  it.records = [recordAt(it.world, dead, 1n)];
  it.dialer.start();
  const found: (ProviderContact | undefined)[] = [];
  void it.dialer.next().then((one) => found.push(one?.contact));
  await it.world.advanceAsync(1000);
  it.records = [recordAt(it.world, alive, 2n)];
  await it.world.advanceAsync(1500);
  assert.deepEqual(found[0]?.addresses, [alive]);
  assert.equal(it.searches, 2);
  await it.world.advanceAsync(60_000);
  assert.equal(it.searches, 2, 'one is enough');
  it.dialer.stop();
});

test('when the way to a provider is lost, what it says meanwhile is tried beside', async () => {
  const it = bench([at(alive)]);
  it.records = [recordAt(it.world, alive, 1n)];
  it.dialer.start();
  const first = await it.dialer.next();
  assert.ok(first && it.dialer.isFound(first.contact));
  const next = '/ip4/45.0.0.3/tcp/1';
  it.living = next;
  const found: (ProviderContact | undefined)[] = [];
  void it.dialer.another(first.contact).then((one) => found.push(one?.contact));
  await it.world.advanceAsync(1000);
  assert.equal(found.length, 0);
  it.records = [recordAt(it.world, next, 2n)];
  await it.world.advanceAsync(1000);
  assert.deepEqual(found[0]?.addresses, [next]);
  await it.world.advanceAsync(60_000);
  assert.deepEqual(it.dialled, [alive, alive, next]);
  it.dialer.stop();
});

test('the receiving thread dials nobody but where the provider surely is', async () => {
  const it = bench([]);
  assert.equal(it.dialer.received(at(dead)), undefined);
  it.proven = [alive];
  assert.ok(await it.dialer.received(at(dead)));
  assert.deepEqual(it.received, [alive]);
  it.dialer.stop();
});
