/**
 * Names and links on 32 real nodes, one process each. A record is held by twenty or so, so here, as
 * in the Internet, who asks is often not who holds. Nodes remember what they resolved: each question
 * that is to reach the network is asked on a node that has not asked it before.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FoundLinkLine } from '../../src/api/ports-links.ts';
import type { ResolveResult } from '../../src/api/ports-names.ts';
import type { NodeServices } from '../../src/api/ports.ts';
import { forEachOf } from '../../src/base/parallel.ts';
import { digestsMax } from '../../src/wire/get-reply.ts';
import { temporaryFolder } from '../support/cleanup.ts';
import {
  type ClusterNode,
  eventually,
  runProgram,
  servicesOf,
  startCluster,
} from '../support/cluster.ts';

const nodeCount = 32;
const linksEach = 4;
/**
 * Every other one of the first half; half of them will be killed. Each search for all links costs as
 * much as there are: more than one answer can name is enough.
 */
const publishers: readonly number[] = [0, 2, 4, 6, 8, 10, 12, 14];
const dead = 'http://dead.example/driver.rar';

const root = (digits: string): string => digits.repeat(32);
const [first, second, below, taken, last] = ['a1', 'b2', 'c3', 'd4', 'e5'].map(root) as [
  string,
  string,
  string,
  string,
  string,
];

/** The links that node `index` publishes. */
function targetsOf(index: number): string[] {
  return Array.from({ length: linksEach }, (_, i) => `https://mirror${index}.example/${i}`);
}

const allTargets: readonly string[] = publishers.flatMap(targetsOf);

/**
 * Waits until a search on this node finds every link, and nothing else: offers to storers that are
 * slow go on after a publication has returned.
 */
async function findsAll(services: NodeServices): Promise<void> {
  await eventually(`${services.keys().node} finds all links`, async () => {
    const found: string[] = [];
    for await (const line of services.getLinks(dead)) if ('target' in line) found.push(line.target);
    assert.ok(found.length <= allTargets.length, `${found.length} links`);
    return allTargets.every((target) => found.includes(target));
  });
}

/** That a name shows this root for this author. It is new as long as nobody can vouch for it. */
function assertShows(
  resolved: ResolveResult,
  expected: { readonly root: string; readonly owner: string },
): void {
  assert.partialDeepStrictEqual(resolved, { state: 'new', ...expected });
}

/** A command in a process of its own that finds no running node, and joins at one of ours. */
async function short(data: string, at: ClusterNode, ...words: string[]): Promise<object[]> {
  const where = ['--data', data, '--network', 'local', '--bootstrap', at.ready.listen];
  const { code, stdout, stderr } = await runProgram([...words, '--json', ...where]);
  assert.equal(code, 0, stderr);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
}

