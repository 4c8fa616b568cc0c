import assert from 'node:assert/strict';
import { test } from 'node:test';
import { authorKey, sampleName, testNetwork, testProfile } from '../../test/support/dht-samples.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { tinyContact } from '../../test/support/tiny-contact.ts';
import type { Bytes } from '../base/bytes.ts';
import { type StoreStatus, storeStatuses } from '../record/kinds.ts';
import type { Caller } from './caller.ts';
import { RecordSieve } from './sieve.ts';
import { storeAt, type StoreResult } from './storing.ts';

const record = sampleName('alice', { seq: 2n });

/** Offers it to as many nodes as there are answers. */
function offer(answers: readonly [StoreStatus, Bytes?][]): Promise<StoreResult> {
  let next = 0;
  const call = (): Promise<unknown> => {
    const [status, conflicting] = answers[next++] ?? [storeStatuses.RATE];
    return Promise.resolve({ reply: { method: 'store', status, conflicting } });
  };
  const { clock } = manualWorld();
  return storeAt(
    answers.map((_, i) => tinyContact(i + 1)),
    {
      record,
      caller: { call } as unknown as Caller,
      sieve: new RecordSieve(
        { clock, profile: testProfile, network: testNetwork },
        { key: record.key, reserved: true },
      ),
      storeHere: () => Promise.resolve(undefined),
      signal: new AbortController().signal,
    },
  );
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
