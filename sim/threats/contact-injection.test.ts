/**
 * Threat "contact injection" (docs/spec/threats.md): three of ten nodes name a victim's address
 * under made-up IDs in every reply, so that whoever searches sends requests there. Only the replies
 * that name it count as the attackers' expense.
 */
import assert from 'node:assert/strict';
import { testsOf } from '../own-thread.ts';
import type { Contact } from '../../src/identity/contact.ts';
import { datagramBytesMax } from '../../src/wire/packets.ts';
import { corrupt, injection } from '../hostile.ts';
import type { SimNode } from '../node.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { resting } from './settled.ts';

const test = testsOf(import.meta.url);

const nodes = 400;
const liarShare = 0.3;
const searches = 200;

interface Bytes {
  readonly spent: number;
  readonly received: number;
}

type Search = (node: SimNode, key: Contact['id']) => Promise<unknown>;

const find: Search = (node, key) => node.dht.lookup(key);
const read: Search = async (node, key) => {
  for await (const _ of node.dht.gather(key, { reach: 'whole', paths: 2 }));
};

/** Each search by another node. */
async function inject(sim: Simulation, search: Search, names: number): Promise<Bytes> {
  const { random, network, world } = sim;
  const ip = sim.takeAddress();
  const id = random.bytes(32);
  const victim = { id, publicKey: id, endpoint: { ip, port: 9000 } };
  network.attach(victim, { isServer: () => false });
  const expense = { bytes: 0 };
  const liars = new Set(sim.some(nodes * liarShare));
  const lie = injection(ip, random.fork(), names);
  for (const liar of liars) corrupt(liar, lie, expense);
  const honest = sim.nodes.filter((node) => !liars.has(node)).slice(0, searches);
  for (const node of honest) await world.until(search(node, random.bytes(32)));
  return { spent: expense.bytes, received: network.octetsOf(victim).received };
}

for (const [what, search] of Object.entries({ find, read })) {
  test(`whose address fills every reply gets less than that costs: ${what}`, async (t) => {
    await simulate(t, { nodes, warm: true, dht: resting }, async (sim) => {
      const { spent, received } = await inject(sim, search, 20);
      t.diagnostic(`${received} octets for ${spent}: ${(received / spent).toFixed(2)} times`);
      assert.ok(received > 0, 'the attack is a real one');
      assert.ok(received <= 1.5 * spent, `${received} for ${spent}`);
    });
  });

  // Short replies cost so little that more comes of each octet; what bounds it is who searches.
  test(`whose address is in every reply once gets two datagrams per search: ${what}`, async (t) => {
    await simulate(t, { nodes, warm: true, dht: resting }, async (sim) => {
      const { spent, received } = await inject(sim, search, 1);
      t.diagnostic(`${received} octets for ${spent}: ${(received / spent).toFixed(2)} times`);
      assert.ok(received > 0, 'the attack is a real one');
      assert.ok(received <= searches * 2 * datagramBytesMax, `${received} for ${spent}`);
    });
  });
}
