import assert from 'node:assert/strict';
import { test } from 'node:test';
import { corrupt, injection } from '../hostile.ts';
import { simulate } from '../simulate.ts';

const minuteMs = 60_000;

test('naming one address in every reply costs its owner little more than it costs the liars', async (t) => {
  await simulate(t, { nodes: 200 }, async (sim) => {
    await sim.world.pass(2 * minuteMs);
    const ip = sim.takeAddress();
    const id = sim.random.bytes(32);
    const victim = { id, publicKey: sim.random.bytes(32), endpoint: { ip, port: 9000 } };
    sim.network.attach(victim, { isServer: () => false });

    const expense = { bytes: 0 };
    const liars = sim.some(60);
    const lie = injection(ip, sim.random.fork());
    for (const liar of liars) corrupt(liar, lie, expense);
    const honest = sim.nodes.filter((node) => !liars.includes(node));
    for (let i = 0; i < 300; i++) {
      const node = honest[sim.random.below(honest.length)];
      assert.ok(node);
      await sim.world.until(node.dht.lookup(sim.random.bytes(32)));
    }
    const { received } = sim.network.octetsOf(victim);
    const ratio = received / expense.bytes;
    t.diagnostic(`${received} octets hit the victim, ${ratio.toFixed(2)} for each that was spent`);
    assert.ok(received > 0, 'the attack was real');
    assert.ok(ratio <= 1.5, `${ratio}`);
  });
});
