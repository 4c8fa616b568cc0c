/**
 * Nodes that are killed, leave, restart and wake up in another time, as the others find them: real
 * processes on loopback.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { forEachOf } from '../../src/base/parallel.ts';
import { temporaryFolder } from '../support/cleanup.ts';
import { clockFile } from '../support/clock-jump.ts';
import {
  type ClusterNode,
  eventually,
  type NodeInput,
  servicesOf,
  startCluster,
  startNode,
} from '../support/cluster.ts';

const options = ['--no-gateway'] as const;
const root = 'a1'.repeat(32);
const dayMs = 86_400_000;

async function tableOf(node: ClusterNode): Promise<number> {
  return (await (await servicesOf(node)).stats()).table;
}

/** Waits until each of `nodes` lists all others of them, and nobody else. */
async function knowEachOther(nodes: readonly ClusterNode[]): Promise<void> {
  const wanted = nodes.map(({ ready }) => ready.node).toSorted();
  for (const node of nodes) {
    const services = await servicesOf(node);
    await eventually(`${node.name} lists exactly who is there`, async () => {
      const known = (await services.peers()).filter(({ via }) => via === 'dht').map(({ id }) => id);
      return [...known, node.ready.node].toSorted().join() === wanted.join();
    });
  }
}

/** Starts a node of before again; `over` says what is different. */
function again(t: TestContext, node: ClusterNode, over: Partial<NodeInput> = {}) {
  const listen = ['--listen', node.ready.listen];
  return startNode(t, {
    name: node.name,
    data: node.data,
    options: [...options, ...listen],
    ...over,
  });
}

async function resolves(node: ClusterNode, name: string): Promise<void> {
  const services = await servicesOf(node);
  await eventually(`${node.name} resolves ${name}`, async () => {
    // Afresh: that there is no such name is believed for a minute.
    return (await services.resolve(name, { fresh: true })).root === root;
  });
}

/** Waits until the node has noticed `times` jumps of its clock. */
async function noticed(node: ClusterNode, times: number): Promise<void> {
  await eventually(`${node.name} notices that its clock was set`, async () => {
    return node.log().split('kind=clock').length > times;
  });
}

test('twelve nodes', async (t) => {
  let nodes = await startCluster(t, 12, { options });
  await knowEachOther(nodes);
  const [bootstrap, owner] = nodes as [ClusterNode, ClusterNode];
  await (await servicesOf(owner)).register({ name: 'alice', root });

  await t.test('who leaves is out of all tables when it has ended', async () => {
    const [left, right] = nodes.splice(10, 2) as [ClusterNode, ClusterNode];
    assert.deepEqual(await Promise.all([left.end('SIGTERM'), right.end('SIGTERM')]), [0, 0]);
    for (const node of nodes) assert.equal(await tableOf(node), nodes.length - 1, node.name);
    nodes.push(await again(t, left, { bootstrap: bootstrap.ready.listen }));
    await knowEachOther(nodes);
  });

  await t.test('without the node where all joined, one that was killed comes back', async () => {
    const [last] = nodes.splice(-1) as [ClusterNode];
    const gone = nodes.shift();
    assert.equal(gone, bootstrap);
    await Promise.all([bootstrap.end('SIGKILL'), last.end('SIGKILL')]);
    nodes.push(await again(t, last, { bootstrap: bootstrap.ready.listen }));
    await knowEachOther(nodes);
  });

  await t.test('all restart at once, some elsewhere, and find together', async () => {
    await Promise.all(nodes.map((node) => node.end('SIGKILL')));
    const before = nodes;
    nodes = [];
    await forEachOf([...before.entries()], before.length, async ([i, node]) => {
      const moves = i % 3 === 2;
      nodes[i] = await again(t, node, moves ? { options } : {});
    });
    await knowEachOther(nodes);
    for (const node of [nodes[4], nodes[5]]) {
      assert.ok(node);
      await resolves(node, 'alice');
    }
  });

  await t.test('half of them is killed, and out of the tables soon', async () => {
    const killed = nodes.splice(5);
    await Promise.all(killed.map((node) => node.end('SIGKILL')));
    await knowEachOther(nodes);
    const [asker] = nodes.slice(-1);
    assert.ok(asker);
    await resolves(asker, 'alice');
  });
});

test('a clock that jumps by a day loses nothing, while the node runs and over a restart', async (t) => {
  const clock = clockFile(temporaryFolder(t));
  const first = await startNode(t, { name: 'first', options });
  const bootstrap = first.ready.listen;
  let shifted = await startNode(t, { name: 'shifted', bootstrap, options, env: clock.env });
  const publisher = await servicesOf(shifted);
  await publisher.register({ name: 'alice', root });
  await (await servicesOf(first)).register({ name: 'bob', root });
  const names = ['alice', 'bob'];
  const holdsAll = (count: number): Promise<void> =>
    eventually('all records are where they were', async () => {
      return (await (await servicesOf(shifted)).stats()).records === count;
    });
  await holdsAll(names.length);
  // What a node with a wrong clock reads may look wrong to it; what others find must not change.
  const isFound = async (offsetMs: number): Promise<void> => {
    const askers = offsetMs === 0 ? [first, shifted] : [first];
    for (const asker of askers) for (const name of names) await resolves(asker, name);
  };
  for (const [i, offsetMs] of [dayMs, -dayMs, 0].entries()) {
    clock.set(offsetMs);
    await noticed(shifted, i + 1);
    await holdsAll(names.length);
    await isFound(offsetMs);
  }
  for (const offsetMs of [-dayMs, dayMs, 0]) {
    await shifted.end('SIGKILL');
    clock.set(offsetMs);
    shifted = await again(t, shifted, { bootstrap, env: clock.env });
    await knowEachOther([first, shifted]);
    await isFound(offsetMs);
  }
  assert.deepEqual((await (await servicesOf(shifted)).names()).length, 1);
});

test('a name whose author is killed while it registers it is there after a restart', async (t) => {
  const nodes = await startCluster(t, 4, { options });
  const [author] = nodes.splice(-1) as [ClusterNode];
  const services = await servicesOf(author);
  const names = Array.from({ length: 8 }, (_, i) => `name-${i}`);
  const registered = names.map((name) => services.register({ name, root }).then(() => name));
  // Whichever is first: that one was acknowledged, others are under way.
  const first = await Promise.any(registered);
  await author.end('SIGKILL');
  const settled = await Promise.allSettled(registered);
  const kept = settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  assert.ok(kept.includes(first));
  const bootstrap = nodes[0]?.ready.listen;
  const restarted = await again(t, author, { bootstrap });
  const held = (await (await servicesOf(restarted)).names()).map(({ name }) => name);
  for (const name of kept) assert.ok(held.includes(`${name}.alt`), name);
  const [other] = nodes;
  assert.ok(other);
  for (const name of held) await resolves(other, name);
});
