/** Threat "transfer reversal" (docs/spec/threats.md): the old owner signs again; sells twice. */
import assert from 'node:assert/strict';
import { testsOf } from '../own-thread.ts';
import type { Names } from '../../src/name/names.ts';
import type { ResolvedName } from '../../src/name/types.ts';
import { seqOf, type SignedRecord } from '../../src/record/envelope.ts';
import { type StoreStatus, storeStatuses } from '../../src/record/kinds.ts';
import { makeNameTombstone } from '../../src/record/name.ts';
import { signTransfer } from '../../src/record/transfer.ts';
import { simNetworkId, type SimNode } from '../node.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { claimOf, isHeldFor, isOwnedBy, recordOf, rootOf, userOf, votersFor } from './claims.ts';
import { winOver } from './liars.ts';

const test = testsOf(import.meta.url);

const minuteMs = 60_000;
const options = { nodes: 40, dht: { confirmAfterMs: minuteMs } };
const label = 'sold';
const day = 86_400;

/** Alice had the name, Bob has it now. All are clients: none of them holds it for others. */
interface Sale {
  readonly alice: SimNode;
  readonly bob: SimNode;
  readonly carol: SimNode;
  /** What Alice had before the sale. */
  readonly before: SignedRecord;
  /** Saw it as Alice's, and as Bob's. */
  readonly sawAlice: Names;
  readonly sawBob: Names;
}

async function client(sim: Simulation): Promise<SimNode> {
  return sim.world.until(sim.join({ server: false }));
}

async function sell(sim: Simulation): Promise<Sale> {
  const { world } = sim;
  const [alice, bob, carol] = [await client(sim), await client(sim), await client(sim)];
  const [sawAlice, sawBob] = [userOf(carol), userOf(carol)];
  const hers = userOf(alice);
  await world.until(hers.register(label, rootOf(1)));
  const before = recordOf(alice, label);
  await world.pass(5 * minuteMs);
  assert.equal((await world.until(sawAlice.resolve(label))).state, 'ok');
  await world.until(hers.transfer(label, bob.authorKey.publicKey));
  await world.until(userOf(bob).register(label, rootOf(2)));
  await world.pass(5 * minuteMs);
  const seen = await world.until(sawBob.resolve(label));
  assert.deepEqual([seen.state, isOwnedBy(seen, bob)], ['ok', true]);
  return { alice, bob, carol, before, sawAlice, sawBob };
}

/** All that Alice might sign to have it back. */
function reversals(alice: SimNode): readonly SignedRecord[] {
  const author = { key: alice.authorKey, network: simNetworkId };
  return [
    claimOf(alice, label, { version: 1000 }),
    claimOf(alice, label, { epoch: 9, version: 1 }),
    makeNameTombstone(label, { seq: seqOf(20, 1), issued: alice.now() }, author),
  ];
}

/** What each of those that answer says to the record. */
async function storeAtEach(
  by: SimNode,
  { bytes: record }: SignedRecord,
  nodes: readonly SimNode[],
): Promise<readonly StoreStatus[]> {
  const answers = await Promise.allSettled(
    nodes.map(({ contact }) => by.transport.call(contact, { method: 'store', record })),
  );
  return answers.flatMap((each) => (each.status === 'fulfilled' ? each.value.reply.status : []));
}

async function assertSeenAs(sim: Simulation, user: Names, owner: SimNode): Promise<void> {
  const seen: ResolvedName = await sim.world.until(user.resolve(label));
  assert.deepEqual([seen.state, isOwnedBy(seen, owner), seen.warning], ['ok', true, undefined]);
}

test('whatever the old owner signs later loses at every storer and every resolver', async (t) => {
  await simulate(t, options, async (sim) => {
    const { world } = sim;
    const { alice, bob, sawAlice, sawBob } = await sell(sim);
    const holders = sim.nodes.filter(isHeldFor(bob, label));
    assert.ok(holders.length >= 20);
    for (const record of reversals(alice)) {
      const answers = await world.until(storeAtEach(alice, record, holders));
      assert.ok(answers.length >= 18);
      assert.deepEqual(new Set(answers), new Set([storeStatuses.NAME_TAKEN]));
      // And to whoever never heard of the sale: they ask the others.
      await world.until(alice.dht.store(record));
      await world.pass(10 * minuteMs);
      assert.ok(!holders.some(isHeldFor(alice, label)));
    }
    for (const user of [sawAlice, sawBob, userOf(alice)]) await assertSeenAs(sim, user, bob);
  });
});

