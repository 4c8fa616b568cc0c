/** Threats "revocation freeze", "flood" and "missed while offline" (docs/spec/threats.md). */
import assert from 'node:assert/strict';
import { revocationsKey } from '../../src/record/revocations.ts';
import { testsOf } from '../own-thread.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { winOver } from './liars.ts';
import { follow, knows, revocationOf, type SimFollower } from './revokers.ts';
import { resting } from './settled.ts';

const test = testsOf(import.meta.url);

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** A revoker, and of the other nodes so many that trust it. */
async function followers(
  sim: Simulation,
  count: number,
): Promise<{ revoker: SimFollower; trusting: readonly SimFollower[] }> {
  const [first, ...others] = sim.some(count + 1);
  assert.ok(first);
  const revoker = await follow(first, []);
  const trusting: SimFollower[] = [];
  for (const node of others) trusting.push(await follow(node, [first.authorKey.publicKey]));
  return { revoker, trusting };
}

async function stopAll(sim: Simulation, all: readonly SimFollower[]): Promise<void> {
  await sim.world.until(
    Promise.all(
      all.map(async ({ lists, revocations }) => {
        await revocations.stop();
        await lists.stop();
      }),
    ),
  );
}

for (const [nodes, count] of [
  [200, 199],
  [200, 100],
] as const) {
  test(`of ${nodes} nodes, all ${count} that trust a revoker hear of it, eight told by each`, async (t) => {
    await simulate(t, { nodes, warm: true, dht: resting }, async (sim) => {
      const { revoker, trusting } = await followers(sim, count);
      await sim.world.pass(minuteMs);
      const before = sim.network.traffic.announce.requests;
      await sim.world.until(revoker.revocations.revoke([revocationOf(1)]));
      await sim.world.pass(20_000);
      const heard = trusting.filter((one) => knows(one, 1)).length;
      t.diagnostic(`${heard} of ${count} within 20 s`);
      assert.ok(heard >= count * 0.9);
      await sim.world.pass(11 * minuteMs); // whoever was told by nobody asks
      assert.ok(trusting.every((one) => knows(one, 1)));
      const sent = sim.network.traffic.announce.requests - before;
      t.diagnostic(`${sent} announcements`);
      assert.ok(sent <= 8 * (count + 1), 'each passes it on once');
      await stopAll(sim, [revoker, ...trusting]);
    });
  });
}

test('who was off hears of it within ten minutes of its return', async (t) => {
  await simulate(t, { nodes: 60, warm: true, dht: resting }, async (sim) => {
    const { revoker } = await followers(sim, 0);
    await sim.world.until(revoker.revocations.revoke([revocationOf(1)]));
    await sim.world.pass(2 * hourMs);
    const node = await sim.world.until(sim.join());
    const late = await follow(node, [revoker.node.authorKey.publicKey]);
    await sim.world.pass(minuteMs);
    assert.ok(knows(late, 1), 'within one');
    await stopAll(sim, [revoker, late]);
  });
});

test('where nine in ten show an old list, the newest is found, or is missed within twelve hours', async (t) => {
  await simulate(t, { nodes: 60, warm: true, dht: resting }, async (sim) => {
    const { revoker, trusting } = await followers(sim, 1);
    const [victim] = trusting;
    assert.ok(victim);
    await sim.world.until(revoker.revocations.revoke([revocationOf(1)]));
    await sim.world.pass(11 * minuteMs);
    assert.ok(knows(victim, 1));
    const old = revoker.lists.get(revoker.node.authorKey.publicKey)?.record;
    assert.ok(old);
    const others = sim.nodes.filter((node) => node !== revoker.node && node !== victim.node);
    const liars = others.slice(0, Math.floor(others.length * 0.9));
    await winOver(liars, old);
    victim.node.onAnnounce = undefined; // nor does anybody tell it
    await sim.world.until(revoker.revocations.revoke([revocationOf(2)]));
    await sim.world.pass(12 * hourMs + 5 * minuteMs);
    const stateOf = (): string | undefined => victim.revocations.freshness().lists[0]?.state;
    t.diagnostic(`known: ${knows(victim, 2)}, ${stateOf()}`);
    assert.ok(knows(victim, 2) || stateOf() === 'stale');
    await sim.world.pass(hourMs);
    assert.ok(knows(victim, 2), 'who is stale asks everybody');
    await stopAll(sim, [revoker, victim]);
  });
});

test('who sees none but old lists says so within twelve hours', async (t) => {
  await simulate(t, { nodes: 60, warm: true, dht: resting }, async (sim) => {
    const { revoker } = await followers(sim, 0);
    const { publicKey } = revoker.node.authorKey;
    // One of those farthest from the list: nobody gives it the newest one to keep.
    const far = sim.closest(revocationsKey(publicKey), 60).findLast((one) => one !== revoker.node);
    assert.ok(far);
    const victim = await follow(far, [publicKey]);
    await sim.world.until(revoker.revocations.revoke([revocationOf(1)]));
    await sim.world.pass(11 * minuteMs);
    assert.ok(knows(victim, 1));
    const old = revoker.lists.get(publicKey)?.record;
    assert.ok(old);
    const others = sim.nodes.filter((node) => node !== far);
    await winOver(others, old);
    far.onAnnounce = undefined;
    await sim.world.until(revoker.revocations.revoke([revocationOf(2)]));
    await sim.world.pass(12 * hourMs + 5 * minuteMs);
    assert.ok(knows(victim, 1) && !knows(victim, 2));
    assert.equal(victim.revocations.freshness().lists[0]?.state, 'stale');
    await stopAll(sim, [revoker, victim]);
  });
});
