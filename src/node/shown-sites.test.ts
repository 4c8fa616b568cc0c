import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { MemoryBlocks, MemoryHoldings } from '../../test/support/memory-blocks.ts';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { cidOf, type Link, requireLink } from '../content/dag/root.ts';
import { ShownSites } from './shown-sites.ts';

/** Two versions of a site, and names that can be pointed to them. */
async function bench(): Promise<{
  readonly a: CID;
  readonly b: CID;
  readonly targets: Map<string, CID>;
  readonly notes: MemoryNotes;
  readonly holdings: MemoryHoldings;
  /** What a node does when it starts. */
  readonly restart: () => Promise<void>;
  readonly note: () => Promise<void>;
  readonly isSuperseded: (root: CID) => boolean;
}> {
  const holdings = new MemoryHoldings(new MemoryBlocks());
  const notes = new MemoryNotes();
  const targets = new Map<string, CID>(); // BOUNDED by the test
  const add = async (fill: number): Promise<CID> => {
    const link: Link = { codec: 'dag-pb', hash: new Uint8Array(32).fill(fill) };
    await holdings.open({ kind: 'own', root: link });
    return cidOf(link);
  };
  const shown = (): ShownSites =>
    new ShownSites({
      holdings,
      notes,
      names: { list: () => [...targets].map(([name, root]) => ({ name, root })) },
      sites: {
        supersede: (root) => holdings.change(requireLink(root).hash, { supersededMs: 1 }),
      },
    });
  return {
    a: await add(1),
    b: await add(2),
    targets,
    notes,
    holdings,
    restart: () => shown().reconcile(),
    note: () => shown().note(),
    isSuperseded: (root) => holdings.get(requireLink(root).hash)?.supersededMs !== undefined,
  };
}

test('a crash right after a name was changed leaves no old version for ever', async () => {
  const { a, b, targets, note, restart, isSuperseded } = await bench();
  targets.set('one.alt', a);
  await note();
  targets.set('one.alt', b); // and a crash
  await restart();
  assert.deepEqual([isSuperseded(a), isSuperseded(b)], [true, false]);
  targets.set('one.alt', a); // once more
  await restart();
  assert.deepEqual([isSuperseded(a), isSuperseded(b)], [false, true]);
});

test('what never had a name, or whose name is gone, stays', async () => {
  const { a, b, targets, note, restart, isSuperseded } = await bench();
  targets.set('one.alt', a);
  await note();
  targets.clear();
  targets.set('two.alt', b);
  await restart();
  assert.deepEqual([isSuperseded(a), isSuperseded(b)], [false, false]);
});

test('what another name still shows stays', async () => {
  const { a, b, targets, note, restart, isSuperseded } = await bench();
  targets.set('one.alt', a);
  targets.set('two.alt', a);
  await note();
  targets.set('one.alt', b);
  await restart();
  assert.equal(isSuperseded(a), false);
});

test('an old version that is published again without a name stays', async () => {
  const { a, b, targets, holdings, note, restart, isSuperseded } = await bench();
  targets.set('one.alt', a);
  await note();
  targets.set('one.alt', b);
  await restart();
  await holdings.change(requireLink(a).hash, { supersededMs: undefined });
  await restart();
  assert.equal(isSuperseded(a), false);
});

test('notes of sites that are gone go at the next start', async () => {
  const { a, targets, notes, holdings, note, restart } = await bench();
  const names = (): string[] => notes.list('').map(({ name }) => name);
  targets.set('one.alt', a);
  await note();
  const hash: Bytes = requireLink(a).hash;
  assert.deepEqual(names(), [`shown/${toHex(hash)}`]);
  await holdings.remove(hash);
  await restart();
  assert.deepEqual(names(), []);
});

test('a store that takes no notes keeps nobody from starting', async () => {
  const { a, targets, notes, restart } = await bench();
  targets.set('one.alt', a);
  notes.put = () => Promise.reject(new Error('full'));
  await restart();
});
