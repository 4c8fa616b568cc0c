/** Names through the production DHT and publisher, on a simulated network. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { isAltNetError } from '../src/base/errors.ts';
import { silentLogger } from '../src/base/logger.ts';
import { Publisher } from '../src/dht/publisher.ts';
import { Names } from '../src/name/names.ts';
import type { ResolvedName } from '../src/name/types.ts';
import { keyName } from '../src/record/label.ts';
import { MemoryPublicationJournal } from '../test/support/memory-store.ts';
import { MemoryNameNotes } from '../test/support/name-net.ts';
import { simNetworkId, type SimNode, simProfile } from './node.ts';
import { Simulation } from './simulation.ts';

const seed = 20_261_121;

function rootOf(fill: number): CID {
  return CID.createV1(0x70, Digest.create(0x12, new Uint8Array(32).fill(fill)));
}

function isTaken(error: unknown): boolean {
  return isAltNetError(error, 'NAME_TAKEN');
}

function namesOf({ dht, world, authorKey, nodeKey }: SimNode): Names {
  const log = silentLogger;
  const keys = { author: authorKey, node: nodeKey };
  const journal = new MemoryPublicationJournal();
  const network = simNetworkId;
  const publisher = new Publisher({ dht, journal, world, keys, network, log });
  const notes = new MemoryNameNotes();
  return new Names({ dht, publisher, notes, authorKey, profile: simProfile, network, world, log });
}

test(`a name is taken once, seen by all and updated (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 100 });
  await sim.start();
  const { world } = sim;
  const [owner, rival, reader] = sim.some(3);
  assert.ok(owner && rival && reader);
  const [mine, theirs, asking] = [namesOf(owner), namesOf(rival), namesOf(reader)];

  const registered = await world.until(mine.register('alice', rootOf(1)));
  assert.ok(registered.stored >= 18, `${registered.stored} of 20 nodes took it`);
  const seen = await world.until(asking.resolve('alice.alt'));
  assert.deepEqual([seen.state, seen.root, seen.version], ['ok', rootOf(1), 1]);
  assert.deepEqual(seen.owner, owner.authorKey.publicKey);

  await assert.rejects(world.until(theirs.register('alice', rootOf(2))), isTaken);

  await world.until(mine.update('alice', rootOf(3)));
  const later = await world.until(namesOf(reader).resolve('alice'));
  assert.deepEqual([later.state, later.root, later.version], ['ok', rootOf(3), 2]);

  const label = keyName(owner.authorKey.publicKey);
  await world.until(mine.register(label, rootOf(4)));
  assert.deepEqual((await world.until(asking.resolve(label))).root, rootOf(4));
  assert.equal((await world.until(asking.resolve('nobody'))).state, 'not-found');
  await sim.stop();
});

test(`a name outlives its owner and a third of the nodes (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 100, loss: 0.02 });
  await sim.start();
  const owner = await sim.world.until(sim.join({ server: false }));
  await sim.world.until(namesOf(owner).register('alice', rootOf(1)));
  await sim.world.until(owner.leave());
  await sim.leave(0.3);
  const resolved = await sim.world.until(namesOf(sim.one()).resolve('alice'));
  assert.deepEqual(resolved.root, rootOf(1));
  assert.ok(['ok', 'new'].includes(resolved.state), resolved.state);
  await sim.stop();
});

for (const nodes of [1, 2, 3, 5]) {
  test(`a network of ${nodes} gives every node the name (seed ${seed})`, async () => {
    const sim = new Simulation({ seed, nodes });
    await sim.start();
    const { world } = sim;
    await world.pass(60_000); // until those who were there have found who came
    const [owner] = sim.nodes;
    assert.ok(owner);
    const mine = namesOf(owner);
    const registered = await world.until(mine.register('alice', rootOf(1)));
    assert.equal(registered.stored, nodes);
    const states: string[] = [];
    for (const node of sim.nodes) {
      const names: Names = node === owner ? mine : namesOf(node);
      const { state, root }: ResolvedName = await world.until(names.resolve('alice'));
      assert.deepEqual(root, rootOf(1));
      states.push(state);
    }
    const expected = Array<string>(nodes).fill(nodes === 1 ? 'new' : 'ok');
    assert.deepEqual(states, expected);
    await sim.stop();
  });
}
