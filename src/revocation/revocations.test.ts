import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type RevocationNode,
  RevocationNet,
  revocationNetwork,
} from '../../test/support/revocation-net.ts';
import { type Bytes, concatBytes, equalBytes, toHex } from '../base/bytes.ts';
import { SigningKey } from '../identity/key.ts';
import type { SignedRecord } from '../record/envelope.ts';
import {
  encodeRevocation,
  hashOfContent,
  hashOfName,
  makeRevocationsRecord,
  type Revocation,
  revocationsKey,
} from '../record/revocations.ts';
import { tailOf } from './entries.ts';
import { fileRoot } from './list-files.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const revoker = 1;
const member = 2;
const revokerKey = new SigningKey('author', new Uint8Array(32).fill(revoker)).publicKey;

const hash = (n: number): Bytes =>
  Uint8Array.from({ length: 32 }, (_, i) => (i < 4 ? n >> (8 * i) : 9));
const content = (n: number, undo = false): Revocation => ({
  type: 1,
  target: hashOfContent(hash(n)),
  undo,
});
const name = (n: number): Revocation => ({ type: 2, target: hashOfName(hash(n)), undo: false });

const pair = async (net: RevocationNet): Promise<[RevocationNode, RevocationNode]> => {
  const one = await net.start({ author: revoker });
  return [one, await net.start({ author: member, trusts: [revokerKey] })];
};

/** A record as the revoker would sign it, with the files that belong to it. */
async function signed(
  net: RevocationNet,
  entries: readonly Revocation[],
  seq: bigint,
): Promise<SignedRecord> {
  const octets = concatBytes(...entries.map(encodeRevocation));
  const issued = Math.floor(net.world.clock.unixMs() / 1000);
  const root = await fileRoot(octets);
  const isLong = entries.length > 20;
  if (isLong) net.files.set(root.toString(), octets);
  return makeRevocationsRecord(
    {
      count: entries.length,
      nextUpdate: issued + 43_200,
      recent: tailOf(octets),
      list: isLong ? root : undefined,
    },
    { seq, issued },
    { key: new SigningKey('author', new Uint8Array(32).fill(revoker)), network: revocationNetwork },
  );
}

test('what is revoked is denied wherever its revoker is trusted, and nowhere else', async (t) => {
  const net = new RevocationNet(t);
  const [one, two] = await pair(net);
  const other = await net.start({ author: 3 });
  let told = 0;
  two.lists.onChange(() => told++);
  const { entries, stored, waitSeconds } = await one.revocations.revoke([content(1), name(2)]);
  assert.deepEqual([entries, stored, waitSeconds], [2, 8, 0]);
  assert.deepEqual(one.lists.ofBlock(hash(1)), revokerKey, 'here at once');
  await net.world.advanceAsync(1);
  assert.deepEqual(two.lists.ofBlock(hash(1)), revokerKey);
  assert.deepEqual(two.lists.ofName(hash(2)), revokerKey);
  assert.equal(two.lists.ofName(hash(1)), undefined, 'content is no name');
  assert.equal(two.lists.ofBlock(hash(3)), undefined);
  assert.equal(told, 1);
  assert.equal(other.lists.ofBlock(hash(1)), undefined);
  assert.equal(other.revocations.freshness().foreign, 2, 'dropped unread, from both');
});

test('what is taken back may be had again, and revoked again', async (t) => {
  const net = new RevocationNet(t);
  const [one, two] = await pair(net);
  for (const [undo, entries] of [
    [false, 1],
    [false, 1],
    [true, 2],
    [true, 2],
    [false, 3],
  ] as const) {
    const revoked = await one.revocations.revoke([content(1, undo)]);
    assert.equal(revoked.entries, entries, 'what changes nothing is not written');
    assert.equal(one.lists.ofBlock(hash(1)) !== undefined, !undo);
    await net.world.advanceAsync(2 * minuteMs);
    assert.equal(two.lists.ofBlock(hash(1)) !== undefined, !undo);
  }
});

test('records of a revoker are a minute apart, and none is lost', async (t) => {
  const net = new RevocationNet(t);
  const [one, two] = await pair(net);
  await one.revocations.revoke([content(1)]);
  const second = await one.revocations.revoke([content(2)]);
  assert.deepEqual([second.stored, second.waitSeconds], [0, 60]);
  assert.ok(one.lists.ofBlock(hash(2)), 'in force here at once');
  await net.world.advanceAsync(59_000);
  assert.equal(net.announced.size, 1);
  assert.equal(two.lists.ofBlock(hash(2)), undefined);
  await net.world.advanceAsync(2000);
  assert.equal(net.announced.size, 2);
  assert.ok(two.lists.ofBlock(hash(2)));
});

