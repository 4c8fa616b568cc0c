import assert from 'node:assert/strict';
import { testsOf } from './own-thread.ts';
import { finds, lookupExactness, publishSome } from './samples.ts';
import { simulate } from './simulate.ts';

const test = testsOf(import.meta.url);

const minuteMs = 60_000;

/** One network for all that needs many nodes: starting it is the dear part. */
test('a thousand nodes', async (t) => {
  await simulate(
    t,
    { nodes: 1000, joinIntervalMs: 40, dht: { ownLookupMinMs: 60_000 } },
    async (sim) => {
      await sim.world.pass(minuteMs / 2);

      await t.test('lookups find the true 20 nearest', async () => {
        const exactness = await lookupExactness(sim, 150, { atOnce: 10 });
        t.diagnostic(`${(exactness * 100).toFixed(2)} % of the nearest were found`);
        assert.ok(exactness >= 0.995, `${exactness}`);
      });

      await t.test('records are found after 30 % of the nodes left at once', async () => {
        const published = await publishSome(sim, 10);
        for (const { kind, result } of published) {
          // The slowest tenth is not waited for.
          assert.ok(result.stored >= 18, `${kind}: ${result.stored} of ${result.asked}`);
        }
        await sim.leave(0.3);
        for (const { kind, record } of published) {
          assert.ok(await finds(sim, sim.one(), record), `a ${kind} was lost`);
        }
      });
    },
  );
});
