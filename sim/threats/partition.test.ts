/** Threat "partition, two owners" (docs/spec/threats.md): split for 24 hours, both sides claim. */
import assert from 'node:assert/strict';
import { testsOf } from '../own-thread.ts';
import type { Contact } from '../../src/identity/contact.ts';
import type { Names } from '../../src/name/names.ts';
import type { SimNode } from '../node.ts';
import { patient } from '../patient.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { holdersFor, isHeldFor, isOwnedBy, rootOf, userOf, votersFor } from './claims.ts';

const test = testsOf(import.meta.url);

const hourMs = 3_600_000;
const options = { nodes: 40, dht: patient(30) };
const labels = Array.from({ length: 5 }, (_, i) => `both-${i}`);

/** One side of a split network: who claims the names there, and who saw that. */
interface Side {
  readonly owner: SimNode;
  readonly visitor: Names;
}

/** Two networks for 24 hours, in each of which all names are registered and seen; then one again. */
async function splitForADay(sim: Simulation, share: number): Promise<readonly [Side, Side]> {
  const { world, network } = sim;
  await world.pass(hourMs);
  const left = sim.some(Math.round(sim.nodes.length * share));
  const ids = new Set(left.map(({ contact }) => contact.id));
  network.partition(({ id }: Contact) => (ids.has(id) ? 0 : 1));
  await world.pass(hourMs);
  const right = sim.nodes.filter((node) => !left.includes(node));
  const sides = [await claimAll(sim, left), await claimAll(sim, right)] as const;
  await world.pass(23 * hourMs);
  for (const { owner, visitor } of sides) {
    for (const label of labels) {
      const seen = await world.until(visitor.resolve(label));
      assert.deepEqual([seen.state, isOwnedBy(seen, owner)], ['ok', true]);
    }
  }
  network.heal();
  return sides;
}

async function claimAll(sim: Simulation, nodes: readonly SimNode[]): Promise<Side> {
  const [owner, other] = nodes;
  assert.ok(owner && other);
  await owner.publisher.start();
  const user = userOf(owner);
  for (const label of labels) await sim.world.until(user.register(label, rootOf(1)));
  return { owner, visitor: userOf(other) };
}

/**
 * Who was shown an owner before is shown that one, or told that something is wrong. Returns how
 * many of the answers told so.
 */
async function noSilentFlips(sim: Simulation, sides: readonly Side[]): Promise<number> {
  let told = 0;
  for (const { owner, visitor } of sides) {
    for (const label of labels) {
      const seen = await sim.world.until(visitor.resolve(label));
      if (isOwnedBy(seen, owner)) continue;
      assert.ok(seen.state === 'contested' || seen.warning === 'owner-changed', seen.state);
      told++;
    }
  }
  return told;
}

/** A newcomer is shown an owner for whom more than half of the voters hold, or no root at all. */
async function strangerSees(sim: Simulation, sides: readonly Side[]): Promise<readonly string[]> {
  const { world } = sim;
  const node = await world.until(sim.join({ server: false }));
  const states: string[] = [];
  for (const label of labels) {
    const voters = await votersFor(sim, label, node);
    const votes = sides.map(({ owner }) => voters.filter(isHeldFor(owner, label)).length);
    const seen = await world.until(userOf(node).resolve(label));
    const shown = sides.findIndex(({ owner }) => isOwnedBy(seen, owner));
    const winner = votes.findIndex((count) => count * 2 > voters.length);
    assert.equal(shown, winner, `${label}: ${votes.join()} of ${voters.length}, ${seen.state}`);
    states.push(seen.state);
  }
  return states;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}

test('after a split in halves nobody is shown another owner than before', async (t) => {
  await simulate(t, options, async (sim) => {
    const sides = await splitForADay(sim, 0.5);
    for (const hours of [0.2, 12, 12]) {
      await sim.world.pass(hours * hourMs);
      await noSilentFlips(sim, sides);
    }
    const states = await strangerSees(sim, sides);
    t.diagnostic(`a stranger, a day later: ${states.join()}`);
    assert.ok(states.every((state) => ['ok', 'new', 'contested'].includes(state)));
  });
});

test('the smaller side gives way within two days, and its visitors are told', async (t) => {
  await simulate(t, options, async (sim) => {
    const sides = await splitForADay(sim, 0.75);
    const [, small] = sides;
    const counts = (): readonly number[] =>
      labels.map((label) => holdersFor(sim, label, small.owner).confirmed);
    const before = counts();
    let told = 0;
    for (const hours of [0.2, 24, 24]) {
      await sim.world.pass(hours * hourMs);
      told = await noSilentFlips(sim, sides);
    }
    const after = counts();
    t.diagnostic(`holders for the smaller side: ${before.join()}, then ${after.join()}`);
    t.diagnostic(`told that their name is contested: ${told} of ${labels.length}`);
    assert.deepEqual(new Set(await strangerSees(sim, sides)), new Set(['ok']));
    assert.ok(sum(after) * 4 < sum(before));
    assert.ok(told > 0);
  });
});
