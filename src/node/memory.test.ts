import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryNotes } from '../../test/support/link-net.ts';
import { utf8 } from '../base/bytes.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import {
  announcedAddresses,
  guideRoot,
  noteAnnounced,
  noteGuideRoot,
  noteReach,
  recalledReach,
  rememberedPeers,
  rememberPeers,
} from './memory.ts';

function contact(n: number): Contact {
  const ip = n % 2 === 0 ? Uint8Array.of(10, 0, 0, n) : new Uint8Array(16).fill(0x20).fill(n, 3, 4);
  return contactOf(new Uint8Array(32).fill(n), { ip, port: 9000 + n });
}

function contacts(from: number, to: number): Contact[] {
  return Array.from({ length: to - from }, (_, i) => contact(from + i));
}

test('peers are remembered, at most 64, in their order', async () => {
  const notes = new MemoryNotes();
  assert.deepEqual(rememberedPeers(notes), []);
  await rememberPeers(notes, contacts(0, 100));
  assert.deepEqual(rememberedPeers(notes), contacts(0, 64));
});

test('a run that met nobody, or few, does not forget those of the run before', async () => {
  const notes = new MemoryNotes();
  await rememberPeers(notes, contacts(0, 30));
  await rememberPeers(notes, []);
  assert.equal(rememberedPeers(notes).length, 20);
  await rememberPeers(notes, [contact(50), contact(3)]);
  assert.deepEqual(rememberedPeers(notes).slice(0, 4), [
    contact(3),
    contact(50),
    contact(0),
    contact(1),
  ]);
  await rememberPeers(notes, contacts(60, 85));
  assert.deepEqual(rememberedPeers(notes), contacts(60, 85));
});

test('those who proved themselves in earlier runs stay, and one network gets few places', async () => {
  const notes = new MemoryNotes();
  await rememberPeers(notes, contacts(0, 40));
  const crowd = contacts(100, 200);
  await rememberPeers(notes, [...crowd, ...contacts(0, 40)]);
  const kept = rememberedPeers(notes);
  assert.equal(kept.length, 64);
  assert.deepEqual(kept.slice(0, 32), contacts(0, 32), 'not pushed out by those seen later');
  const hostile = Array.from({ length: 60 }, (_, i) =>
    contactOf(new Uint8Array(32).fill(i + 150), { ip: Uint8Array.of(45, 1, 2, i + 1), port: 9000 }),
  );
  await rememberPeers(new MemoryNotes(), hostile);
  const other = new MemoryNotes();
  await rememberPeers(other, hostile, contacts(0, 8));
  assert.deepEqual(rememberedPeers(other), [...hostile.slice(0, 2), ...contacts(0, 8)]);
});

test('where a node could be reached is recalled for six hours', async () => {
  const notes = new MemoryNotes();
  const hourMs = 3_600_000;
  const at = { ip: Uint8Array.of(45, 1, 2, 3), port: 9000 };
  assert.deepEqual(recalledReach(notes, 0), []);
  await noteReach(notes, [at], 10 * hourMs);
  await noteReach(notes, [], 11 * hourMs);
  assert.deepEqual(recalledReach(notes, 15 * hourMs), [at]);
  assert.deepEqual(recalledReach(notes, 17 * hourMs), [], 'too long ago');
  assert.deepEqual(recalledReach(notes, 5 * hourMs), [], 'noted by a clock that was wrong');
});

test('what cannot be read is left out', () => {
  const notes = new MemoryNotes();
  const key = '01'.repeat(32);
  const lines = [`${key} 10.0.0.1:9000`, `${key} host:1`, 'zz 10.0.0.1:1', '', `${key} 10.0.0.1:0`];
  void notes.put('node/peers', utf8(lines.join('\n')));
  assert.equal(rememberedPeers(notes).length, 1);
  void notes.put('node/peers', Uint8Array.of(0xff));
  assert.deepEqual(rememberedPeers(notes), []);
});

test('the addresses that were announced are noted', async () => {
  const notes = new MemoryNotes();
  assert.deepEqual(announcedAddresses(notes), []);
  await noteAnnounced(notes, ['b', 'a']);
  assert.deepEqual(announcedAddresses(notes), ['a', 'b']);
});

test('what did not change is not written again', async () => {
  const notes = new MemoryNotes();
  await noteGuideRoot(notes, 'bafk');
  assert.equal(guideRoot(notes), 'bafk');
  notes.put = () => Promise.reject(new Error('written again'));
  await noteGuideRoot(notes, 'bafk');
});
