import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  nodeKey,
  sampleLink,
  sampleName,
  sampleNameTombstone,
  testNetwork,
  testProfile,
} from '../../../test/support/dht-samples.ts';
import {
  internetSource,
  storageBench,
  type StorageBench,
} from '../../../test/support/storage-bench.ts';
import { abortReason } from '../../base/abort.ts';
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import { silentLogger } from '../../base/logger.ts';
import { type Contact, contactOf } from '../../identity/contact.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { Caller } from '../table/caller.ts';
import type { GetReply, GetRequest, RecordDigest } from '../ports.ts';
import { Recheck, recheckDefaults, type RecheckOptions } from './recheck.ts';
import { RecheckQueue } from './recheck-queue.ts';
import { RecordSieve } from '../reading/sieve.ts';

const hourMs = 3_600_000;

interface Held {
  readonly record: SignedRecord;
  readonly provisional: boolean;
}

interface Bench extends StorageBench {
  readonly recheck: Recheck;
  /** What each of the others holds; undefined for one that holds nothing. */
  others: (Held | undefined | 'silent' | 'endless')[];
  /** Requests by mode. Those to who is endless fail only when they are given up. */
  readonly asked: string[];
  readonly passMs: (ms: number) => Promise<void>;
  readonly state: (key: Bytes) => string;
  readonly stop: () => Promise<void>;
}

function bench(options: Partial<RecheckOptions> = {}): Bench {
  const base = storageBench();
  const { world, storage, records } = base;
  const ended = new AbortController();
  const asked: string[] = [];
  const voters = (): readonly Contact[] => it.others.map((_, n) => voter(n));
  const call = (to: Contact, request: GetRequest, signal: AbortSignal): Promise<unknown> => {
    asked.push(request.mode);
    const n = it.others.findIndex((_, i) => equalBytes(voter(i).id, to.id));
    const held = it.others[n];
    if (held === 'silent') return Promise.reject(new Error('no answer'));
    if (held === 'endless') return untilAborted(signal);
    return Promise.resolve({ reply: replyOf(held, request), info: { server: true } });
  };
  const recheck = new Recheck(
    {
      world,
      log: silentLogger,
      storage,
      caller: { call } as unknown as Caller,
      voters,
      sieveFor: (key) =>
        new RecordSieve(
          { clock: world.clock, profile: testProfile, network: testNetwork },
          { key, reserved: true },
        ),
      signal: ended.signal,
    },
    { ...recheckDefaults, ...options },
  );
  const it: Bench = {
    ...base,
    recheck,
    others: [],
    asked,
    passMs: (ms) => world.advanceAsync(ms),
    state: (key) => {
      const held = records.list(key)[0];
      if (!held) return 'nothing';
      return `${ownerOf(held.record)} ${held.provisional ? 'provisional' : 'confirmed'}`;
    },
    stop: async () => {
      ended.abort(new Error('ended'));
      await recheck.settled();
      assert.equal(world.pendingTimers(), 0);
    },
  };
  return it;
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(abortReason(signal)), { once: true });
  });
}

function voter(n: number): Contact {
  return contactOf(nodeKey(n).publicKey, { ip: Uint8Array.of(10, 0, 0, n), port: 9000 });
}

function ownerOf({ author }: SignedRecord): string {
  return `author ${[1, 2, 3].find((n) => equalBytes(authorKey(n).publicKey, author))}`;
}

function replyOf(held: Held | undefined, request: GetRequest): GetReply {
  const empty = { method: 'get', next: undefined, contacts: [] } as const;
  const nothing = { records: [], provisional: [], digests: [] };
  if (!held) return { ...empty, ...nothing };
  const { record, provisional } = held;
  if (request.mode !== 'digest') {
    return { ...empty, ...nothing, records: [record.bytes], provisional: [provisional] };
  }
  const digest: RecordDigest = {
    hash: record.hash.slice(0, 16),
    author: sha256(record.author).slice(0, 16),
    seq: record.seq,
    heldHours: 1,
    size: record.bytes.length,
    provisional,
  };
  return { ...empty, ...nothing, digests: [digest] };
}

/** So many nodes that hold what author `by` claims, confirmed or not. */
function holders(count: number, by: number, provisional = false): Held[] {
  const record = sampleName('alice', { by: authorKey(by) });
  return Array.from({ length: count }, () => ({ record, provisional }));
}