test('32 nodes', async (t) => {
  const nodes = await startCluster(t, nodeCount, { options: ['--no-gateway'] });
  const all = await Promise.all(nodes.map(servicesOf));
  const at = (index: number): NodeServices => all[index] ?? assert.fail(`no node ${index}`);
  const keyOf = (index: number): string => at(index).keys().authorPublicKey;
  const [owner, rival, heir] = [1, 2, 3] as const;

  await t.test('a name is registered on one node and resolved on others', async () => {
    const registered = await at(owner).register({ name: 'alice', root: first });
    assert.deepEqual([registered.name, registered.version], ['alice.alt', 1]);
    assert.ok(registered.stored > 1, `${registered.stored} hold it`);
    for (const asker of [4, 5, 6, 7]) {
      const resolved = await at(asker).resolve('alice.alt');
      assertShows(resolved, { root: first, owner: keyOf(owner) });
    }
  });

  await t.test('a second author is refused', async () => {
    const refused = at(rival).register({ name: 'alice', root: taken });
    await assert.rejects(refused, {
      code: 'NAME_TAKEN',
      details: { name: 'alice.alt', owner: keyOf(owner) },
    });
    assert.deepEqual(await at(rival).names(), []);
  });

  await t.test('an update is seen', async () => {
    assert.equal((await at(owner).update({ name: 'alice', root: second })).version, 2);
    for (const asker of [8, 9]) {
      assertShows(await at(asker).resolve('alice'), { root: second, owner: keyOf(owner) });
    }
  });

  await t.test('a name below a name leads elsewhere', async () => {
    await at(owner).register({ name: 'blog.alice.alt', root: below });
    for (const asker of [10, 11]) {
      assertShows(await at(asker).resolve('blog.alice.alt'), { root: below, owner: keyOf(owner) });
      assertShows(await at(asker).resolve('alice'), { root: second, owner: keyOf(owner) });
    }
    const missing = await at(10).resolve('shop.alice.alt');
    assert.equal(missing.state, 'not-found');
  });

  await t.test('a name passes to another author for good', async () => {
    await at(owner).transfer({ name: 'alice', author: keyOf(heir) });
    const offered = await at(12).resolve('alice');
    assertShows(offered, { root: second, owner: keyOf(owner) });
    assert.equal(offered.offeredTo, keyOf(heir));
    await at(heir).register({ name: 'alice', root: taken });
    for (const asker of [13, 14]) {
      assertShows(await at(asker).resolve('alice'), { root: taken, owner: keyOf(heir) });
    }
    const back = at(owner).update({ name: 'alice', root: first });
    await assert.rejects(back, {
      code: /^NAME_(TAKEN|NOT_YOURS)$/,
      details: { name: 'alice.alt', owner: keyOf(heir) },
    });
    assert.deepEqual(await at(owner).names(), [], 'it publishes the name no longer');
    assertShows(await at(15).resolve('alice'), { root: taken, owner: keyOf(heir) });
    assert.equal((await at(heir).update({ name: 'alice', root: last })).root, last);
  });

  await t.test('a released name is found no more', async () => {
    await at(4).register({ name: 'gone', root: first });
    assertShows(await at(5).resolve('gone'), { root: first, owner: keyOf(4) });
    assert.equal((await at(4).release({ name: 'gone' })).ok, true);
    assert.equal((await at(6).resolve('gone')).state, 'not-found');
    assert.deepEqual(await at(4).names(), []);
  });

  const many = `${allTargets.length} links of ${publishers.length} publishers`;
  await t.test(`${many} are all found`, async () => {
    assert.ok(allTargets.length > digestsMax);
    await forEachOf(publishers, publishers.length, async (index) => {
      for (const target of targetsOf(index)) {
        assert.ok((await at(index).putLink({ url: dead, target })).stored > 0);
      }
    });
    for (const asker of [0, 16, 31]) await findsAll(at(asker));
    const fifth = at(4).putLink({ url: dead, target: 'https://mirror.example/fifth' });
    await assert.rejects(fifth, { code: 'LINK_LIMIT' });
  });

  await t.test('a third of the nodes is killed, and nothing is lost', async () => {
    const killed = nodes.filter((_, i) => i === owner || i === heir || (i >= 8 && i <= 16));
    assert.ok(killed.length >= nodeCount / 3);
    const silenced = publishers.filter((index) => killed.includes(nodes[index] ?? assert.fail()));
    assert.ok(silenced.length >= publishers.length / 2);
    await Promise.all(killed.map((node) => node.end('SIGKILL')));
    for (const asker of [28, 29]) {
      assertShows(await at(asker).resolve('alice'), { root: last, owner: keyOf(heir) });
      await findsAll(at(asker));
    }
    const [data, entry] = [temporaryFolder(t), nodes.at(-1)];
    assert.ok(entry);
    const [resolved] = (await short(data, entry, 'resolve', 'alice')) as ResolveResult[];
    assertShows(resolved ?? assert.fail(), { root: last, owner: keyOf(heir) });
    const lines = (await short(data, entry, 'link', 'get', dead)) as Partial<FoundLinkLine>[];
    const found = lines.flatMap(({ target }) => target ?? []);
    assert.deepEqual(found.toSorted(), allTargets.toSorted());
  });
});
