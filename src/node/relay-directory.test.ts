import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect } from '../../test/support/collect.ts';
import { nodeKey, testNetwork } from '../../test/support/dht-samples.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { formatEndpoint, parseEndpoint } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import type { ProviderSearch } from '../content/ports.ts';
import { contactOf } from '../identity/contact.ts';
import type { SigningKey } from '../identity/key.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { announceRelay, findRelays } from './relay-directory.ts';

/** The records of all relays that announced themselves here, by key. */
class Records {
  readonly byKey = new Map<string, SignedRecord[]>();
  /** Who hands them over. */
  from: string = '45.9.9.9:9000';
  isThere = true;

  readonly dht = {
    store: async (record: SignedRecord) => {
      if (!this.isThere) throw new AltNetError('NO_PEERS', { what: 'storing' });
      const key = toHex(record.key);
      this.byKey.set(key, [...(this.byKey.get(key) ?? []), record]);
      return { stored: 3, refused: [] } as never;
    },
  };

  readonly search: ProviderSearch = {
    gather: (key) => this.#gather(toHex(key)),
  };

  async *#gather(key: string): ReturnType<ProviderSearch['gather']> {
    const endpoint = parseEndpoint(this.from) ?? assert.fail();
    const from = contactOf(nodeKey(99).publicKey, endpoint);
    yield { from, records: this.byKey.get(key) ?? [] };
    return { isConclusive: true };
  }
}

async function announce(records: Records, key: SigningKey, addresses: string[]): Promise<void> {
  const ended = new AbortController();
  const world = manualWorld();
  const relay = {
    dht: records.dht,
    signer: { key, network: testNetwork },
    addresses: () => addresses,
    world,
    log: silentLogger,
  };
  const announcing = announceRelay(relay, ended.signal);
  await world.advanceAsync(0);
  if (!records.isThere) {
    records.isThere = true;
    await world.advanceAsync(5000);
  }
  await world.advanceAsync(1000);
  ended.abort(new AltNetError('ABORTED', {}));
  await announcing;
}

async function found(records: Records): Promise<string[]> {
  const world = manualWorld();
  const self = nodeKey(98).publicKey;
  const relays = await collect(findRelays({ search: records.search, self, world }, {}));
  return relays.map(({ endpoint }) => formatEndpoint(endpoint)).toSorted();
}

test('relays are found under some of sixteen keys, each once', async () => {
  const records = new Records();
  for (let i = 1; i <= 5; i++) await announce(records, nodeKey(i), [`/ip4/45.${i}.0.1/tcp/9000`]);
  const all = [1, 2, 3, 4, 5].map((i) => `45.${i}.0.1:9000`);
  assert.deepEqual(await found(records), all);
  const counts = [...records.byKey.values()].map(({ length }) => length);
  assert.equal(
    counts.reduce((sum, count) => sum + count, 0),
    20,
  );
  assert.ok(records.byKey.size <= 16);
});

test('one machine that says that it is many relays is tried a few times', async () => {
  const records = new Records();
  for (let i = 1; i <= 20; i++) await announce(records, nodeKey(i), [`/ip4/45.1.0.${i}/tcp/9000`]);
  await announce(records, nodeKey(21), ['/ip4/46.1.0.1/tcp/9000']);
  const all = await found(records);
  assert.equal(all.length, 3);
  assert.ok(all.includes('46.1.0.1:9000'));
});

test('nobody is sent into a network of his own, nor through another relay', async () => {
  const records = new Records();
  await announce(records, nodeKey(1), ['/ip4/192.168.1.2/tcp/9000']);
  assert.deepEqual(await found(records), []);
  records.from = '192.168.1.9:9000';
  assert.deepEqual(await found(records), ['192.168.1.2:9000']);
  const id = '12D3KooWAJjbRkp8FPF5MKgMU53aUTxWkqvDrs4zc1VMbwRwfsbE';
  const other = new Records();
  await announce(other, nodeKey(2), [`/ip4/45.0.0.1/tcp/9000/p2p/${id}/p2p-circuit`]);
  assert.equal(other.byKey.size, 0);
});

test('a relay that knows nobody yet tries again', async () => {
  const records = new Records();
  records.isThere = false;
  await announce(records, nodeKey(1), ['/ip4/45.1.0.1/tcp/9000']);
  assert.deepEqual(await found(records), ['45.1.0.1:9000']);
});