const keyOf = (n: number): Bytes => new Uint8Array(32).fill(n);
const nobody = (count: number): undefined[] => Array<undefined>(count).fill(undefined);

async function claim(it: Bench, source = '4:0a0000'): Promise<Bytes> {
  const record = sampleName('alice');
  await it.store(record, source);
  it.recheck.claimed({ key: record.key, source });
  return record.key;
}

test('who is alone confirms its names after an hour, and not before', async () => {
  const it = bench();
  const key = await claim(it);
  await it.passMs(hourMs - 1000);
  assert.equal(it.state(key), 'author 1 provisional');
  await it.passMs(2000);
  assert.equal(it.state(key), 'author 1 confirmed');
  await it.stop();
});

test('more than half of all that answer: their holder takes the place of a newcomer', async () => {
  for (const [theirs, empty, wins] of [
    [10, 9, true],
    [10, 10, false],
    [3, 16, false],
    [2, 1, true],
    [1, 0, true],
    [1, 1, false],
  ] as const) {
    const it = bench();
    it.others = [...holders(theirs, 2), ...nobody(empty)];
    const key = await claim(it);
    await it.passMs(10_000);
    const expected = wins ? 'author 2 confirmed' : 'author 1 provisional';
    assert.equal(it.state(key), expected, `${theirs} of ${theirs + empty}`);
    await it.stop();
  }
});

test('who does not answer has no vote, and who waits for confirmation has none', async () => {
  const it = bench();
  it.others = [...holders(2, 2), 'silent', 'silent', 'silent', undefined];
  const key = await claim(it);
  await it.passMs(10_000);
  assert.equal(it.state(key), 'author 2 confirmed');
  await it.stop();
  const later = bench();
  later.others = holders(10, 2, true);
  await claim(later);
  await later.passMs(hourMs + 10_000);
  assert.equal(later.state(key), 'author 1 confirmed');
  await later.stop();
});

test('a claim that half of the others hold as confirmed is confirmed at once', async () => {
  const it = bench();
  it.others = [...holders(10, 1), ...nobody(10)];
  const key = await claim(it);
  await it.passMs(10_000);
  assert.equal(it.state(key), 'author 1 confirmed');
  await it.stop();
});

test('a settled holder gives way to 60 %, itself counted, and to nobody without proof', async () => {
  for (const [theirs, others, wins] of [
    [12, 7, true],
    [11, 8, false],
    [1, 0, false],
    [2, 0, true],
  ] as const) {
    const it = bench();
    it.others = [...holders(theirs, 2), ...holders(others, 1)];
    const record = sampleName('alice');
    await it.store(record);
    await it.storage.confirm(record);
    const [held] = it.records.list(record.key);
    assert.ok(held);
    it.recheck.again(held);
    await it.passMs(20_000);
    const expected = `author ${wins ? 2 : 1} confirmed`;
    assert.equal(it.state(record.key), expected, `${theirs} of ${theirs + others + 1}`);
    await it.stop();
  }
});

test('who promises a record and has none, or a wrong one, changes nothing', async () => {
  const it = bench();
  const good = sampleName('alice', { by: authorKey(2) });
  const forged = { ...good, bytes: good.bytes.slice().fill(0, 200) };
  it.others = Array.from({ length: 19 }, () => ({ record: forged, provisional: false }));
  const key = await claim(it);
  await it.passMs(60_000);
  assert.equal(it.state(key), 'author 1 provisional');
  assert.equal(it.asked.filter((mode) => mode === 'by-id').length, 3, 'some are asked, not all');
  await it.stop();
});

test('a withdrawal is never confirmed by waiting', async () => {
  const it = bench();
  const tombstone = sampleNameTombstone('alice');
  await it.store(tombstone);
  it.recheck.claimed({ key: tombstone.key, source: '4:0a0000' });
  await it.passMs(3 * hourMs);
  assert.equal(it.state(tombstone.key), 'author 1 provisional');
  await it.stop();
});

