import assert from 'node:assert/strict';
import { testsOf } from './own-thread.ts';
import { recordKinds } from '../src/record/kinds.ts';
import { storedKind } from '../src/record/registry.ts';
import { patient } from './patient.ts';
import { finds, holdersOf, lookupExactness, publishSome, sampleOf, simKinds } from './samples.ts';
import { simulate } from './simulate.ts';

const test = testsOf(import.meta.url);

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

test('lookups recover soon after 30 % of the nodes left at once', async (t) => {
  await simulate(t, { nodes: 120 }, async (sim) => {
    await sim.world.pass(minuteMs);
    await sim.leave(0.3);
    await sim.world.pass(20 * minuteMs);
    const exactness = await lookupExactness(sim, 120);
    t.diagnostic(`${(exactness * 100).toFixed(2)} % of the nearest were found`);
    assert.ok(exactness >= 0.995, `${exactness}`);
  });
});

test('storers make up for those that left, without the publisher', async (t) => {
  await simulate(t, { nodes: 80, dht: patient(6) }, async (sim) => {
    await sim.world.pass(minuteMs);
    const published = await publishSome(sim, 8);
    const lasting = published.filter(({ kind }) => kind !== 'provider');
    await sim.leave(0.3);
    const before = lasting.map(({ record }) => holdersOf(sim, record));
    await sim.world.pass(26 * hourMs);
    const after = lasting.map(({ record }) => holdersOf(sim, record));
    t.diagnostic(`holders among the 20 nearest: ${before.join()} before, ${after.join()} after`);
    assert.ok(
      before.some((count) => count < 16),
      'the loss was felt',
    );
    assert.ok(after.every((count) => count >= 19));

    await t.test('providers are not kept alive by others', () => {
      for (const { kind, record } of published) {
        const held = sim.nodes.some((node) => node.records.list(record.key).length > 0);
        assert.equal(held, kind !== 'provider');
      }
    });
  });
});

test('a publisher keeps its records alive, renews them and makes up for losses', async (t) => {
  await simulate(t, { nodes: 80, dht: patient(6) }, async (sim) => {
    await sim.world.pass(minuteMs);
    const [node] = sim.some(1);
    assert.ok(node);
    await node.publisher.start();
    const records = simKinds.map((kind) => sampleOf(kind, { node, label: `${kind}-kept` }));
    for (const record of records) await sim.world.until(node.publisher.publish(record));
    sim.nodes.splice(sim.nodes.indexOf(node), 1); // it stays when others leave
    await sim.leave(0.3);
    sim.nodes.push(node);
    await sim.world.pass(14 * hourMs);

    const entries = node.publisher.list();
    assert.equal(entries.length, 3);
    for (const { record } of entries) {
      assert.ok(holdersOf(sim, record) >= 19, `${record.kind}: ${holdersOf(sim, record)}`);
      const lifetimeSeconds = storedKind(record.kind)?.lifetimeSecondsMax ?? 0;
      assert.ok(record.expires > node.now() + lifetimeSeconds / 3, 'it has life left');
      assert.ok(await finds(sim, sim.one(), record));
    }
    const provider = entries.find(({ record }) => record.kind === recordKinds.provider);
    assert.ok(provider && provider.record.seq > 1n, 'a provider was renewed several times');
    await node.publisher.stop();
  });
});
