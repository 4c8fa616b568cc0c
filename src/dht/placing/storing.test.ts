import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  sampleName,
  testNetwork,
  testProfile,
} from '../../../test/support/dht-samples.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { tinyContact } from '../../../test/support/tiny-contact.ts';
import type { Bytes } from '../../base/bytes.ts';
import { type StoreStatus, storeStatuses } from '../../record/kinds.ts';
import type { Caller } from '../table/caller.ts';
import { RecordSieve } from '../reading/sieve.ts';
import { offerRecord, storeResult, type StoreResult } from './storing.ts';

const record = sampleName('alice', { seq: 2n });

/** Offers it to as many nodes as there are answers. */
async function offer(answers: readonly [StoreStatus, Bytes?][]): Promise<StoreResult> {
  const { clock } = manualWorld();
  const sieve = new RecordSieve(
    { clock, profile: testProfile, network: testNetwork },
    { key: record.key, reserved: true },
  );
  const { signal } = new AbortController();
  const said = answers.map(async ([status, conflicting], i) => {
    const call = (): Promise<unknown> =>
      Promise.resolve({ reply: { method: 'store', status, conflicting } });
    const by = tinyContact(i + 1);
    const caller = { call } as unknown as Caller;
    return { by, outcome: await offerRecord(by, record, { caller, sieve, signal }) };
  });
  return storeResult(said.length, await Promise.all(said));
}

test('who refuses for the sake of another record must show it', async () => {
  const { NAME_TAKEN, SEQ_OLD, OK, RATE } = storeStatuses;
  const theirs = sampleName('alice', { by: authorKey(2) });
  const elsewhere = sampleName('bob', { by: authorKey(2) });
  const forged = theirs.bytes.slice();
  forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1;
  const { stored, asked, refusals } = await offer([
    [OK],
    [NAME_TAKEN],
    [NAME_TAKEN, forged],
    [NAME_TAKEN, elsewhere.bytes],
    [SEQ_OLD, new Uint8Array(1000)],
    [NAME_TAKEN, theirs.bytes],
    [NAME_TAKEN, theirs.bytes],
    [RATE],
  ]);
  assert.deepEqual([stored, asked], [1, 8]);
  assert.deepEqual(refusals, [
    { status: NAME_TAKEN, count: 2, conflicting: [theirs] },
    { status: RATE, count: 1, conflicting: [] },
  ]);
});
