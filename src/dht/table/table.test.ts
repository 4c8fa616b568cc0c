import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import { tinyContact, tinyIds } from '../../../test/support/tiny-contact.ts';
import { compareDistance } from '../distance.ts';
import { RoutingTable } from './table.ts';

const self = Uint8Array.of(0);
const options = { k: 2, sparesMax: 2, missesMax: 2 };

function tableOf(...ids: number[]): RoutingTable {
  const table = new RoutingTable(self, options);
  ids.forEach((id, i) => table.confirm(tinyContact(id), { nowMs: i, rttMs: 1 }));
  return table;
}

const ids = (table: RoutingTable): (number | undefined)[] => tinyIds(table.contacts());

test('a full bucket keeps its old contacts, newcomers become spares', () => {
  const table = tableOf(0x80, 0x81, 0x82, 0x40);
  assert.deepEqual(ids(table), [0x80, 0x81, 0x40]);
  table.miss(tinyContact(0x80));
  assert.deepEqual(ids(table), [0x80, 0x81, 0x40], 'one miss is forgiven');
  table.miss(tinyContact(0x80));
  assert.deepEqual(ids(table), [0x81, 0x82, 0x40], 'a spare fills the gap');
});

test('an answer clears the misses before it', () => {
  const table = tableOf(0x80);
  table.miss(tinyContact(0x80));
  table.confirm(tinyContact(0x80), { nowMs: 9, rttMs: 4 });
  table.miss(tinyContact(0x80));
  assert.deepEqual(ids(table), [0x80]);
  assert.deepEqual(
    table.entries().map(({ seenMs, rttMs, misses }) => [seenMs, rttMs, misses]),
    [[9, 4, 1]],
  );
});

test('the latest spare comes first, and one that fails is no spare', () => {
  const table = tableOf(0x80, 0x81, 0x82, 0x83, 0x84);
  table.miss(tinyContact(0x84));
  table.remove(Uint8Array.of(0x81));
  assert.deepEqual(ids(table), [0x80, 0x83]);
  table.remove(Uint8Array.of(0x80));
  assert.deepEqual(ids(table), [0x83], '0x82 was pushed out of the two spare places');
});

test('a contact moves only by an answer from its new address', () => {
  const table = tableOf(0x80);
  const moved = { ...tinyContact(0x80), endpoint: { ip: Uint8Array.of(127, 9, 9, 9), port: 1 } };
  table.confirm(moved, { nowMs: 1, rttMs: 1 });
  assert.deepEqual(table.contacts(), [moved]);
});

test('our own ID never enters', () => {
  const table = tableOf(0);
  assert.equal(table.size, 0);
  assert.equal(table.wants(tinyContact(0)), false);
});

const wants = (table: RoutingTable, id: number): boolean => table.wants(tinyContact(id));

test('a newcomer is wanted while there is a place or a spare one', () => {
  assert.equal(wants(tableOf(0x80), 0x81), true);
  assert.equal(wants(tableOf(0x80), 0x80), false, 'known');
  assert.equal(wants(tableOf(0x80, 0x81), 0x82), true, 'as a spare');
  assert.equal(wants(tableOf(0x80, 0x81, 0x82), 0x82), false, 'known spare');
  assert.equal(wants(tableOf(0x80, 0x81, 0x82, 0x83), 0x84), false, 'no spare place');
});

test('buckets tell their distance', () => {
  const buckets = tableOf(0x80, 0x81, 0x20, 1).buckets();
  assert.deepEqual(buckets, [
    { distanceBits: 8, contacts: 2 },
    { distanceBits: 6, contacts: 1 },
    { distanceBits: 1, contacts: 1 },
  ]);
});

test('refreshing concerns the buckets beyond the k nearest', () => {
  const table = tableOf(0x80, 0x40, 0x20, 0x10);
  assert.deepEqual(
    table.refreshable().map(({ bits, full }) => [bits, full]),
    [
      [0, false],
      [1, false],
    ],
    '0x10 and 0x20 are the two nearest; 0x20 shares two bits with 0x00',
  );
  table.touch(Uint8Array.of(0xff), 77);
  assert.equal(table.refreshable()[0]?.touchedMs, 77);
});

