import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SigningKey } from '../identity/key.ts';
import {
  checkContactRecord,
  checkRecord,
  checkTime,
  checkWork,
  clockToleranceSeconds,
} from './acceptance.ts';
import { makeContactRecord } from './contact.ts';
import { parseRecord, type SignedRecord } from './envelope.ts';
import { storeStatusName } from './kinds.ts';
import { hashUrl, linkLifetimeSecondsMax, makeLinkRecord } from './link.ts';
import { networkId, type NetworkProfile, networkProfiles } from './network.ts';
import { findPow, powBitsOf } from './pow.ts';
import type { Stamp } from './stamp.ts';
import { systemWorld } from '../base/clock.ts';

const profile: NetworkProfile = { name: 'trial', powNameBits: 0, powLinkBits: 8 };
const network = networkId(profile);
const now = 2_000_000;
const author = { key: new SigningKey('author', new Uint8Array(32).fill(1)), network };
const node = { key: new SigningKey('node', new Uint8Array(32).fill(2)), network };
const body = { urlHash: hashUrl('//example.org/'), target: 'ipfs://x' };
const idle = makeLinkRecord(body, { seq: 1n, issued: now }, author);
const powNonce = await findPow(
  { kind: idle.kind, key: idle.key, author: idle.author, bits: profile.powLinkBits },
  systemWorld,
);

function make(stamp: Partial<Stamp> = {}): SignedRecord {
  return makeLinkRecord(body, { seq: 1n, issued: now, powNonce, ...stamp }, author);
}

function verdict(record: SignedRecord, nowUnixSeconds: number = now): string {
  return storeStatusName(checkRecord(record, { nowUnixSeconds, profile, network }));
}

function statusAt(record: SignedRecord, nowUnixSeconds: number): string {
  return storeStatusName(checkTime(record, nowUnixSeconds));
}

test('a good record passes every check', () => {
  assert.equal(verdict(make()), 'OK');
});

test('time is judged with ten minutes of tolerance on both sides', () => {
  const record = make();
  assert.equal(statusAt(record, record.issued - clockToleranceSeconds), 'OK');
  assert.equal(statusAt(record, record.issued - clockToleranceSeconds - 1), 'CLOCK');
  assert.equal(statusAt(record, record.expires + clockToleranceSeconds - 1), 'OK');
  assert.equal(statusAt(record, record.expires + clockToleranceSeconds), 'EXPIRED');
});

test('a record cannot claim a longer life than its kind has', () => {
  assert.equal(statusAt(make({ expires: now + linkLifetimeSecondsMax }), now), 'OK');
  assert.equal(statusAt(make({ expires: now + linkLifetimeSecondsMax + 1 }), now), 'MALFORMED');
});

test('work is asked for by the profile', () => {
  assert.ok(powBitsOf(make()) >= 8);
  const lazy = Array.from({ length: 32 }, (_, i) => make({ powNonce: new Uint8Array(8).fill(i) }));
  const short = lazy.find((record) => powBitsOf(record) < 8);
  assert.ok(short, '32 nonces cannot all show 8 zero bits');
  assert.equal(storeStatusName(checkWork(short, profile)), 'POW');
  assert.equal(storeStatusName(checkWork(short, networkProfiles.local)), 'OK');
  assert.equal(verdict(short), 'POW');
});

test('a signature by nobody or for another network fails last', () => {
  const bytes = make().bytes.slice();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  const parsed = parseRecord(bytes);
  assert.ok(parsed.ok);
  assert.equal(verdict(parsed.record), 'BAD_SIG');
  const elsewhere = networkId(networkProfiles.local);
  const judging = { nowUnixSeconds: now, profile, network: elsewhere };
  assert.equal(storeStatusName(checkRecord(make(), judging)), 'BAD_SIG');
});

test('a contact record must be that of the node it came from', () => {
  const self = { protocolMin: 1, protocolMax: 1, capabilities: 0, multiaddrs: [] };
  const record = makeContactRecord(self, { seq: 1n, issued: now }, node);
  const check = (contact: SignedRecord, nodeId = node.key.id, nowUnixSeconds = now): string =>
    storeStatusName(checkContactRecord(contact, { nodeId, nowUnixSeconds, network }));
  assert.equal(check(record), 'OK');
  assert.equal(check(record, author.key.id), 'KEY_MISMATCH');
  assert.equal(check(record, node.key.id, now - 601), 'CLOCK');
  assert.equal(check(make()), 'KIND');
  const long = { seq: 1n, issued: now, expires: now + 86_401 };
  assert.equal(check(makeContactRecord(self, long, node)), 'MALFORMED');
});
