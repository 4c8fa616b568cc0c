/** A publisher of many sites has other addresses and few storers, who refuse what is too much. */
import assert from 'node:assert/strict';
import type { HeldRoot } from '../src/content/ports.ts';
import { Announcer } from '../src/content/provide.ts';
import { announceAll } from '../src/content/reprovide.ts';
import { providerKey } from '../src/record/provider.ts';
import { multihashOf } from '../src/content/dag/root.ts';
import { simNetworkId, type SimNode } from './node.ts';
import { testsOf } from './own-thread.ts';
import { simulate } from './simulate.ts';
import type { Simulation } from './simulation.ts';

const test = testsOf(import.meta.url);

const secondMs = 1000;
const nodes = 20;
const roots = 100;

function rootsOf({ random }: Simulation): HeldRoot[] {
  return Array.from({ length: roots }, (_, i) => ({
    hash: random.bytes(32),
    codec: 'raw',
    kind: 'own',
    complete: true,
    files: 1,
    bytes: 1,
    addedMs: 0,
    usedMs: i,
    keep: false,
  }));
}

interface Announcing {
  readonly seconds: number;
  /** Times that a storer wanted a record later. */
  readonly refused: number;
  /** Of the root that fewest hold. */
  readonly holders: number;
}

async function announce(sim: Simulation): Promise<Announcing> {
  await sim.world.pass(60 * secondMs);
  const node: SimNode = sim.one();
  const held = rootsOf(sim);
  const announcer = new Announcer({
    publisher: node.publisher,
    connections: { addresses: () => ['/ip4/45.0.0.1/tcp/9000'] },
    signer: { key: node.nodeKey, network: simNetworkId },
    clock: node.world.clock,
    isHeld: () => true,
  });
  const beganMs = sim.world.nowMs;
  let refused = 0;
  const one = async (root: HeldRoot): ReturnType<Announcer['announce']> => {
    const announced = await announcer.announce(root);
    if (announced.waitMs > 0) refused += announced.asked - announced.stored;
    return announced;
  };
  const { timers } = node.world;
  await sim.world.until(announceAll(held, one, { timers, signal: undefined }));
  const holders = held.map(({ hash }) => {
    const key = providerKey(multihashOf({ codec: 'raw', hash }));
    return sim.nodes.filter(({ records }) => records.list(key).length > 0).length;
  });
  const seconds = (sim.world.nowMs - beganMs) / secondMs;
  return { seconds, refused, holders: Math.min(...holders) };
}

test('a hundred roots are announced in no time where nobody refuses', async (t) => {
  await simulate(t, { nodes, dht: { sourceStoresPerMinute: 1_000_000 } }, async (sim) => {
    const { seconds, refused, holders } = await announce(sim);
    t.diagnostic(`${seconds.toFixed(0)} s`);
    assert.ok(seconds < 20, `${seconds} s`);
    assert.deepEqual([refused, holders], [0, nodes]);
  });
});

test('who wants no more in a minute is left alone until then, and gets all of them', async (t) => {
  await simulate(t, { nodes }, async (sim) => {
    const { seconds, refused, holders } = await announce(sim);
    t.diagnostic(`${seconds.toFixed(0)} s, ${refused} refusals`);
    assert.ok(seconds < 80, `${seconds} s`);
    assert.ok(refused <= 4 * nodes, `${refused} refusals`);
    assert.equal(holders, nodes);
  });
});
