/** Threat "rollback" (docs/spec/threats.md): 19 of 20 holders serve an old version of a name. */
import assert from 'node:assert/strict';
import { testsOf } from '../own-thread.ts';
import type { Names } from '../../src/name/names.ts';
import type { ResolvedName } from '../../src/name/types.ts';
import { keyName } from '../../src/record/label.ts';
import type { SimNode } from '../node.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { isHeldFor, recordOf, rootOf, userOf, votersFor } from './claims.ts';
import { winOver } from './liars.ts';

const test = testsOf(import.meta.url);

const minuteMs = 60_000;
const options = { nodes: 60, dht: { confirmAfterMs: minuteMs } };

interface Attacked {
  readonly label: string;
  /** Saw version 1, and version 2. */
  readonly sawOld: Names;
  readonly sawNew: Names;
  readonly node: SimNode;
}

/** A name in version 2, of whose holders all but `honest` go on showing version 1. */
async function rollBack(
  sim: Simulation,
  { label: wanted, honest }: { label: string | undefined; honest: number },
): Promise<Attacked> {
  const { world } = sim;
  const [owner] = sim.some(1);
  assert.ok(owner);
  const label = wanted ?? keyName(owner.authorKey.publicKey);
  const author = userOf(owner);
  const node = await world.until(sim.join({ server: false }));
  const [sawOld, sawNew] = [userOf(node), userOf(node)];
  await world.until(author.register(label, rootOf(1)));
  await world.pass(5 * minuteMs);
  assert.equal((await world.until(sawOld.resolve(label))).version, 1);
  const old = recordOf(owner, label);
  await world.until(author.update(label, rootOf(2)));
  assert.equal((await world.until(sawNew.resolve(label))).version, 2);

  const others = sim.nodes.filter((other) => other !== owner);
  const holders = others.filter(isHeldFor(owner, label));
  const voters = await votersFor(sim, label, node);
  assert.ok(holders.length >= 19 && voters.length >= 19);
  // Whoever else holds it shows the old one as well: version 2 is left with so few.
  const asked = voters.filter((voter) => holders.includes(voter));
  const left = new Set(asked.slice(0, honest));
  const liars = [...holders, owner].filter((holder) => !left.has(holder));
  await winOver(liars, old);
  await world.pass(6 * minuteMs); // beyond what an answer is kept for
  return { label, sawOld, sawNew, node };
}

async function versionSeen(sim: Simulation, names: Names, label: string): Promise<number> {
  const { state, version }: ResolvedName = await sim.world.until(names.resolve(label));
  assert.equal(state, 'ok');
  return version ?? 0;
}

test('of 20 holders one is enough for the newest version of a name', async (t) => {
  await simulate(t, options, async (sim) => {
    const { label, node, sawOld, sawNew } = await rollBack(sim, { label: 'rolled', honest: 1 });
    assert.equal(await versionSeen(sim, userOf(node), label), 2);
    assert.equal(await versionSeen(sim, sawNew, label), 2);
    // Five that show what it saw last are enough for an answer; the search goes on behind it.
    await versionSeen(sim, sawOld, label);
    await sim.world.pass(minuteMs);
    assert.equal(await versionSeen(sim, sawOld, label), 2);
  });
});

test('the same for a key name, where five that agree are an answer for anybody', async (t) => {
  await simulate(t, options, async (sim) => {
    const { label, node, sawOld, sawNew } = await rollBack(sim, { label: undefined, honest: 1 });
    assert.equal(await versionSeen(sim, sawNew, label), 2);
    const stranger = userOf(node);
    for (const user of [stranger, sawOld]) await versionSeen(sim, user, label);
    await sim.world.pass(minuteMs);
    for (const user of [stranger, sawOld]) {
      assert.equal(await versionSeen(sim, user, label), 2);
    }
  });
});

test('where everybody shows the old version, who saw the new one is not taken back', async (t) => {
  await simulate(t, options, async (sim) => {
    const { label, sawNew } = await rollBack(sim, { label: 'rolled', honest: 0 });
    const seen = await sim.world.until(sawNew.resolve(label));
    assert.deepEqual([seen.state, seen.version], ['not-found', undefined]);
  });
});