test('who hears two records at once goes by the first, and a minute later by the last', async (t) => {
  const net = new RevocationNet(t);
  const two = await net.start({ author: member, trusts: [revokerKey] });
  const records = [
    await signed(net, [content(1)], 1n),
    await signed(net, [content(1), content(2)], 2n),
    await signed(net, [content(1), content(2), content(3)], 3n),
  ];
  for (const { bytes } of [...records, ...records]) two.revocations.announced(bytes, hash(0));
  await net.world.advanceAsync(1000);
  assert.ok(two.lists.ofBlock(hash(1)));
  assert.equal(two.lists.ofBlock(hash(2)), undefined);
  await net.world.advanceAsync(minuteMs);
  assert.ok(two.lists.ofBlock(hash(2)) && two.lists.ofBlock(hash(3)));
  const { taken, deferred, known, passedOn } = two.revocations.freshness();
  assert.deepEqual([taken, deferred, passedOn], [2, 2, 2]);
  assert.ok(known >= 3);
});

test('replayed, reordered and forged records change nothing', async (t) => {
  const net = new RevocationNet(t);
  const two = await net.start({ author: member, trusts: [revokerKey] });
  const old = await signed(net, [content(1)], 1n);
  const taken = await signed(net, [content(1), content(1, true)], 2n);
  const hear = async (bytes: Bytes): Promise<void> => {
    two.revocations.announced(bytes, hash(0));
    await net.world.advanceAsync(2 * minuteMs);
  };
  await hear(taken.bytes);
  await hear(old.bytes);
  await hear(taken.bytes);
  const next = await signed(net, [content(1), content(1, true), content(2)], 3n);
  const forged = next.bytes.slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  await hear(forged);
  await hear(next.bytes.subarray(0, 200));
  await hear(new Uint8Array(158).fill(6));
  const { taken: count, known, bad, foreign } = two.revocations.freshness();
  assert.deepEqual([count, known, bad, foreign], [1, 2, 2, 1]);
  assert.equal(two.lists.ofBlock(hash(1)), undefined);
  assert.equal(two.lists.ofBlock(hash(2)), undefined);
});

test('who was off learns it at the start, and who missed it within ten minutes', async (t) => {
  const net = new RevocationNet(t);
  const one = await net.start({ author: revoker });
  await one.revocations.revoke([content(1)]);
  await net.world.advanceAsync(hourMs);
  const two = await net.start({ author: member, trusts: [revokerKey] });
  await net.world.advanceAsync(5000);
  assert.ok(two.lists.ofBlock(hash(1)));
  net.nodes.splice(0, 2); // nobody is told any more
  await one.revocations.revoke([content(2)]);
  await net.world.advanceAsync(11 * minuteMs);
  assert.ok(two.lists.ofBlock(hash(2)));
  await net.world.advanceAsync(minuteMs);
  await one.revocations.revoke([content(3)]);
  two.revocations.wake();
  await net.world.advanceAsync(1);
  assert.ok(two.lists.ofBlock(hash(3)), 'at once when it has slept');
});

test('a restart denies what was denied before anybody answers', async (t) => {
  const net = new RevocationNet(t);
  const [one, two] = await pair(net);
  await one.revocations.revoke([content(1), name(2)]);
  await net.world.advanceAsync(1000);
  await two.stop();
  const { notes } = two;
  const again = await net.start({ author: member, trusts: [revokerKey], notes, deaf: true });
  assert.ok(again.lists.ofBlock(hash(1)) && again.lists.ofName(hash(2)));
  assert.equal(again.revocations.freshness().lists[0]?.state, 'fresh');
  await again.stop();
  await one.stop();
  const own = await net.start({ author: revoker, notes: one.notes, deaf: true });
  assert.ok(own.lists.ofBlock(hash(1)), 'a revoker goes by its own list');
});

test('an earlier record is refused after a restart as well', async (t) => {
  const net = new RevocationNet(t);
  const old = await signed(net, [content(1)], 1n);
  const taken = await signed(net, [content(1), content(1, true)], 2n);
  const two = await net.start({ author: member, trusts: [revokerKey] });
  net.store(taken);
  two.revocations.wake();
  await net.world.advanceAsync(1000);
  await two.stop();
  for (const { held } of net.storers) held.set(toHex(old.key), old);
  const again = await net.start({ author: member, trusts: [revokerKey], notes: two.notes });
  await net.world.advanceAsync(hourMs);
  assert.equal(again.lists.ofBlock(hash(1)), undefined);
  assert.equal(again.revocations.freshness().taken, 0);
});

