import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  nodeKey,
  sampleLink,
  sampleName,
  sampleProvider,
} from '../../../test/support/dht-samples.ts';
import { passUntil, storageBench, type StorageBench } from '../../../test/support/storage-bench.ts';
import { equalBytes } from '../../base/bytes.ts';
import { type Contact, contactOf } from '../../identity/contact.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { Caller } from '../table/caller.ts';
import { Copies } from './copies.ts';
import { handOffPage } from './hand-off.ts';
import { pageOf } from './pages.ts';
import type { Reply, Request } from '../ports.ts';
import { sigmaSize } from '../lookup/sigma.ts';
import { Sync, syncDefaults, type SyncOptions, type SyncRound } from './sync.ts';

const me = nodeKey(1).id;
const nothing = {
  method: 'get',
  records: [],
  provisional: [],
  digests: [],
  next: undefined,
} as const;
const forever = new AbortController().signal;

interface Bench extends StorageBench {
  readonly copies: Copies;
  readonly asked: string[];
  /** One round; its time passes. */
  readonly round: () => Promise<SyncRound>;
}

type Answerer = (request: Request) => Reply | undefined;

/** An honest neighbour with these records. */
function neighbour(records: readonly SignedRecord[]): Promise<Answerer> {
  const { storage, store, world } = storageBench();
  const answer: Answerer = (request) => {
    if (request.method === 'sync') {
      const size = sigmaSize(3, 20);
      const deps = { storage, isAmongNearest: () => true, sigmaSize: () => size };
      return handOffPage(me, request.after, deps);
    }
    if (request.method !== 'get') return undefined;
    const now = { self: me, nowMs: world.clock.unixMs() };
    return { method: 'get', ...pageOf(storage.list(request.key), request, now), contacts: [] };
  };
  return Promise.all(records.map((record) => store(record))).then(() => answer);
}

function bench(answerers: readonly Answerer[], options: Partial<SyncOptions> = {}): Bench {
  const base = storageBench();
  const asked: string[] = [];
  const contacts = answerers.map((_, n) =>
    contactOf(nodeKey(n + 10).publicKey, { ip: Uint8Array.of(20, 0, n, 1), port: 9000 }),
  );
  const call = async (to: Contact, request: Request): Promise<unknown> => {
    asked.push(request.method);
    const reply = answerers[contacts.findIndex(({ id }) => equalBytes(id, to.id))]?.(request);
    return reply ? { reply, info: { server: true } } : Promise.reject(new Error('no answer'));
  };
  const copies = new Copies();
  const sync = new Sync(
    {
      world: base.world,
      storage: base.storage,
      caller: { call } as unknown as Caller,
      neighbours: (count) => contacts.slice(0, count),
      copies,
    },
    { ...syncDefaults, ...options },
  );
  const round = (): Promise<SyncRound> => passUntil(base.world, sync.round(forever));
  return { ...base, copies, asked, round };
}

const mute: Answerer = () => undefined;

const names = Array.from({ length: 30 }, (_, i) => sampleName(`n${i}`));
const links = Array.from({ length: 25 }, (_, i) =>
  sampleLink(`https://${i}.example/`, { by: authorKey(i) }),
);

test('a joiner fetches what its neighbours hold for it, two records of a key at a time', async () => {
  const all = [...names, ...links, sampleProvider(1)];
  const it = bench([await neighbour(all)]);
  const { fetched, taken } = await it.round();
  assert.deepEqual([fetched, taken, it.storage.totals.records], [56, 56, 56]);
  const requests = it.asked.filter((method) => method === 'get').length;
  assert.ok(requests >= 44 && requests <= 47, `${requests}: a page may end between two`);
  assert.equal(it.claims.length, 30, 'names have to be confirmed here as well');
  assert.ok(it.claims.every(({ source }) => source === 'sync 4:140000'));
});

test('what is there is not fetched again, but noted as held by others', async () => {
  const it = bench([await neighbour(names), await neighbour(names)]);
  await it.round();
  it.asked.length = 0;
  const { fetched } = await it.round();
  assert.equal(fetched, 0);
  assert.ok(it.asked.every((method) => method === 'sync'));
  assert.equal(it.copies.countOf(names[0]?.hash ?? me), 2);
});

test('a round ends early when neighbour after neighbour lists nothing that is lacking', async () => {
  const alike = await Promise.all(Array.from({ length: 18 }, () => neighbour(links)));
  const it = bench([...alike, mute, mute], { syncVainMax: 4 });
  await it.round();
  assert.equal(it.storage.totals.records, links.length);
  it.asked.length = 0;
  const { listed } = await it.round();
  assert.equal(listed, 4 * links.length);
  // A list of 25 takes two pages; who is silent is passed over.
  assert.ok(it.asked.length >= 8 && it.asked.length <= 10, `${it.asked.length}`);
});

