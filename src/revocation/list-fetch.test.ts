import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { RevocationNet, revocationNetwork } from '../../test/support/revocation-net.ts';
import type { Bytes } from '../base/bytes.ts';
import { silentLogger } from '../base/logger.ts';
import { SigningKey } from '../identity/key.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { hashOfContent, makeRevocationsRecord, revocationBytes } from '../record/revocations.ts';
import { countOf, tailOf } from './entries.ts';
import { ListFetch, type ListFetchDeps } from './list-fetch.ts';
import { fileRoot } from './list-files.ts';

const minuteMs = 60_000;
const key = new SigningKey('author', new Uint8Array(32).fill(1));
const hash = (n: number): Bytes => new Uint8Array(32).fill(n);

function listOf(count: number): Bytes {
  const octets = new Uint8Array(count * revocationBytes);
  for (let n = 0; n < count; n++) {
    octets[n * revocationBytes] = 1;
    octets.set(hashOfContent(hash(n)), n * revocationBytes + 1);
  }
  return octets;
}

/** The record of a list whose file is `octets`; it shows `recent`. */
async function signed(
  net: RevocationNet,
  { octets, recent, seq }: { octets: Bytes; recent: Bytes; seq: bigint },
): Promise<SignedRecord> {
  const issued = Math.floor(net.world.clock.unixMs() / 1000);
  const list = await fileRoot(octets);
  net.files.set(list.toString(), octets);
  const body = { count: countOf(octets), nextUpdate: issued + 43_200, recent, list };
  return makeRevocationsRecord(body, { seq, issued }, { key, network: revocationNetwork });
}

test('a file that is not the list of its record is left aside, once, and survives nowhere', async (t) => {
  const net = new RevocationNet(t);
  const one = await net.start({ author: 2, trusts: [key.publicKey] });
  const good = listOf(30);
  const first = await signed(net, { octets: good, recent: tailOf(good), seq: 1n });
  one.revocations.announced(first.bytes, hash(9));
  await net.world.advanceAsync(minuteMs);
  assert.ok(one.lists.ofBlock(hash(0)), 'from the file');

  const zeros = new Uint8Array(60 * revocationBytes);
  zeros.set(good);
  const second = await signed(net, { octets: zeros, recent: tailOf(good), seq: 2n });
  one.revocations.announced(second.bytes, hash(9));
  const before = net.reads;
  await net.world.advanceAsync(10 * minuteMs);
  assert.equal(net.reads, before + 1, 'the same file is not fetched again');
  assert.equal(one.lists.all()[0]?.count, 30);
  assert.equal(one.revocations.freshness().lists[0]?.lacking, true);
  await one.stop();

  const again = await net.start({ author: 2, trusts: [key.publicKey], notes: one.notes });
  assert.ok(again.lists.ofBlock(hash(0)), 'what was known is known after a restart');
  const whole = listOf(60);
  const third = await signed(net, { octets: whole, recent: tailOf(whole), seq: 3n });
  again.revocations.announced(third.bytes, hash(9));
  await net.world.advanceAsync(2 * minuteMs);
  assert.ok(again.lists.ofBlock(hash(59)) && again.lists.ofBlock(hash(35)), 'the next one counts');
  assert.equal(again.revocations.freshness().lists[0]?.equivocated, false);
});

test('small lists do not wait for one another, nor for large ones, which come one at a time', async () => {
  const world = manualWorld();
  const counts = [1_000_000, 1_000_000, 10, 20, 30, 40];
  const lacking = counts.map((count, n) => ({
    isLacking: true,
    revoker: hash(n),
    record: { hash: hash(n) },
    body: { count, list: {} },
  }));
  const reading = new Map<number, () => void>(); // BOUNDED by this test
  const deps = {
    lists: { all: () => lacking },
    intake: { complete: async () => true },
    files: {
      read: (_: unknown, { bytes }: { bytes: number }) =>
        new Promise<Bytes>((resolve) => {
          const count = bytes / revocationBytes;
          reading.set(count, () => {
            reading.delete(count);
            resolve(new Uint8Array());
          });
        }),
    },
    world,
    log: silentLogger,
  };
  const fetch = new ListFetch(deps as unknown as ListFetchDeps);
  fetch.start();
  await world.advanceAsync(1);
  assert.deepEqual([...reading.keys()], [10, 20, 30, 1_000_000]);
  reading.get(20)?.();
  await world.advanceAsync(1);
  assert.deepEqual([...reading.keys()], [10, 30, 1_000_000, 40]);
  for (const list of lacking) list.isLacking = false;
  const stopped = fetch.stop();
  while (reading.size > 0) {
    for (const finish of reading.values()) finish();
    await world.advanceAsync(1);
  }
  await stopped;
});
