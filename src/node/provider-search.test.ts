/** What a search for providers says when it found none, by real DHTs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeKey, sampleProvider } from '../../test/support/dht-samples.ts';
import { DirectNet, type DirectNode } from '../../test/support/direct-net.ts';
import { slotOf } from '../record/registry.ts';
import { providerSearch } from './provider-search.ts';

const record = sampleProvider(7, { by: nodeKey(5) });

interface Found {
  readonly records: number;
  readonly isConclusive: boolean;
}

async function found(
  { dht }: DirectNode,
  n: number,
  { isPatient = false, expects = false }: { isPatient?: boolean; expects?: boolean } = {},
): Promise<Found> {
  const search = providerSearch(dht, nodeKey(n).publicKey, { expects }).gather(record.key, {
    isPatient,
  });
  let records = 0;
  for (;;) {
    const step = await search.next();
    if (step.done === true) return { records, ...step.value };
    records += step.value.records.length;
  }
}

async function hold({ records }: DirectNode): Promise<void> {
  const nowMs = 1_767_225_600_000;
  const times = { heldSinceMs: nowMs, refreshedMs: nowMs };
  await records.put(slotOf(record), { record, ...times, provisional: false, source: '' });
}

/** Lets so much time pass that every answer has come. */
async function later<T>(net: DirectNet, work: Promise<T>): Promise<T> {
  await net.world.advanceAsync(5000);
  return work;
}

test('that nobody has it is said only when all of a few have answered', async (t) => {
  const net = new DirectNet();
  const nodes = await net.start(5);
  t.after(() => Promise.all(nodes.map(({ dht }) => dht.stop())));
  const [reader, , , , holder] = nodes;
  assert.ok(reader && holder);
  assert.deepEqual(await found(reader, 1), { records: 0, isConclusive: true });

  await hold(holder);
  net.delaysMs.set(holder.contact, 1500);
  const hasty = await later(net, found(reader, 1));
  assert.deepEqual(hasty, { records: 0, isConclusive: false }, 'it is late, not gone');
  const patient = await later(net, found(reader, 1, { isPatient: true }));
  assert.equal(patient.records, 1);
});

test('who has just started, or is about to find others, cannot say so', async (t) => {
  const net = new DirectNet();
  const nodes = await net.start(3);
  const newcomer = net.add(4);
  t.after(() => Promise.all([...nodes, newcomer].map(({ dht }) => dht.stop())));
  await newcomer.dht.start();
  assert.equal((await found(newcomer, 4)).isConclusive, true, 'there is nobody to ask');
  assert.equal((await found(newcomer, 4, { expects: true })).isConclusive, false);
  const [seed] = nodes;
  assert.ok(seed);
  await newcomer.dht.join([seed.contact]);
  assert.equal((await found(newcomer, 4)).isConclusive, false);
  await net.world.advanceAsync(20_000);
  assert.equal((await found(newcomer, 4)).isConclusive, true);
});
