/** Names through the production DHT and publisher, on a simulated network. */
import assert from 'node:assert/strict';
import { testsOf } from './own-thread.ts';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { isAltNetError } from '../src/base/errors.ts';
import { silentLogger } from '../src/base/logger.ts';
import { Publisher } from '../src/dht/placing/publisher.ts';
import { parseCertificate } from '../src/name/certificate-text.ts';
import { Names } from '../src/name/names.ts';
import { Registrar } from '../src/name/registrar.ts';
import type { ResolvedName } from '../src/name/types.ts';
import { keyName } from '../src/record/label.ts';
import { MemoryPublicationJournal } from '../test/support/memory-store.ts';
import { MemoryNameNotes } from '../test/support/name-net.ts';
import { simNetworkId, type SimNode, simProfile } from './node.ts';
import { Simulation } from './simulation.ts';

const test = testsOf(import.meta.url);

const seed = 20_261_121;

function rootOf(fill: number): CID {
  return CID.createV1(0x70, Digest.create(0x12, new Uint8Array(32).fill(fill)));
}

function isTaken(error: unknown): boolean {
  return isAltNetError(error, 'NAME_TAKEN');
}

function isWithdrawn(error: unknown): boolean {
  return isAltNetError(error, 'CERTIFICATE_BAD');
}

function readZoneFile(): Promise<never> {
  return Promise.reject(new Error('there are no files here'));
}

function namesOf(
  { dht, world, authorKey, nodeKey }: SimNode,
  trustedZones: readonly Uint8Array[] = [],
): Names {
  const log = silentLogger;
  const keys = { author: authorKey, node: nodeKey };
  const journal = new MemoryPublicationJournal();
  const network = simNetworkId;
  const publisher = new Publisher({ dht, journal, world, keys, network, log });
  const notes = new MemoryNameNotes();
  const deps = { dht, publisher, notes, readZoneFile, authorKey, network, world, log };
  return new Names({ ...deps, profile: simProfile }, { trustedZones: () => trustedZones });
}

function isNotHers(error: unknown): boolean {
  return isAltNetError(error, 'NAME_NOT_YOURS');
}

const hourMs = 3_600_000;
/** A storer is sure after so long; the default is an hour, and all the traffic of an hour. */
const soon = { dht: { confirmAfterMs: 60_000 } };

/** Until storers have confirmed what they hold. */
async function settle(sim: Simulation): Promise<void> {
  await sim.world.pass(5 * 60_000);
}

test(`a name is taken once, seen by all and updated (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 100, ...soon });
  await sim.start();
  const { world } = sim;
  const [owner, rival, reader] = sim.some(3);
  assert.ok(owner && rival && reader);
  const [mine, theirs, asking] = [namesOf(owner), namesOf(rival), namesOf(reader)];

  const registered = await world.until(mine.register('alice', rootOf(1)));
  assert.ok(registered.stored >= 18, `${registered.stored} nodes took it`);
  const seen = await world.until(asking.resolve('alice.alt'));
  assert.deepEqual([seen.state, seen.root, seen.version], ['new', rootOf(1), 1]);
  assert.deepEqual(seen.owner, owner.authorKey.publicKey);
  await settle(sim);
  assert.equal((await world.until(asking.resolve('alice'))).state, 'ok');

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

test(`a name goes from one author to the next, and back to nobody (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 60, ...soon });
  await sim.start();
  const { world } = sim;
  const [alice, bob, reader] = sim.some(3);
  assert.ok(alice && bob && reader);
  const [hers, his, asking] = [namesOf(alice), namesOf(bob), namesOf(reader)];
  await world.until(hers.register('alice', rootOf(1)));
  await settle(sim);
  assert.equal((await world.until(asking.resolve('alice'))).state, 'ok');

  await world.until(hers.transfer('alice', bob.authorKey.publicKey));
  await world.until(his.register('alice', rootOf(2)));
  await settle(sim);
  const passedOn = await world.until(asking.resolve('alice'));
  assert.deepEqual([passedOn.state, passedOn.root], ['ok', rootOf(2)]);
  assert.deepEqual([passedOn.owner, passedOn.warning], [bob.authorKey.publicKey, undefined]);
  assert.equal((await world.until(namesOf(reader).resolve('alice'))).state, 'ok');
  await assert.rejects(world.until(hers.update('alice', rootOf(3))), isNotHers);
  assert.deepEqual(hers.list(), [], 'she no longer has it');

  await world.until(his.release('alice'));
  await settle(sim);
  assert.equal((await world.until(asking.resolve('alice'))).state, 'not-found');
  await assert.rejects(world.until(hers.register('alice', rootOf(4))), isTaken);
  await world.until(his.register('alice', rootOf(5)));
  await settle(sim);
  assert.deepEqual((await world.until(asking.resolve('alice'))).root, rootOf(5));
  await sim.stop();
});