test('a trusted revoker comes and goes with the list of them', async (t) => {
  const net = new RevocationNet(t);
  const [one, two] = await pair(net);
  await one.revocations.revoke([content(1)]);
  await net.world.advanceAsync(1000);
  two.trusted.set([]);
  await net.world.advanceAsync(1000);
  assert.equal(two.lists.ofBlock(hash(1)), undefined);
  two.trusted.set([revokerKey]);
  await net.world.advanceAsync(1000);
  assert.ok(two.lists.ofBlock(hash(1)));
  assert.equal(two.revocations.freshness().lists.length, 1);
});

test('a list that is longer than its record is fetched, and grows without that', async (t) => {
  const net = new RevocationNet(t);
  const one = await net.start({ author: revoker });
  const many = Array.from({ length: 300 }, (_, i) => content(i));
  await one.revocations.revoke(many);
  assert.equal(net.files.size, 1);
  net.areFilesGone = true;
  const two = await net.start({ author: member, trusts: [revokerKey] });
  await net.world.advanceAsync(minuteMs);
  assert.ok(two.lists.ofBlock(hash(299)), 'what the record shows is in force at once');
  assert.equal(two.lists.ofBlock(hash(0)), undefined);
  assert.equal(two.revocations.freshness().lists[0]?.lacking, true);
  await two.stop();
  const again = await net.start({ author: member, trusts: [revokerKey], notes: two.notes });
  assert.ok(again.lists.ofBlock(hash(299)), 'also after a restart');
  net.areFilesGone = false;
  await net.world.advanceAsync(2 * minuteMs);
  assert.ok(again.lists.ofBlock(hash(0)));
  assert.equal(again.revocations.freshness().lists[0]?.lacking, false);
  const { reads } = net;
  await one.revocations.revoke([content(300)]);
  await net.world.advanceAsync(2 * minuteMs);
  assert.ok(again.lists.ofBlock(hash(300)));
  assert.equal(net.reads, reads, 'the record showed all that was new');
  const [freshness] = again.revocations.freshness().lists;
  assert.deepEqual([freshness?.entries, freshness?.inForce], [301, 301]);
  assert.equal(freshness?.equivocated, false);
});

test('the record is signed anew every six hours, and one that is not is stale', async (t) => {
  const net = new RevocationNet(t);
  const [one, two] = await pair(net);
  await one.revocations.revoke([content(1)]);
  await net.world.advanceAsync(dayMs);
  assert.equal(net.announced.size, 5, 'at once, and four times in a day');
  const state = (): string | undefined => two.revocations.freshness().lists[0]?.state;
  assert.equal(state(), 'fresh');
  await one.stop();
  await net.world.advanceAsync(11 * hourMs);
  assert.equal(state(), 'fresh');
  await net.world.advanceAsync(1.5 * hourMs);
  assert.equal(state(), 'stale');
  assert.equal(two.warnings.filter((said) => said.includes('stale')).length, 1);
  assert.ok(two.lists.ofBlock(hash(1)), 'it stays in force');
});

test('a view that is held back is noticed within twelve hours of the next record', async (t) => {
  const net = new RevocationNet(t, 20);
  const [one, two] = await pair(net);
  await one.revocations.revoke([content(1)]);
  await net.world.advanceAsync(1000);
  net.nodes.splice(0, 2); // nobody is told
  for (const storer of net.storers) storer.frozen = true;
  await one.revocations.revoke([content(2)]);
  await net.world.advanceAsync(12 * hourMs + 2 * minuteMs);
  assert.equal(two.lists.ofBlock(hash(2)), undefined);
  assert.equal(two.revocations.freshness().lists[0]?.state, 'stale');
  assert.equal(two.warnings.filter((said) => said.includes('stale')).length, 1);
  const [honest] = net.storers.slice(-1);
  assert.ok(honest);
  honest.frozen = false; // the last of twenty who is asked
  await net.world.advanceAsync(7 * hourMs);
  assert.ok(two.lists.ofBlock(hash(2)), 'who is stale asks everybody');
  assert.equal(two.revocations.freshness().lists[0]?.state, 'fresh');
});

const entriesOf = (from: number, to: number): Revocation[] =>
  Array.from({ length: to - from }, (_, i) => content(from + i));

