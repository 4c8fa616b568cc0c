/**
 * Threat "invented contacts" (docs/spec/threats.md): a few live attackers stand nearest to a key.
 * Whoever asks them is told of 20 nodes nearer still, made up for this one answer, at addresses
 * where nobody is. What is asked of those cannot be asked of the key's storers.
 */
import assert from 'node:assert/strict';
import { testsOf } from '../own-thread.ts';
import { type Bytes, toHex } from '../../src/base/bytes.ts';
import { distanceShare, randomIdSharing, sharedBits } from '../../src/dht/distance.ts';
import type { GatherEnd } from '../../src/dht/reading/gather.ts';
import type { Contact } from '../../src/identity/contact.ts';
import { HostileNode, type Lie } from '../hostile.ts';
import type { SimNode } from '../node.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { introduce } from '../warm.ts';
import { resting, surveyors } from './settled.ts';

const test = testsOf(import.meta.url);

const nodes = 2000;
const inventors = 16;
const tries = 20;

/** Each answer names 20 others that nobody has heard of, in networks of their own. */
function inventing(sim: Simulation): Lie {
  const { random } = sim;
  const madeUp = (target: Bytes): Contact => ({
    id: randomIdSharing(target, 40, random),
    publicKey: random.bytes(32),
    endpoint: { ip: Uint8Array.of(160 + random.below(60), ...random.bytes(3)), port: 9000 },
  });
  const crowd = (target: Bytes): Contact[] => Array.from({ length: 20 }, () => madeUp(target));
  const none = { records: [], provisional: [], digests: [], next: undefined };
  return ({ request }) => {
    if (request.method === 'find') return { method: 'find', contacts: crowd(request.target) };
    if (request.method === 'get') return { method: 'get', ...none, contacts: crowd(request.key) };
    return undefined;
  };
}

/** All around have heard of them. */
function settle(sim: Simulation, key: Bytes, count: number): void {
  const around = sim.closest(key, 100);
  const bits = Math.max(0, ...around.map(({ contact }) => sharedBits(contact.id, key)));
  for (let i = 0; i < count; i++) {
    const ip = Uint8Array.of(150, i, 0, 1);
    const id = randomIdSharing(key, bits + 1, sim.random);
    const { contact } = new HostileNode(sim, { id, ip, lie: inventing(sim) });
    for (const node of around) introduce(node, contact, sim.network);
  }
}

/** The honest part of the storage set, as the reader judges its size. */
function storersOf(sim: Simulation, key: Bytes, reader: SimNode): readonly SimNode[] {
  const radius = 20 / reader.dht.networkSize();
  return sim
    .closest(key, 40)
    .filter((node) => node !== reader && distanceShare(node.contact.id, key) <= radius);
}

async function read(reader: SimNode, key: Bytes, paths: 1 | 2): Promise<GatherEnd> {
  const answers = reader.dht.gather(key, { reach: 'whole', paths });
  for (;;) {
    const step = await answers.next();
    if (step.done === true) return step.value;
  }
}

for (const paths of [1, 2] as const) {
  test(`who invents contacts hides no storer: paths ${paths}`, async (t) => {
    await simulate(t, { nodes, warm: true, dht: resting }, async (sim) => {
      const readers = await surveyors(sim, { count: 5, lookups: 16 });
      let [found, due, asked, complete] = [0, 0, 0, 0];
      for (let n = 0; n < tries; n++) {
        const key = sim.random.bytes(32);
        const reader = readers[n % readers.length] ?? sim.one();
        const storers = storersOf(sim, key, reader);
        settle(sim, key, inventors);
        const end = await sim.world.until(read(reader, key, paths));
        const heard = new Set(end.closest.map(({ id }) => toHex(id)));
        const there = storers.filter(({ contact }) => heard.has(toHex(contact.id)));
        [found, due, asked] = [found + there.length, due + storers.length, asked + end.asked];
        if (end.complete) complete++;
      }
      t.diagnostic(`${found} of ${due} storers found, ${asked / tries} requests each`);
      t.diagnostic(`${complete} of ${tries} searches complete`);
      assert.ok(found >= 0.97 * due, `${found} of ${due}`);
      assert.ok(complete >= 0.9 * tries, `${complete} complete`);
    });
  });
}