test('it asks at its pace, each once per check, and only about names', async () => {
  const it = bench();
  it.others = nobody(19);
  const link = sampleLink('https://a.example/');
  await it.store(link);
  const [held] = it.records.list(link.key);
  assert.ok(held);
  it.recheck.again(held);
  await claim(it);
  await claim(it);
  await it.passMs(1000);
  assert.ok(it.asked.length >= 4 && it.asked.length <= 6, `${it.asked.length} in a second`);
  await it.passMs(9000);
  assert.equal(it.asked.length, 19, 'two claims of one name are one check');
  await it.stop();
});

test('settled names of one network are looked at again one in a minute, too', async () => {
  const it = bench();
  it.others = nobody(5);
  for (const label of ['alice', 'bob']) {
    const record = sampleName(label);
    await it.store(record, internetSource(1));
    await it.storage.confirm(record);
    const [held] = it.records.list(record.key);
    assert.ok(held);
    it.recheck.again(held);
  }
  await it.passMs(30_000);
  assert.equal(it.asked.length, 5);
  await it.passMs(60_000);
  assert.equal(it.asked.length, 10);
  await it.stop();
});

test('checks wait for slow voters side by side, four at a time and not for long', async () => {
  const it = bench({ recheckPauseMs: 100 });
  it.others = ['endless', undefined];
  for (let n = 0; n < 6; n++) {
    const record = sampleName(`name-${n}`);
    await it.store(record, internetSource(n));
    it.recheck.claimed({ key: record.key, source: internetSource(n) });
  }
  await it.passMs(1500);
  assert.equal(it.asked.length, 8);
  await it.passMs(recheckDefaults.voteTimeoutMs);
  assert.equal(it.asked.length, 12, 'who does not answer is given up');
  await it.stop();
});

test('all checks together ask no faster than one', async () => {
  const it = bench();
  it.others = nobody(20);
  for (let n = 0; n < 6; n++) {
    const record = sampleName(`name-${n}`);
    await it.store(record, internetSource(n));
    it.recheck.claimed({ key: record.key, source: internetSource(n) });
  }
  void it.recheck.lookAgain(sampleName('name-0'), new AbortController().signal);
  for (let seconds = 1; seconds <= 10; seconds++) {
    await it.passMs(1000);
    assert.ok(it.asked.length <= 5 * seconds + 1, `${it.asked.length} in ${seconds} s`);
  }
  assert.ok(it.asked.length >= 45, `${it.asked.length}`);
  await it.passMs(30_000);
  await it.stop();
});

test('the queue: one check per network of the Internet and minute, each key once, bounded', () => {
  const { world } = storageBench();
  const options = { rechecksMax: 5, recheckSourceIntervalMs: 60_000 };
  const queue = new RecheckQueue(world.clock, options);
  const source = internetSource(1);
  for (const n of [1, 2, 2, 1]) queue.addClaim({ key: keyOf(n), source });
  queue.addClaim({ key: keyOf(3), source: internetSource(2) });
  queue.addClaim({ key: keyOf(4), source: '4:0a0000' });
  queue.addClaim({ key: keyOf(5), source: `sync ${source}` });
  queue.add(keyOf(6), 0);
  assert.equal(queue.size, 5);
  const due = (): string[] => {
    const taken: string[] = [];
    for (let next = queue.takeDue(); next; next = queue.takeDue()) {
      taken.push(toHex(next.subarray(0, 1)));
    }
    return taken;
  };
  assert.deepEqual(due(), ['01', '03', '04', '05']);
  assert.equal(queue.untilDueMs(), 60_000);
  world.advance(60_000);
  assert.deepEqual(due(), ['02']);
  assert.equal(queue.untilDueMs(), undefined);
});

test('the queue: claims from one network wait in at most an hour of its places', () => {
  const { world } = storageBench();
  const queue = new RecheckQueue(world.clock, recheckDefaults);
  const claims = (network: number, count: number): void => {
    for (let n = 0; n < count; n++) {
      const key = new Uint8Array(32);
      new DataView(key.buffer).setUint32(0, n);
      key[5] = network;
      queue.addClaim({ key, source: internetSource(network) });
    }
  };
  claims(1, 2000);
  assert.equal(queue.size, 60);
  claims(2, 3);
  assert.equal(queue.size, 63, 'others find a place');
  world.advance(hourMs);
  while (queue.takeDue());
  claims(1, 1);
  assert.equal(queue.untilDueMs(), 0, 'what found no place is not counted');
});
