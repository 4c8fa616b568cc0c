import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyContact, tinyIds } from '../../../test/support/tiny-contact.ts';
import type { Contact } from '../../identity/contact.ts';
import { RoutingTables } from './tables.ts';

const when = { nowMs: 0, rttMs: 1 };

function v6(id: number): Contact {
  const ip = Uint8Array.of(0xfd, ...Array<number>(14).fill(0), id);
  return { ...tinyContact(id), endpoint: { ip, port: 9000 } };
}

function tablesOf(...contacts: Contact[]): RoutingTables {
  const tables = new RoutingTables(Uint8Array.of(0), { k: 2, sparesMax: 1, missesMax: 1 });
  for (const contact of contacts) tables.confirm(contact, when);
  return tables;
}

test('each family has places of its own', () => {
  const tables = tablesOf(tinyContact(0x80), tinyContact(0x81), v6(0x82), v6(0x83));
  assert.equal(tables.size, 4);
  assert.deepEqual(tinyIds(tables.closest(Uint8Array.of(0x82), 3)), [0x82, 0x83, 0x80]);
  assert.deepEqual(tables.buckets(), [{ distanceBits: 8, contacts: 4 }]);
});

test('a node of both families is one node, with two entries', () => {
  const tables = tablesOf(tinyContact(0x80), v6(0x80), v6(0x40));
  assert.equal(tables.size, 2);
  assert.equal(tables.entries().length, 3);
  assert.deepEqual(tinyIds(tables.contacts()), [0x80, 0x40]);
  assert.deepEqual(tinyIds(tables.closest(Uint8Array.of(0), 9)), [0x40, 0x80]);
  const wantsV6 = tables.closest(Uint8Array.of(0), 9, (entry) => {
    return entry.contact.endpoint.ip.length === 16;
  });
  assert.deepEqual(wantsV6, [v6(0x40), v6(0x80)]);
});

test('what happens in one family leaves the other alone', () => {
  const tables = tablesOf(tinyContact(0x80), v6(0x80));
  tables.miss(tinyContact(0x80));
  assert.deepEqual(tables.contacts(), [v6(0x80)]);
  assert.equal(tables.wants(tinyContact(0x80)), true);
  assert.equal(tables.wants(v6(0x80)), false);
  assert.equal(tables.entryOf(v6(0x80))?.rttMs, 1);
  tables.remove(v6(0x80));
  assert.equal(tables.size, 0);
});

test('a part of the space is as full as the emptier family, and as idle as the idler', () => {
  const both = [0x80, 0x81, 0x40, 0x20, 0x10];
  const tables = tablesOf(...both.map(tinyContact), v6(0x80), v6(0x20), v6(0x10));
  tables.touch(Uint8Array.of(0x80), 7);
  assert.deepEqual(
    tables.refreshable().map(({ bits, full, touchedMs }) => [bits, full, touchedMs]),
    [
      [0, false, 7],
      [1, false, 0],
    ],
  );
});