test('whatever happens, no bucket grows above k and closest() equals a search of all', () => {
  const id = fc.integer({ min: 0, max: 255 });
  const step = fc.tuple(fc.constantFrom('confirm', 'confirm', 'miss', 'remove'), id);
  const steps = fc.array(step, { maxLength: 200 });
  checkProperty(
    fc.property(steps, id, fc.integer({ min: 1, max: 8 }), id, (events, own, count, target) => {
      const table = new RoutingTable(Uint8Array.of(own), { k: 3, sparesMax: 2, missesMax: 2 });
      for (const [what, on] of events) {
        if (what === 'confirm') table.confirm(tinyContact(on), { nowMs: 0, rttMs: 0 });
        else if (what === 'miss') table.miss(tinyContact(on));
        else table.remove(Uint8Array.of(on));
      }
      assert.ok(table.buckets().every(({ contacts }) => contacts <= 3));
      assert.equal(new Set(ids(table)).size, table.size);
      assert.ok(!table.has(Uint8Array.of(own)));
      const wanted = Uint8Array.of(target);
      const all = table.contacts().toSorted((a, b) => compareDistance(wanted, a.id, b.id));
      assert.deepEqual(tinyIds(table.closest(wanted, count)), tinyIds(all.slice(0, count)));
    }),
  );
});

/** A contact with a public address. */
function publicContact(id: number, ...ip: number[]): ReturnType<typeof tinyContact> {
  return { ...tinyContact(id), endpoint: { ip: Uint8Array.from(ip), port: 9000 } };
}

test('one network gets two places in a bucket, and who was there first keeps them', () => {
  const table = new RoutingTable(self, { k: 4, sparesMax: 2, missesMax: 1 });
  const first = [0x80, 0x81].map((id) => publicContact(id, 8, 8, 8, id));
  const late = publicContact(0x82, 8, 8, 8, 3);
  const when = { nowMs: 0, rttMs: 1 };
  for (const contact of [...first, late]) table.confirm(contact, when);
  assert.deepEqual(table.contacts(), first);
  assert.equal(table.wants(publicContact(0x83, 8, 8, 8, 4)), false);
  assert.equal(table.wants(publicContact(0x83, 8, 8, 9, 4)), true);
  table.miss(publicContact(0x80, 8, 8, 8, 0x80));
  assert.deepEqual(table.contacts(), [first[1], late], 'a spare takes the place');
});

test('one network gets five places in all', () => {
  const wide = { k: 2, sparesMax: 2, missesMax: 1 };
  const table = new RoutingTable(new Uint8Array(2), wide);
  for (let bit = 0; bit < 16; bit++) {
    const id = Uint8Array.of(...(bit < 8 ? [0x80 >> bit, 0] : [0, 0x80 >> (bit - 8)]));
    table.confirm({ ...publicContact(1, 8, 8, 8, bit), id }, { nowMs: 0, rttMs: 1 });
  }
  assert.equal(table.size, 5);
});

test('what fails elsewhere is no miss of a contact', () => {
  const table = new RoutingTable(self, { k: 4, sparesMax: 2, missesMax: 1 });
  const contact = publicContact(0x80, 8, 8, 8, 1);
  table.confirm(contact, { nowMs: 0, rttMs: 1 });
  table.miss(publicContact(0x80, 8, 8, 8, 2));
  assert.deepEqual(table.contacts(), [contact]);
});

test('whether an ID is among the nearest is what the nearest say', () => {
  const table = new RoutingTable(Uint8Array.of(0b1010_0000));
  for (let id = 1; id < 256; id += 3) {
    table.confirm(tinyContact(id), { nowMs: 0, rttMs: 1 });
  }
  for (let target = 0; target < 256; target += 7) {
    for (let id = 0; id < 256; id += 11) {
      const goal = Uint8Array.of(target);
      const [last] = table.closest(goal, 5).slice(4);
      assert.ok(last);
      const expected = compareDistance(goal, last.id, Uint8Array.of(id)) >= 0;
      assert.equal(table.isAmongNearest(Uint8Array.of(id), goal, 5), expected);
    }
  }
});
