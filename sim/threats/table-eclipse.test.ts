import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Contact } from '../../src/identity/contact.ts';
import { collusion, HostileNode } from '../hostile.ts';
import { simulate } from '../simulate.ts';

const minuteMs = 60_000;
/** More than there are honest nodes: IDs are free, and addresses come by the /24. */
const hostileCount = 200;
const hostileNetworks = 2;

test('half of the seeds and a flood of strangers do not fill a table', async (t) => {
  await simulate(t, { nodes: 150 }, async (sim) => {
    await sim.world.pass(2 * minuteMs);
    const contacts: Contact[] = [];
    const lie = collusion(contacts);
    const hostile = Array.from({ length: hostileCount }, (_, i) => {
      const ip = Uint8Array.of(200, i % hostileNetworks, 7, 1 + Math.floor(i / hostileNetworks));
      return new HostileNode(sim, { ip, lie });
    });
    contacts.push(...hostile.map(({ contact }) => contact));

    const seeds = [...sim.some(5).map(({ contact }) => contact), ...contacts.slice(0, 5)];
    const victim = await sim.world.until(sim.join({ seeds }));
    for (let second = 0; second < 3600; second += 10) {
      for (let i = 0; i < 10; i++) void hostile[sim.random.below(hostileCount)]?.greet(victim);
      await sim.world.pass(10_000);
    }
    const known = victim.dht.table.contacts();
    const honest = known.filter((contact) => !contacts.includes(contact)).length;
    t.diagnostic(`${honest} of ${known.length} contacts are honest`);
    assert.ok(known.length > 40 && honest >= 0.7 * known.length, `${honest} of ${known.length}`);
  });
});