test(`a registrar's names are its own, in its zone (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 40 });
  await sim.start();
  const { world } = sim;
  const [registrar, squatter, reader] = sim.some(3);
  assert.ok(registrar && squatter && reader);
  const zone = registrar.authorKey.publicKey;
  await world.until(namesOf(squatter).register('alice', rootOf(9)));
  await world.until(namesOf(registrar).register('alice', rootOf(1), { zone }));
  const seen = await world.until(namesOf(reader, [zone]).resolve('alice'));
  assert.deepEqual([seen.state, seen.root, seen.zone], ['ok', rootOf(1), zone]);
  assert.equal((await world.until(namesOf(reader, [zone]).resolve('bob'))).state, 'not-found');
  await sim.stop();
});

test(`a name that its registrar withdrew stays away, whatever its owner does (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 100, ...soon });
  await sim.start();
  const { world } = sim;
  const [gatekeeper, owner, reader] = sim.some(3);
  assert.ok(gatekeeper && owner && reader);
  const zone = gatekeeper.authorKey.publicKey;
  const theirs = namesOf(gatekeeper, [zone]);
  const registrar = new Registrar({
    names: theirs.ownZone,
    notes: new MemoryNameNotes(),
    authorKey: gatekeeper.authorKey,
    network: simNetworkId,
    world: gatekeeper.world,
    log: silentLogger,
  });
  const { text } = await world.until(registrar.certify('alice', owner.authorKey.publicKey));
  const certificate = parseCertificate(text);
  const hers = namesOf(owner, [zone]);
  await world.until(hers.register('alice', rootOf(1), { certificate }));
  const asking = namesOf(reader, [zone]);
  const seen = await world.until(asking.resolve('alice'));
  assert.deepEqual([seen.state, seen.root, seen.zone], ['ok', rootOf(1), zone]);

  const { stored } = await world.until(registrar.withdraw('alice'));
  assert.ok(stored >= 18, `${stored} nodes took it`);
  await assert.rejects(world.until(hers.update('alice', rootOf(2))), isWithdrawn);
  const lost = namesOf(owner, [zone]); // on another machine, with the certificate alone
  await assert.rejects(
    world.until(lost.register('alice', rootOf(2), { certificate })),
    isWithdrawn,
  );
  await world.pass(5 * 60_000);
  assert.equal((await world.until(asking.resolve('alice'))).state, 'not-found');
  const stranger = namesOf(reader, [zone]);
  assert.equal((await world.until(stranger.resolve('alice'))).state, 'not-found');
  await sim.stop();
});

test(`a name outlives its owner and a third of the nodes (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 100, loss: 0.02, ...soon });
  await sim.start();
  const owner = await sim.world.until(sim.join({ server: false }));
  await sim.world.until(namesOf(owner).register('alice', rootOf(1)));
  await sim.world.until(owner.leave());
  await sim.leave(0.3);
  await settle(sim);
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
    const all = sim.nodes.map((node) => (node === owner ? mine : namesOf(node)));
    const states = async (): Promise<string[]> => {
      const seen: string[] = [];
      for (const names of all) {
        const { state, root }: ResolvedName = await world.until(names.resolve('alice'));
        assert.deepEqual(root, rootOf(1));
        seen.push(state);
      }
      return seen;
    };
    assert.deepEqual(await states(), Array<string>(nodes).fill('new'));
    await world.pass(1.2 * hourMs);
    const confirmed = nodes === 1 ? 'new' : 'ok';
    assert.deepEqual(await states(), Array<string>(nodes).fill(confirmed));
    await sim.stop();
  });
}
