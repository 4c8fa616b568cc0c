import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeKey, sampleName } from '../../../test/support/dht-samples.ts';
import { type ManualWorld, manualWorld } from '../../../test/support/manual-world.ts';
import { scopeOf } from '../../base/address.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import { contactOf } from '../../identity/contact.ts';
import { type StoreStatus, storeStatuses } from '../../record/kinds.ts';
import { Counters } from '../counters.ts';
import { Handler } from './handler.ts';
import type { Reply, Request, Requester, SyncReply } from '../ports.ts';
import type { Outcome, Storage } from './storage.ts';
import { RoutingTable } from '../table/table.ts';

const { OK, METHOD, BAD_TOKEN, RATE } = storeStatuses;
const list: SyncReply = {
  method: 'sync',
  entries: [{ key: new Uint8Array(32), hash: new Uint8Array(16) }],
  more: true,
};

interface Bench {
  readonly world: ManualWorld;
  readonly table: RoutingTable;
  readonly ask: (asker: Asker, request: Request) => Promise<Reply | undefined>;
}

type Asker = Partial<Omit<Requester, 'contact'>> & { readonly ip: readonly number[] };

/** A node that serves its own network, not the whole Internet. */
function handlerOf(
  accept: () => Promise<Outcome>,
  log: Logger = silentLogger,
  onAnnounce: (record: Uint8Array) => void = () => undefined,
): Bench {
  const self = nodeKey(1).id;
  const world = manualWorld();
  const table = new RoutingTable(self);
  const handler = new Handler({
    self,
    clock: world.clock,
    log,
    table,
    storage: { accept } as unknown as Storage,
    counters: new Counters(),
    isServer: (askerIp) => scopeOf(askerIp) !== 'global',
    contactRecord: () => undefined,
    offer: () => undefined,
    onLeave: () => undefined,
    onAnnounce: (_, record) => onAnnounce(record),
    handOff: () => list,
  });
  const ask: Bench['ask'] = async ({ ip, server = true, addressProven = true }, request) => {
    const contact = contactOf(nodeKey(2).publicKey, { ip: Uint8Array.from(ip), port: 9000 });
    return handler.handle({ contact, server, addressProven }, request);
  };
  return { world, table, ask };
}

async function answer(
  asker: Asker,
  request: Request,
  outcome: Outcome = { status: OK },
): Promise<Reply | undefined> {
  return handlerOf(() => Promise.resolve(outcome)).ask(asker, request);
}

async function store(asker: Asker): Promise<StoreStatus | undefined> {
  const reply = await answer(asker, { method: 'store', record: sampleName('alice').bytes });
  return reply?.method === 'store' ? reply.status : undefined;
}

test('records are held for those who can reach us, whoever else we know', async () => {
  assert.equal(await store({ ip: [10, 0, 0, 2] }), OK);
  assert.equal(await store({ ip: [8, 8, 8, 8] }), METHOD);
  assert.equal(await store({ ip: [10, 0, 0, 2], addressProven: false }), BAD_TOKEN);
});

test('what a status leaves to say is said with it', async () => {
  const record = sampleName('alice');
  const outcome = { status: RATE, detail: 17, conflicting: record };
  const reply = await answer(
    { ip: [10, 0, 0, 2] },
    { method: 'store', record: record.bytes },
    outcome,
  );
  assert.deepEqual(reply, {
    method: 'store',
    status: RATE,
    conflicting: record.bytes,
    detail: 17,
  });
});

test('records are handed on to servers whose address is proven, and listed to nobody else', async () => {
  const request = { method: 'sync', after: new Uint8Array(48) } as const;
  const empty = { method: 'sync', entries: [], more: false };
  assert.deepEqual(await answer({ ip: [10, 0, 0, 2] }, request), list);
  assert.deepEqual(await answer({ ip: [10, 0, 0, 2], addressProven: false }, request), empty);
  assert.deepEqual(await answer({ ip: [10, 0, 0, 2], server: false }, request), empty);
  assert.deepEqual(await answer({ ip: [8, 8, 8, 8] }, request), empty);
});

test('neighbours get contacts of the Internet after those of their own network', async () => {
  const { table, ask } = handlerOf(() => Promise.resolve({ status: OK }));
  const know = (n: number, ...ip: readonly number[]): void =>
    table.confirm(contactOf(nodeKey(n).publicKey, { ip: Uint8Array.from(ip), port: 9000 }), {
      nowMs: 0,
      rttMs: 1,
    });
  for (let n = 10; n < 40; n++) know(n, 45, n, 0, 1);
  const home = [50, 51, 52];
  for (const n of home) know(n, 10, 0, 0, n);
  know(60, 127, 0, 0, 1);
  const told = async (...ip: readonly number[]): Promise<(number | undefined)[]> => {
    const reply = await ask({ ip }, { method: 'find', target: nodeKey(3).id });
    return reply?.method === 'find' ? reply.contacts.map(({ endpoint }) => endpoint.ip[0]) : [];
  };
  const neighbour = await told(10, 0, 0, 2);
  assert.deepEqual(neighbour.slice(0, 3), [10, 10, 10]);
  assert.deepEqual([neighbour.length, neighbour.lastIndexOf(45)], [20, 19]);
  assert.deepEqual(new Set(await told(46, 0, 0, 1)), new Set([45]));
  assert.deepEqual(await told(127, 0, 0, 1), [127]);
});

test('a node that tests nobody says so', async () => {
  const request = { method: 'reach', nonce: new Uint8Array(16), target: undefined } as const;
  const reply = await answer({ ip: [10, 0, 0, 2] }, request);
  assert.deepEqual(reply, { method: 'reach', accepted: false });
});

test('a full disk is told once a minute, whatever others send', async () => {
  const told: string[] = [];
  const log: Logger = { ...silentLogger, error: (message) => told.push(message) };
  const { world, ask } = handlerOf(() => Promise.reject(new Error('full')), log);
  const request = { method: 'store', record: sampleName('alice').bytes } as const;
  for (let n = 0; n < 20; n++) assert.equal(await ask({ ip: [10, 0, 0, 2] }, request), undefined);
  assert.equal(told.length, 1);
  world.advance(60_000);
  await ask({ ip: [10, 0, 0, 2] }, request);
  assert.equal(told.length, 2);
});

test('announcements are heard, so many a minute from one network of the Internet', async () => {
  const heard: Uint8Array[] = [];
  const { world, ask } = handlerOf(
    () => Promise.resolve({ status: OK }),
    silentLogger,
    (record) => heard.push(record),
  );
  const request = { method: 'announce', record: sampleName('alice').bytes } as const;
  for (let n = 0; n < 100; n++) {
    assert.deepEqual(await ask({ ip: [8, 8, 8, n] }, request), { method: 'announce' });
  }
  assert.equal(heard.length, 60);
  await ask({ ip: [8, 8, 9, 1] }, request);
  await ask({ ip: [8, 8, 9, 1], addressProven: false, server: false }, request);
  assert.equal(heard.length, 62, 'another network has its own minute');
  world.advance(60_000);
  await ask({ ip: [8, 8, 8, 1] }, request);
  assert.equal(heard.length, 63);
  for (let n = 0; n < 100; n++) await ask({ ip: [127, 0, 0, 1] }, request);
  assert.equal(heard.length, 163, 'one machine may have many nodes');
});
