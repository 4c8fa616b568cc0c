import assert from 'node:assert/strict';
import { testsOf } from './own-thread.ts';
import { finds, lookupExactness, publishSome, sampleOf } from './samples.ts';
import { simulate } from './simulate.ts';
import type { Simulation } from './simulation.ts';

const test = testsOf(import.meta.url);

const minuteMs = 60_000;

/** Which half of a split network a node is in. */
function sideOf({ id: [first = 0] }: { readonly id: Uint8Array }): number {
  return first & 1;
}

test('5 % loss costs time, not records', async (t) => {
  await simulate(t, { nodes: 100, loss: 0.05 }, async (sim) => {
    await sim.world.pass(2 * minuteMs);
    const exactness = await lookupExactness(sim, 150);
    t.diagnostic(`${(exactness * 100).toFixed(2)} % of the nearest were found`);
    // Of a hundred requests, one loses both its datagrams or both their answers.
    assert.ok(exactness >= 0.97, `${exactness}`);
    for (const { kind, record, result } of await publishSome(sim, 8)) {
      assert.ok(result.stored >= 17, `${kind}: ${result.stored}`);
      assert.ok(await finds(sim, sim.one(), record), `a ${kind} was lost`);
    }
  });
});

test('two halves that lost sight of each other find together again', async (t) => {
  await simulate(t, { nodes: 60 }, async (sim) => {
    await sim.world.pass(minuteMs);
    const oneOn = (side: number): Simulation['nodes'][number] => {
      const found = sim.nodes.find(({ contact }) => sideOf(contact) === side);
      assert.ok(found);
      return found;
    };
    sim.network.partition(sideOf);
    // Long enough for each half to forget the other: nobody's table bridges the gap any more.
    await sim.world.pass(180 * minuteMs);
    for (const { contact, dht } of sim.nodes) {
      assert.ok(dht.table.contacts().every((other) => sideOf(other) === sideOf(contact)));
    }
    const [left, right] = [oneOn(0), oneOn(1)];
    const records = [
      sampleOf('link', { node: left, label: 'left' }),
      sampleOf('link', { node: right, label: 'right' }),
    ] as const;
    await sim.world.until(left.dht.store(records[0]));
    await sim.world.until(right.dht.store(records[1]));
    assert.ok(await finds(sim, oneOn(0), records[0]), 'each half works by itself');
    assert.ok(!(await finds(sim, left, records[1])), 'and hears nothing of the other');

    sim.network.heal();
    await sim.world.pass(60 * minuteMs);
    assert.ok(await finds(sim, left, records[1]));
    assert.ok(await finds(sim, right, records[0]));
    const exactness = await lookupExactness(sim, 100);
    t.diagnostic(`${(exactness * 100).toFixed(2)} % of the nearest were found`);
    assert.ok(exactness >= 0.98, `${exactness}`);
  });
});

test('nodes come and go, and what is published stays', async (t) => {
  await simulate(t, { nodes: 80 }, async (sim) => {
    await sim.world.pass(minuteMs);
    const published = await publishSome(sim, 5);
    // Every two minutes one of 80 goes and one comes: a node stays for less than three hours.
    for (let i = 0; i < 60; i++) {
      await sim.leave(1 / sim.nodes.length);
      await sim.world.until(sim.join());
      await sim.world.pass(2 * minuteMs);
    }
    for (const { kind, record } of published) {
      assert.ok(await finds(sim, sim.one(), record), `a ${kind} was lost`);
    }
    const exactness = await lookupExactness(sim, 100);
    t.diagnostic(`${(exactness * 100).toFixed(2)} % of the nearest were found`);
    assert.ok(exactness >= 0.98, `${exactness}`);
  });
});

test('a node whose seeds were not there yet joins when they come', async (t) => {
  await simulate(t, { nodes: 30 }, async (sim) => {
    sim.network.partition(({ endpoint: { ip } }) => (ip[1] === 30 ? 1 : 0));
    const node = await sim.world.until(sim.join());
    assert.equal(node.dht.table.size, 0);
    sim.network.heal();
    // Strangers that failed are left alone for ten minutes.
    await sim.world.pass(12 * minuteMs);
    assert.ok(node.dht.table.size >= 20);
  });
});
