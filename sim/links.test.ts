/** Links through the production DHT and publisher, on a simulated network. */
import assert from 'node:assert/strict';
import { testsOf } from './own-thread.ts';
import { silentLogger } from '../src/base/logger.ts';
import { Publisher } from '../src/dht/placing/publisher.ts';
import { Links } from '../src/link/links.ts';
import type { FoundLink, LinkSearchEnd } from '../src/link/types.ts';
import { MemoryNotes } from '../test/support/link-net.ts';
import { MemoryPublicationJournal } from '../test/support/memory-store.ts';
import { simNetworkId, type SimNode, simProfile } from './node.ts';
import { Simulation } from './simulation.ts';

const test = testsOf(import.meta.url);

const url = 'http://dead.example/driver.rar';
const target = 'https://mirror.example/driver.rar';

function linksOf({ dht, world, authorKey, nodeKey }: SimNode): Links {
  const log = silentLogger;
  const keys = { author: authorKey, node: nodeKey };
  const journal = new MemoryPublicationJournal();
  const publisher = new Publisher({ dht, journal, world, keys, network: simNetworkId, log });
  const notes = new MemoryNotes();
  return new Links({ dht, publisher, notes, authorKey, profile: simProfile, world, log });
}

async function collect(
  search: AsyncGenerator<FoundLink, LinkSearchEnd>,
): Promise<{ found: FoundLink[]; end: LinkSearchEnd }> {
  const found: FoundLink[] = [];
  for (;;) {
    const next = await search.next();
    if (next.done === true) return { found, end: next.value };
    found.push(next.value);
  }
}

const seed = 20_261_121;

test(`links are put, found, replaced and withdrawn across nodes (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 60 });
  await sim.start();
  const [first, second, reader] = sim.some(3);
  assert.ok(first && second && reader);
  const [mine, theirs, asking] = [linksOf(first), linksOf(second), linksOf(reader)];
  const { world } = sim;

  const put = await world.until(mine.put(url, { target, note: 'one' }));
  assert.ok(put.stored >= 18, `${put.stored} of 20 nodes took it`);
  await world.until(theirs.put(url, { target: 'ipfs://x' }));
  await world.until(mine.put(url, { target, note: 'two' }));
  const { found, end } = await world.until(collect(asking.get(url)));
  // Who holds the first still may answer first; the last word about a target counts.
  const notes = new Map(found.map((link) => [link.target, link.note]));
  assert.deepEqual(Object.fromEntries(notes), { [target]: 'two', 'ipfs://x': undefined });
  assert.equal(end.found, 2);
  assert.ok(end.asked >= 8);
  assert.ok(found.every(({ seconds }) => seconds >= 0 && seconds <= end.seconds));

  await world.until(mine.remove(url, target));
  const after = await world.until(collect(asking.get(url)));
  assert.deepEqual(
    after.found.map((link) => link.target),
    ['ipfs://x'],
  );
  await sim.stop();
});

test(`links outlive their publisher and a third of the nodes (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 60, loss: 0.02 });
  await sim.start();
  const publisher = await sim.world.until(sim.join({ server: false }));
  await sim.world.until(linksOf(publisher).put(url, { target }));
  await sim.world.until(publisher.leave());
  await sim.leave(0.3);
  const reader = sim.one();
  const { found } = await sim.world.until(collect(linksOf(reader).get(url)));
  assert.deepEqual(
    found.map((link) => link.target),
    [target],
  );
  await sim.stop();
});

test(`128 links by 32 publishers are all found, by everybody (seed ${seed})`, async () => {
  const sim = new Simulation({ seed, nodes: 60, loss: 0.01 });
  await sim.start();
  const { world } = sim;
  const expected: string[] = [];
  for (const [author, node] of sim.some(32).entries()) {
    const links = linksOf(node);
    for (let i = 0; i < 4; i++) {
      const to = `https://mirror-${author}.example/${i}`;
      expected.push(to);
      await world.until(links.put(url, { target: to }));
    }
  }
  for (const reader of sim.some(3)) {
    const { found, end } = await world.until(collect(linksOf(reader).get(url)));
    assert.deepEqual(found.map((link) => link.target).toSorted(), expected.toSorted());
    assert.ok(end.seconds < 5, `${end.seconds} s`);
  }
  await sim.stop();
});
