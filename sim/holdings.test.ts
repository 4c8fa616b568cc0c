import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StoredRecord } from '../src/dht/ports.ts';
import { slotOf } from '../src/record/registry.ts';
import { MemoryRecordStore } from '../test/support/memory-store.ts';
import { Holdings, SharedRecordStore } from './holdings.ts';
import { seededRandom } from './random.ts';
import { sampleOf, simKinds } from './samples.ts';
import { Simulation } from './simulation.ts';

test('a shared store holds what a plain one does, and its records are counted', async () => {
  const sim = new Simulation({ seed: 1, nodes: 3 });
  await sim.start();
  const samples = [1, 2, 3].flatMap((version) =>
    sim.nodes.flatMap((node) =>
      simKinds.map((kind) => sampleOf(kind, { node, label: 'one', version })),
    ),
  );
  await sim.stop();

  const random = seededRandom(1);
  const holdings = new Holdings();
  const shared = new SharedRecordStore(holdings);
  const plain = new MemoryRecordStore();
  for (let i = 0; i < 300; i++) {
    const record = samples[random.below(samples.length)];
    assert.ok(record);
    const slot = slotOf(record);
    const times = { heldSinceMs: i, refreshedMs: i };
    const stored: StoredRecord = { record, ...times, provisional: false, source: '' };
    const isPut = random.fraction() < 0.6;
    for (const store of [shared, plain]) {
      await (isPut ? store.put(slot, stored) : store.remove(record.key, slot));
    }
    assert.deepEqual(shared.list(record.key), plain.list(record.key));
    assert.deepEqual([...shared.entries()], [...plain.entries()]);
    assert.deepEqual([...shared.keys(record.key)], [...plain.keys(record.key)]);
    const held = plain.list(record.key).filter(({ record: other }) => other === record);
    assert.equal(holdings.holdersOf(record), held.length);
  }
  shared.clear();
  assert.ok(samples.every((record) => holdings.holdersOf(record) === 0));
});
