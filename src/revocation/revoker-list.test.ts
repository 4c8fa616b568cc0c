import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import type { Bytes } from '../base/bytes.ts';
import { SigningKey } from '../identity/key.ts';
import { networkId, networkProfiles } from '../record/network.ts';
import {
  makeRevocationsRecord,
  parseRevocations,
  recentMax,
  revocationBytes,
  type RevocationsBody,
} from '../record/revocations.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { countOf } from './entries.ts';
import { ListStore } from './list-store.ts';
import { RevokerList } from './revoker-list.ts';

const key = new SigningKey('author', new Uint8Array(32).fill(1));
const network = networkId(networkProfiles.local);
const issued = 1_800_000_000;

function listOf(nonce: number): Bytes {
  const octets = new Uint8Array(recentMax * revocationBytes);
  for (let n = 0; n < recentMax; n++) octets.set([1, n, nonce], n * revocationBytes);
  return octets;
}

function signed(recent: Bytes, seq: bigint): [SignedRecord, RevocationsBody] {
  const what = { count: countOf(recent), nextUpdate: issued + 3600, recent };
  const record = makeRevocationsRecord(what, { seq, issued }, { key, network });
  const body = parseRevocations(record);
  assert.ok(body);
  return [record, body];
}

test('who contradicts himself again and again takes no more memory than both lists may', async () => {
  const list = new RevokerList(key.publicKey, new ListStore(new MemoryNotes()), key.publicKey, 30);
  for (let nonce = 0; nonce < 5; nonce++) {
    await list.take(...signed(listOf(nonce), BigInt(nonce + 1)));
  }
  assert.equal(list.size, recentMax + 30, 'the newest of those that are left');
  assert.equal(list.isRevoked(1, listOf(4).subarray(1, revocationBytes)), true);
  assert.equal(list.isRevoked(1, listOf(0).subarray(1, revocationBytes)), false);
});