test('19 of 20 storers on the side of the old owner cannot undo the sale', async (t) => {
  await simulate(t, options, async (sim) => {
    const { alice, bob, carol, before, sawAlice, sawBob } = await sell(sim);
    const voters = await votersFor(sim, label, carol);
    const honest = voters.find(isHeldFor(bob, label));
    const others = sim.nodes.filter((node) => node !== honest);
    for (const record of [before, ...reversals(alice)]) {
      await winOver(others, record);
      await sim.world.pass(6 * minuteMs);
      // Who saw it as Alice's, and finds five that still say so, may see that once more.
      await sim.world.until(sawAlice.resolve(label));
      await sim.world.pass(minuteMs);
      for (const user of [sawAlice, sawBob, userOf(carol)]) await assertSeenAs(sim, user, bob);
    }
  });
});

test('who gets it back by a transfer has it, and who gave it back cannot revert that', async (t) => {
  await simulate(t, options, async (sim) => {
    const { world } = sim;
    const { alice, bob, carol, sawAlice, sawBob } = await sell(sim);
    await world.until(userOf(bob).transfer(label, alice.authorKey.publicKey));
    await world.until(userOf(alice).register(label, rootOf(3)));
    const holders = sim.nodes.filter(isHeldFor(alice, label));
    const reversal = claimOf(bob, label, { version: 500, epoch: 7 });
    await world.until(bob.dht.store(reversal));
    await world.pass(10 * minuteMs);
    for (const user of [sawAlice, sawBob, userOf(carol)]) await assertSeenAs(sim, user, alice);
    assert.ok(!holders.some(isHeldFor(bob, label)));
  });
});

/** What Carol shows: Alice signed the name over to her as well, at the same epoch. */
function secondSale({ alice, carol }: Sale): SignedRecord {
  const notAfter = alice.now() + 30 * day;
  const newOwner = carol.authorKey.publicKey;
  const author = { key: alice.authorKey, network: simNetworkId };
  const { signature } = signTransfer({ label, newOwner, newEpoch: 1, notAfter }, author);
  const link = { prevOwner: alice.authorKey.publicKey, newEpoch: 1, notAfter, signature };
  return claimOf(carol, label, { epoch: 1, version: 50, transfers: [link] });
}

test('of two sales the first is held by all; where storers disagree, votes are counted', async (t) => {
  await simulate(t, options, async (sim) => {
    const { world } = sim;
    const sale = await sell(sim);
    const { bob, carol, sawAlice, sawBob } = sale;
    const second = secondSale(sale);
    const holders = sim.nodes.filter(isHeldFor(bob, label));
    await world.until(carol.dht.store(second));
    await world.pass(10 * minuteMs);
    assert.ok(!holders.some(isHeldFor(carol, label)));
    await assertSeenAs(sim, sawAlice, bob);

    const voters = await votersFor(sim, label, sale.alice);
    const half = Math.floor(voters.length / 2);
    const strangerSees = async (): Promise<string> => {
      await world.pass(6 * minuteMs);
      const seen = await world.until(userOf(await client(sim)).resolve(label));
      const owner = [bob, carol].findIndex((one) => isOwnedBy(seen, one));
      return owner < 0 ? seen.state : `${seen.state}, ${['Bob', 'Carol'][owner]}`;
    };
    const states: string[] = [];
    for (const count of [half - 3, half, half + 3]) {
      await winOver(voters.slice(0, count), second);
      states.push(await strangerSees());
    }
    t.diagnostic(`${voters.length} voters; a stranger sees ${states.join('; ')}`);
    assert.equal(states[0], 'ok, Bob');
    assert.equal(states[2], 'ok, Carol');
    await assertSeenAs(sim, sawBob, bob);
  });
});
