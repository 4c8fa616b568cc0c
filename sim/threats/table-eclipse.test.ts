/**
 * Threat "table eclipse" (docs/spec/threats.md): who joins is led by seeds of which half are
 * hostile, and flooded by strangers that want into its table.
 */
import assert from 'node:assert/strict';
import { testsOf } from '../own-thread.ts';
import { dhtDefaults } from '../../src/dht/dht.ts';
import { randomIdSharing } from '../../src/dht/distance.ts';
import type { Contact } from '../../src/identity/contact.ts';
import { collusion, HostileNode } from '../hostile.ts';
import type { SimNode } from '../node.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { resting } from './settled.ts';

const test = testsOf(import.meta.url);

const nodes = 1000;
/**
 * /24 networks, each in a /16 of its own, are what an attacker pays for; a storage set is taken over
 * from as many. IDs are free: of them there are as many as of honest nodes.
 */
const hostileNetworks = 6;
const hostileEach = 160;
const seedsOfEach = 5;
const floodIntervalMs = 10_000;
const floodEach = 20;
const hourMs = 3_600_000;

/** Nodes that know and name each other only. */
class Gang {
  readonly contacts: Contact[] = [];
  readonly #members: HostileNode[] = [];
  readonly #sim: Simulation;
  readonly #lie = collusion(this.contacts);

  constructor(sim: Simulation) {
    this.#sim = sim;
  }

  /** One more in each network, with an ID that is made up, or by lot. */
  recruit(makeId: () => Contact['id'] = () => this.#sim.random.bytes(32)): void {
    const host = 1 + this.contacts.length / hostileNetworks;
    for (let i = 0; i < hostileNetworks; i++) {
      const ip = Uint8Array.of(150, i, 7, host);
      const member = new HostileNode(this.#sim, { id: makeId(), ip, lie: this.#lie });
      this.#members.push(member);
      this.contacts.push(member.contact);
    }
  }

  /** Some of them, by lot, show themselves to a node. */
  flood(victim: SimNode): void {
    for (let i = 0; i < floodEach; i++) {
      void this.#members[this.#sim.random.below(this.#members.length)]?.greet(victim);
    }
  }
}

test('half of the seeds and a flood of strangers do not fill a table', async (t) => {
  await simulate(t, { nodes, warm: true, dht: resting }, async (sim) => {
    const { world, random } = sim;
    const gang = new Gang(sim);
    for (let i = 0; i < hostileEach; i++) gang.recruit();
    const honestSeeds = sim.some(seedsOfEach).map(({ contact }) => contact);
    const seeds = [...honestSeeds, ...gang.contacts.slice(0, seedsOfEach)];
    const victim = await world.until(sim.join({ seeds, dht: dhtDefaults }));
    // Once its ID is known, more that stand around it: made up here, ground in earnest.
    for (let i = 0; i < hostileEach / 4; i++) {
      gang.recruit(() => randomIdSharing(victim.contact.id, 8 + (i % 16), random));
    }
    for (let passedMs = 0; passedMs < hourMs; passedMs += floodIntervalMs) {
      gang.flood(victim);
      await world.pass(floodIntervalMs);
    }
    const known = victim.dht.table.contacts();
    const honest = known.filter((contact) => !gang.contacts.includes(contact)).length;
    t.diagnostic(`${honest} of ${known.length} contacts are honest`);
    assert.ok(honest >= 0.7 * known.length, `${honest} of ${known.length}`);
  });
});
