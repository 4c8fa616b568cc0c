import assert from 'node:assert/strict';
import { test } from 'node:test';
import { equalBytes } from '../../src/base/bytes.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import { collusion, corrupt } from '../hostile.ts';
import type { SimNode } from '../node.ts';
import { publishSome } from '../samples.ts';
import { simulate } from '../simulate.ts';

const minuteMs = 60_000;

/** Whether a careful search shows the record to `node`. */
async function reaches(node: SimNode, { key, hash }: SignedRecord): Promise<boolean> {
  let found = false;
  for await (const { records } of node.dht.gather(key, { reach: 'whole', paths: 2 })) {
    found ||= records.some((record) => equalBytes(record.hash, hash));
  }
  return found;
}

test('when three of ten nodes collude, who is careful still reaches an honest storer', async (t) => {
  await simulate(t, { nodes: 250 }, async (sim) => {
    await sim.world.pass(2 * minuteMs);
    const published = await publishSome(sim, 20);
    const turncoats = sim.some(75);
    const lie = collusion(turncoats.map(({ contact }) => contact));
    for (const node of turncoats) corrupt(node, lie);
    const honest = sim.nodes.filter((node) => !turncoats.includes(node));

    let tries = 0;
    let reached = 0;
    for (const { record } of published) {
      for (let i = 0; i < 5; i++) {
        const node = honest[sim.random.below(honest.length)];
        assert.ok(node);
        tries++;
        if (await sim.world.until(reaches(node, record))) reached++;
      }
    }
    t.diagnostic(`${reached} of ${tries} searches reached an honest storer`);
    assert.ok(reached >= 0.99 * tries, `${reached} of ${tries}`);
  });
});