test('what was refused once is not fetched every hour', async () => {
  const it = bench([await neighbour([sampleName('alice', { by: authorKey(2) })])]);
  await it.store(sampleName('alice'));
  assert.deepEqual(await it.round(), { pages: 1, listed: 1, fetched: 1, taken: 0 });
  assert.deepEqual(await it.round(), { pages: 1, listed: 1, fetched: 0, taken: 0 });
});

test('a round is bounded in pages and records, whatever is promised', async () => {
  let n = 0;
  const liar: Answerer = (request) => {
    if (request.method !== 'sync') return undefined;
    const key = new Uint8Array(32);
    new DataView(key.buffer).setUint32(0, ++n);
    return { method: 'sync', entries: [{ key, hash: key.slice(0, 16) }], more: true };
  };
  const patient: Answerer = (request) =>
    request.method === 'get' ? { ...nothing, contacts: [] } : liar(request);
  const it = bench([patient], { syncPagesMax: 14 });
  assert.deepEqual(await it.round(), { pages: 7, listed: 7, fetched: 0, taken: 0 });
  const one = bench([await neighbour(names)], { syncRecordsMax: 10 });
  assert.equal((await one.round()).fetched, 5);
});

test('what a round had no room for, the next one goes on with', async () => {
  const it = bench([await neighbour(names)], { syncRecordsMax: 40, syncPagesMax: 2 });
  const taken = [(await it.round()).taken, (await it.round()).taken, (await it.round()).taken];
  assert.deepEqual(taken, [20, 2, 8], 'a page has 22 entries');
});

test('a neighbour that lists much and hands out nothing leaves room for the others', async () => {
  let n = 0;
  const listing = (request: Request): Reply | undefined => {
    if (request.method !== 'sync') return undefined;
    const entries = Array.from({ length: 22 }, () => {
      const key = new Uint8Array(32);
      new DataView(key.buffer).setUint32(0, ++n);
      return { key, hash: key.slice(0, 16) };
    });
    return { method: 'sync', entries, more: true };
  };
  const silent = bench([listing]);
  await silent.round();
  assert.deepEqual(silent.asked, ['sync', 'get'], 'who does not answer is asked for no more');
  const empty: Answerer = (request) =>
    request.method === 'get' ? { ...nothing, contacts: [] } : listing(request);
  const it = bench([empty, empty, empty, await neighbour(names.slice(0, 3))], {
    syncPagesMax: 64,
    syncRecordsMax: 64,
  });
  assert.equal((await it.round()).taken, 3);
});

test('who lists a record and keeps it back does not keep it from coming from others', async () => {
  const [name = sampleName('n')] = names;
  const other = sampleLink('https://other.example/');
  const keeping: Answerer = (request) => {
    if (request.method === 'get') return { ...nothing, records: [other.bytes], contacts: [] };
    const entry = { key: name.key, hash: name.hash.slice(0, 16) };
    return { method: 'sync', entries: [entry], more: false };
  };
  const it = bench([keeping, await neighbour([name])]);
  await it.round();
  await it.round();
  assert.equal(it.records.list(name.key).length, 1);
  assert.equal(it.records.list(other.key).length, 0, 'what was not asked for is not taken');
});

test('a list that goes in circles, and a neighbour that is gone, end the round', async () => {
  const key = new Uint8Array(32).fill(1);
  const circle: Answerer = (request) =>
    request.method === 'sync'
      ? { method: 'sync', entries: [{ key, hash: key.slice(0, 16) }], more: true }
      : { ...nothing, contacts: [] };
  const it = bench([circle, () => undefined, await neighbour(names.slice(0, 3))]);
  const { pages, taken } = await it.round();
  assert.deepEqual([pages, taken], [4, 3]);
});

test('an entry that only marks the way is not asked for', async () => {
  const mark = { key: new Uint8Array(32).fill(1), hash: new Uint8Array(16) };
  const honest = await neighbour(names.slice(0, 1));
  const far: Answerer = (request) =>
    request.method === 'sync' && request.after.every((octet) => octet === 0)
      ? { method: 'sync', entries: [mark], more: true }
      : honest(request.method === 'sync' ? { ...request, after: new Uint8Array(48) } : request);
  const it = bench([far]);
  const { taken } = await it.round();
  assert.deepEqual([it.asked, taken], [['sync', 'sync', 'get'], 1]);
});

test('it keeps its pace, and ends with its signal', async () => {
  const it = bench([await neighbour(names)]);
  const before = it.world.clock.monotonicMs();
  await it.round();
  const seconds = (it.world.clock.monotonicMs() - before) / 1000;
  assert.ok(it.asked.length / seconds <= 20, `${it.asked.length} in ${seconds} s`);
});
