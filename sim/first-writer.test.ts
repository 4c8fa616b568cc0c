import assert from 'node:assert/strict';
import { testsOf } from './own-thread.ts';
import { equalBytes } from '../src/base/bytes.ts';
import { storeStatuses } from '../src/record/kinds.ts';
import { nameKey } from '../src/record/name.ts';
import { sampleOf } from './samples.ts';
import { simulate } from './simulate.ts';
import type { Simulation } from './simulation.ts';

const test = testsOf(import.meta.url);

const minuteMs = 60_000;
const { NAME_TAKEN, SEQ_OLD } = storeStatuses;

test('a name that is held is refused by every storer, with the holder as reason', async (t) => {
  await simulate(t, { nodes: 60 }, async (sim) => {
    await sim.world.pass(minuteMs);
    const [owner, other] = sim.some(2);
    assert.ok(owner && other);
    const first = sampleOf('name', { node: owner, label: 'alice' });
    const published = await sim.world.until(owner.publisher.publish(first));
    assert.ok(published.stored >= 20, 'by density there may be more than 20 storers');

    const late = sampleOf('name', { node: other, label: 'alice', version: 9 });
    const { stored, refusals } = await sim.world.until(other.publisher.publish(late));
    // The two may judge differently how far the storage set reaches: who is only in one of them
    // takes the rival provisionally, until it has asked the others.
    assert.ok(stored <= 4, `${stored} took the rival`);
    assert.deepEqual(
      refusals.map(({ status }) => status),
      [NAME_TAKEN],
    );
    assert.ok(refusals.every(({ count }) => count >= 18));
    const [conflicting] = refusals[0]?.conflicting ?? [];
    assert.ok(conflicting && equalBytes(conflicting.hash, first.hash));
    assert.deepEqual(other.publisher.list(), [], 'the loser does not go on trying');

    const newer = sampleOf('name', { node: owner, label: 'alice', version: 2 });
    assert.ok((await sim.world.until(owner.dht.store(newer))).stored >= 20);
    const again = await sim.world.until(owner.dht.store(first));
    assert.ok(again.stored <= 4, `${again.stored} did not know the newer one`);
    assert.deepEqual(
      again.refusals.map(({ status }) => status),
      [SEQ_OLD],
    );
  });
});

test('when two race for a name, every storer keeps exactly one of them', async (t) => {
  await simulate(t, { nodes: 60 }, async (sim) => {
    await sim.world.pass(minuteMs);
    const scores: string[] = [];
    for (let round = 0; round < 12; round++) scores.push(await race(sim, `race-${round}`));
    t.diagnostic(`storers that the two got: ${scores.join(', ')}`);
  });
});

/** Two nodes claim `label` at the same moment; who got how many storers. */
async function race(sim: Simulation, label: string): Promise<string> {
  const claims = sim.some(2).map((node) => ({ node, record: sampleOf('name', { node, label }) }));
  const results = await sim.world.until(
    Promise.all(claims.map(({ node, record }) => node.dht.store(record))),
  );
  const held = sim.nodes.map(({ records }) => records.list(nameKey(label)));
  assert.ok(
    held.every((list) => list.length <= 1),
    'nobody holds both',
  );
  for (const [i, { record }] of claims.entries()) {
    const own = held.filter(([stored]) => stored && equalBytes(stored.record.hash, record.hash));
    // The slowest may have taken it without their answer being waited for.
    assert.ok(own.length >= (results[i]?.stored ?? 0), 'who said OK holds it');
  }
  return results.map(({ stored }) => stored).join(':');
}
