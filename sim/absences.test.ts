import assert from 'node:assert/strict';
import { slotOf } from '../src/record/registry.ts';
import { Absences, causes } from './absences.ts';
import { testsOf } from './own-thread.ts';
import { Population } from './population.ts';
import { sampleOf } from './samples.ts';
import { simulate } from './simulate.ts';

const test = testsOf(import.meta.url);

const minuteMs = 60_000;

test('what is lost, unheard or only late is told apart', async (t) => {
  await simulate(t, { nodes: 12 }, async (sim) => {
    await sim.world.pass(minuteMs);
    const population = new Population(sim, { recordsPerNode: 2 });
    const alone = sim.one();
    population.cutOff(alone);
    population.publishAll(minuteMs);
    await sim.world.pass(3 * minuteMs);
    const absences = new Absences(sim, population);
    const counts = (): readonly number[] => {
      absences.look();
      return causes.map((cause) => absences.countsOf(cause).now);
    };
    assert.deepEqual(counts(), [0, 0, 0]);
    const own = population.items().filter(({ owner }) => owner.node === alone);
    assert.equal(own.length, 2);
    assert.ok(!own.some((item) => population.mustBeThere(item)), 'nobody was told of them');

    const item = population
      .items()
      .find(({ kind, owner }) => kind === 'link' && owner.node !== alone);
    const node = item?.owner.node;
    assert.ok(item && node);
    population.cutOff(node);
    const update = sampleOf('link', { node, label: item.label, version: 2 });
    await sim.world.until(node.publisher.publish(update));
    assert.deepEqual(population.versionsOf(item), [update, item.record]);
    assert.deepEqual(counts(), [0, 1, 0], 'its own copy is of no use to others');
    assert.match(String(absences.explanations('unheard')), /v2 .* publisher cut off.* v1 by \d+/);

    await sim.world.pass(11 * minuteMs);
    assert.deepEqual(counts(), [0, 0, 0], 'it is back, and so is what it published');
    assert.ok(own.every((mine) => population.mustBeThere(mine)));
    await sim.world.until(dropEverywhere(update));
    assert.deepEqual(counts(), [1, 0, 0], 'nobody holds the version before any more');
    await sim.world.until(Promise.all(sim.nodes.map(({ dht }) => dht.store(item.record))));
    assert.deepEqual(counts(), [0, 0, 1]);
    assert.deepEqual(absences.countsOf('lost'), { now: 0, most: 1, longest: 1 });

    async function dropEverywhere({ key }: typeof update): Promise<void> {
      await Promise.all(sim.nodes.map(({ records }) => records.remove(key, slotOf(update))));
    }
  });
});
