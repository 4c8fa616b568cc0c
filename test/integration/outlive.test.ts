/** Sites outlive the node that published them, and half of those that kept copies. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { forEachOf } from '../../src/base/parallel.ts';
import { temporaryFolder } from '../support/cleanup.ts';
import {
  altnet,
  type ClusterNode,
  eventually,
  servicesOf,
  startCluster,
  startNode,
} from '../support/cluster.ts';
import { clientOf } from '../support/gateway.ts';

const replicas = 4;
// Servers from the start to the end: on one machine nobody can test whether strangers reach them.
const options = ['--repair-interval', '2', '--replicas', `${replicas}`, '--public'];

interface Published {
  readonly name: string;
  readonly root: string;
  readonly cid: string;
}

async function makeSite(t: TestContext, name: string): Promise<string> {
  const folder = path.join(temporaryFolder(t), name);
  await mkdir(path.join(folder, 'pages'), { recursive: true });
  await writeFile(path.join(folder, 'index.html'), `<h1>${name}</h1>`);
  for (let i = 0; i < 5; i++) {
    await writeFile(path.join(folder, `pages/${i}.txt`), `${name} ${i} `.repeat(40_000));
  }
  return folder;
}

/** How many copies there are of each root on these nodes; readers' own copies do not count. */
async function copiesOn(nodes: readonly ClusterNode[]): Promise<Map<string, Set<ClusterNode>>> {
  const copies = new Map<string, Set<ClusterNode>>();
  await forEachOf(nodes, 4, async (node) => {
    for (const { root, kind, complete } of await (await servicesOf(node)).sites()) {
      if (kind !== 'copy' || !complete) continue;
      copies.set(root, (copies.get(root) ?? new Set()).add(node));
    }
  });
  return copies;
}

/** Reads two pages of each site through the gateway of a node that never saw them. */
async function opensAll(node: ClusterNode, sites: readonly Published[]): Promise<void> {
  const ask = clientOf(Number(node.ready.gateway.split(':').at(-1)));
  for (const { cid, name } of sites) {
    const page = await ask(`${cid}.alt`, '/');
    assert.equal(page.status, 200, `${name} on node ${node.name}: ${page.text}`);
    assert.match(page.text, new RegExp(`<h1>${name}</h1>`));
    const { text } = await ask(`${cid}.alt`, '/pages/3.txt');
    assert.equal(text, `${name} 3 `.repeat(40_000));
  }
}

test('three sites outlive their publisher and half of the other nodes', async (t) => {
  const nodes = await startCluster(t, 11, { options });
  const [first, publisher, ...others] = nodes;
  assert.ok(first && publisher);
  const sites: Published[] = [];
  for (const name of ['one', 'two', 'three']) {
    const said = await altnet(publisher, 'publish', await makeSite(t, name));
    assert.equal(said['replicas'], replicas, JSON.stringify(said));
    sites.push({ name, root: String(said['root']), cid: String(said['cid']) });
  }
  await publisher.end('SIGKILL');

  let alive = [first, ...others];
  const join = (name: string): Promise<ClusterNode> =>
    startNode(t, { name, bootstrap: first.ready.listen, options });
  const reader = await join('reader');
  await opensAll(reader, sites);
  alive.push(reader);

  for (let killed = 0; killed < 5; killed++) {
    const copies = await copiesOn(alive);
    const [victim] = alive
      .filter((node) => node !== first && node !== reader)
      .toSorted((a, b) => load(copies, b) - load(copies, a));
    assert.ok(victim);
    await victim.end('SIGKILL');
    alive = alive.filter((node) => node !== victim);
    await eventually(`${replicas} copies after ${killed + 1} nodes died`, async () => {
      const left = await copiesOn(alive);
      return sites.every(({ root }) => (left.get(root)?.size ?? 0) >= replicas);
    });
  }
  await opensAll(await join('late'), sites);
});

/** Of how many roots a node has a copy. */
function load(copies: ReadonlyMap<string, Set<ClusterNode>>, node: ClusterNode): number {
  return [...copies.values()].filter((holders) => holders.has(node)).length;
}
