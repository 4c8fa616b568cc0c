import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  nodeKey,
  sampleName,
  sampleProvider,
} from '../../../test/support/dht-samples.ts';
import { passUntil, storageBench } from '../../../test/support/storage-bench.ts';
import { sha256 } from '../../base/hash.ts';
import { type Contact, contactOf } from '../../identity/contact.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { Caller } from '../table/caller.ts';
import { Copies } from './copies.ts';
import type { StoredRecord } from '../ports.ts';
import { Repush } from './repush.ts';
import type { Storage } from './storage.ts';

const hour = 3600;
const forever = new AbortController().signal;
const contacts: readonly Contact[] = Array.from({ length: 12 }, (_, n) =>
  contactOf(nodeKey(n + 10).publicKey, { ip: Uint8Array.of(20, 0, n, 1), port: 9000 }),
);

interface Bench {
  readonly pushed: SignedRecord[];
  readonly asked: Contact[];
  readonly copies: Copies;
  /** Whether it holds `record`, when asked. */
  holds: (contact: Contact) => boolean;
  /** Whether the name is still its holder's. */
  lookAgain: () => Promise<void>;
  readonly record: SignedRecord;
  readonly held: () => StoredRecord;
  readonly storage: Storage;
  readonly sweep: () => Promise<void>;
  readonly pass: (seconds: number) => void;
}

function bench(): Bench {
  const { world, storage, records, store, pass } = storageBench();
  const record = sampleName('alice');
  const pushed: SignedRecord[] = [];
  const asked: Contact[] = [];
  const copies = new Copies();
  const call = (to: Contact): Promise<unknown> => {
    asked.push(to);
    const digest = {
      hash: record.hash.slice(0, 16),
      author: sha256(record.author).slice(0, 16),
      seq: record.seq,
    };
    const digests = it.holds(to) ? [digest] : [];
    return Promise.resolve({ reply: { digests } });
  };
  const repush = new Repush({
    self: nodeKey(1).id,
    world,
    storage,
    caller: { call } as unknown as Caller,
    copies,
    closest: (_, count) => contacts.slice(0, count),
    lookAgain: () => it.lookAgain(),
    store: async (due) => {
      pushed.push(due);
      await store(due);
    },
  });
  const held = (): StoredRecord => {
    const [found] = records.list(record.key);
    assert.ok(found);
    return found;
  };
  const sweep = async (): Promise<void> => {
    if (records.list(record.key).length === 0) await store(record);
    for (const { stored } of storage.entries()) repush.consider(stored);
    await passUntil(world, repush.work(forever));
  };
  const it: Bench = {
    pushed,
    asked,
    copies,
    holds: () => false,
    lookAgain: () => Promise.resolve(),
    record,
    held,
    storage,
    sweep,
    pass,
  };
  return it;
}

test('what nobody refreshed for 15 to 25 hours is stored again, once', async () => {
  const it = bench();
  await it.sweep();
  it.pass(14.9 * hour);
  await it.sweep();
  assert.equal(it.pushed.length, 0);
  it.pass(10.2 * hour);
  await it.sweep();
  await it.sweep();
  assert.equal(it.pushed.length, 1);
  assert.equal(it.asked.length, 0, 'too few copies were seen to ask anybody');
});

test('it is not when many copies were seen and the eight nearest have it', async () => {
  const it = bench();
  await it.sweep();
  it.pass(26 * hour);
  for (const { id } of contacts.slice(2, 11)) it.copies.saw(it.record.hash, id);
  it.holds = () => true;
  const before = it.held().refreshedMs;
  await it.sweep();
  assert.deepEqual(it.pushed, []);
  assert.deepEqual(it.asked, contacts.slice(0, 2), 'who was seen with it is not asked');
  assert.ok(it.held().refreshedMs > before, 'that is as good as a refresh');
  assert.equal(it.copies.countOf(it.record.hash), 0);
});

test('one of the eight nearest without it is reason enough', async () => {
  const it = bench();
  await it.sweep();
  it.pass(26 * hour);
  for (const { id } of contacts.slice(2, 11)) it.copies.saw(it.record.hash, id);
  it.holds = (contact) => contact === contacts[0];
  await it.sweep();
  assert.equal(it.pushed.length, 1);
});

test('a name that went to somebody else meanwhile is not stored again', async () => {
  const it = bench();
  await it.sweep();
  it.pass(26 * hour);
  const other = sampleName('alice', { by: authorKey(2) });
  it.lookAgain = async () => {
    await it.storage.adopt(other, { source: '' });
  };
  await it.sweep();
  assert.deepEqual(it.pushed, []);
  assert.deepEqual(it.held().record.hash, other.hash);
});

test('providers are never passed on, nor what has expired or is forgotten here', async () => {
  const { world, storage } = storageBench();
  const repush = new Repush({
    self: nodeKey(1).id,
    world,
    storage,
    caller: { call: () => Promise.reject(new Error('not asked for')) },
    copies: new Copies(),
    closest: () => [],
    lookAgain: () => Promise.resolve(),
    store: () => Promise.resolve(),
  });
  const nowMs = world.clock.unixMs();
  const long = { heldSinceMs: 0, refreshedMs: 0, provisional: false, source: '' };
  assert.equal(repush.consider({ ...long, record: sampleProvider(1) }), false);
  const expired = sampleName('alice', { issued: nowMs / 1000 - 100, expires: nowMs / 1000 });
  assert.equal(repush.consider({ ...long, record: expired }), false);
  const name = { ...long, record: sampleName('alice') };
  assert.equal(repush.consider({ ...name, refreshedMs: nowMs - 48 * hour * 1000 }), false);
  assert.equal(repush.consider({ ...name, refreshedMs: nowMs - 26 * hour * 1000 }), true);
});
