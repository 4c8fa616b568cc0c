import assert from 'node:assert/strict';
import { testsOf } from './own-thread.ts';
import { publishSome } from './samples.ts';
import { Simulation } from './simulation.ts';

const test = testsOf(import.meta.url);

async function fingerprintOf(seed: number): Promise<string> {
  const sim = new Simulation({ seed, nodes: 40, loss: 0.05 });
  await sim.start();
  await publishSome(sim, 2);
  await sim.leave(0.2);
  await sim.world.pass(600_000);
  await sim.stop();
  return `${sim.network.requests} ${sim.network.fingerprint} ${sim.world.nowMs}`;
}

test('a seed decides the whole run', async () => {
  const first = await fingerprintOf(1);
  assert.equal(await fingerprintOf(1), first);
  assert.notEqual(await fingerprintOf(2), first);
});