test('of lists that contradict each other both are in force, and it is said for ever', async (t) => {
  const net = new RevocationNet(t);
  const two = await net.start({ author: member, trusts: [revokerKey] });
  const hear = async (record: SignedRecord): Promise<void> => {
    two.revocations.announced(record.bytes, hash(0));
    await net.world.advanceAsync(2 * minuteMs);
  };
  await hear(await signed(net, [content(1), content(2)], 1n));
  assert.equal(two.revocations.freshness().lists[0]?.equivocated, false);
  await hear(await signed(net, [content(1), content(3)], 2n));
  for (const n of [1, 2, 3]) assert.ok(two.lists.ofBlock(hash(n)), `${n}`);
  assert.equal(two.warnings.filter((said) => said.includes('contradicts')).length, 1);
  await hear(await signed(net, [content(1), content(3), content(2, true), content(4)], 3n));
  assert.equal(two.lists.ofBlock(hash(2)), undefined, 'the last word counts');
  await hear(await signed(net, [content(5)], 4n));
  for (const n of [1, 3, 4, 5]) assert.ok(two.lists.ofBlock(hash(n)), `${n}`);
  await two.stop();
  const { notes } = two;
  const again = await net.start({ author: member, trusts: [revokerKey], notes, deaf: true });
  for (const n of [1, 3, 4, 5]) assert.ok(again.lists.ofBlock(hash(n)), `${n}, after a restart`);
  assert.equal(again.lists.ofBlock(hash(2)), undefined);
  assert.equal(again.revocations.freshness().lists[0]?.equivocated, true);
});

test('a long list whose beginning was changed is found out, also when its end fits', async (t) => {
  const net = new RevocationNet(t);
  const two = await net.start({ author: member, trusts: [revokerKey] });
  const hear = async (record: SignedRecord): Promise<void> => {
    two.revocations.announced(record.bytes, hash(0));
    await net.world.advanceAsync(2 * minuteMs);
  };
  await hear(await signed(net, entriesOf(0, 40), 1n));
  assert.ok(two.lists.ofBlock(hash(0)));
  const changed = [content(99), ...entriesOf(1, 41)];
  await hear(await signed(net, changed, 2n));
  assert.equal(two.revocations.freshness().lists[0]?.equivocated, true);
  for (const n of [0, 99, 40]) assert.ok(two.lists.ofBlock(hash(n)), `${n}`);
});

test('a crash before the record is out is made up for', async (t) => {
  const net = new RevocationNet(t);
  const one = await net.start({ author: revoker });
  await one.revocations.revoke([content(1)]);
  await one.revocations.revoke([content(2)]); // waits for its minute
  await one.stop();
  const again = await net.start({ author: revoker, notes: one.notes });
  const two = await net.start({ author: member, trusts: [revokerKey] });
  await net.world.advanceAsync(2 * minuteMs);
  assert.ok(two.lists.ofBlock(hash(2)));
  assert.equal(again.revocations.freshness().lists.length, 1);
});

test('one author on two machines has one list', async (t) => {
  const net = new RevocationNet(t);
  const one = await net.start({ author: revoker });
  const two = await net.start({ author: member, trusts: [revokerKey] });
  await one.revocations.revoke([content(1)]);
  await net.world.advanceAsync(2 * minuteMs);
  const other = await net.start({ author: revoker });
  const { entries } = await other.revocations.revoke([content(2)]);
  assert.equal(entries, 2, 'what was revoked elsewhere is looked up first');
  await net.world.advanceAsync(2 * minuteMs);
  assert.ok(one.lists.ofBlock(hash(2)));
  assert.equal(two.revocations.freshness().lists[0]?.equivocated, false);
  // Both at the same time: neither knows of the other.
  net.nodes.splice(
    net.nodes.findIndex(({ id }) => equalBytes(id, one.id)),
    1,
  );
  await other.revocations.revoke([content(3)]);
  await one.revocations.revoke([content(4)]);
  one.revocations.wake();
  other.revocations.wake();
  await net.world.advanceAsync(15 * minuteMs);
  for (const { lists } of [one, other, two]) {
    for (const n of [1, 2, 3, 4]) assert.ok(lists.ofBlock(hash(n)), `${n}`);
  }
});

test('a record is passed on once by each who cares', async (t) => {
  const net = new RevocationNet(t);
  const one = await net.start({ author: revoker });
  const members = [];
  for (let i = 0; i < 6; i++)
    members.push(await net.start({ author: 10 + i, trusts: [revokerKey] }));
  await one.revocations.revoke([content(1)]);
  await net.world.advanceAsync(5000);
  for (const { lists, revocations } of members) {
    assert.ok(lists.ofBlock(hash(1)));
    assert.equal(revocations.freshness().passedOn, 1);
  }
  const [sent] = net.announced.values();
  assert.equal(sent, 7 * 6, 'each to all six others');
});

test('stopping twice is harmless and leaves no timer', async (t) => {
  const net = new RevocationNet(t);
  const [one, two] = await pair(net);
  await one.revocations.revoke([content(1)]);
  for (const node of [one, two]) {
    await node.stop();
    await node.stop();
  }
  assert.equal(net.world.pendingTimers(), 0);
  assert.ok(net.storers[0]?.held.has(toHex(revocationsKey(revokerKey))));
});
