/** Sites that are small to send and endless to follow. Each must be refused or read in good time. */
import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { encode, type PBLink, prepare } from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import { utf8 } from '../../base/bytes.ts';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { collect } from '../../../test/support/collect.ts';
import { MemoryBlocks } from '../../../test/support/memory-blocks.ts';
import { exportSite } from '../export.ts';
import { weigh } from '../replication/weigh.ts';
import { adoptAll } from './adopt.ts';
import { missingOfFile } from './file.ts';
import { listFolder, readNode } from './folder.ts';
import { measure } from './measure.ts';
import { missingOf } from './missing.ts';
import { cidOf, type Link } from './root.ts';
import { decodeNode } from './unixfs.ts';
import type { Want } from './walk.ts';

const levels = 12;
const copies = 256;

function put(blocks: MemoryBlocks, unixfs: UnixFS, links: readonly PBLink[]): Link {
  const node = prepare({ Data: unixfs.marshal(), Links: [...links] });
  return { codec: 'dag-pb', hash: blocks.add(encode(node)) };
}

function shard(blocks: MemoryBlocks, entries: readonly (readonly [string, Link])[]): Link {
  const unixfs = new UnixFS({ type: 'hamt-sharded-directory', fanout: 256n, hashType: 0x22n });
  const links = entries.map(([Name, link]): PBLink => ({ Name, Tsize: 1, Hash: cidOf(link) }));
  return put(blocks, unixfs, links);
}

/** The two digits of each place. */
const places = Array.from({ length: copies }, (_, i) =>
  i.toString(16).toUpperCase().padStart(2, '0'),
);

test('a shard that holds the same shard in every place is refused at once', async () => {
  const blocks = new MemoryBlocks();
  let link = shard(blocks, []);
  for (let level = 0; level < levels; level++) {
    const below = link;
    link = shard(
      blocks,
      places.map((place) => [place, below] as const),
    );
  }
  const node = readNode(blocks, link);
  assert.ok(node.kind === 'shard');
  assert.throws(() => listFolder(blocks, node, 10_000), { code: 'CONTENT_BAD' });
  await assert.rejects(measure(blocks, link), { code: 'CONTENT_BAD' });
});

const badShards: readonly (readonly [string, readonly string[]])[] = [
  ['more entries than places', [...places, '00'].map((place, i) => `${place}name-${i}`)],
  ['a place in small letters', ['abname']],
  ['a name cut inside a character', ['A\u{1F600}']],
  ['no place', ['A']],
];
for (const [what, names] of badShards) {
  test(`a shard is refused: ${what}`, () => {
    const blocks = new MemoryBlocks();
    const leaf: Link = { codec: 'raw', hash: blocks.add(utf8('leaf')) };
    const link = shard(
      blocks,
      names.map((name) => [name, leaf] as const),
    );
    const bytes = blocks.get(link.hash) ?? assert.fail('not there');
    assert.equal(decodeNode(link, bytes).kind, 'bad');
  });
}

test('what a file lacks is found although its parts repeat each other without end', async () => {
  const blocks = new MemoryBlocks();
  let [part, size]: [Link, bigint] = [{ codec: 'raw', hash: blocks.add(utf8('x')) }, 1n];
  for (let level = 0; level < 5; level++) {
    const blockSizes = places.map(() => size);
    const links = places.map((): PBLink => ({ Name: '', Tsize: 1, Hash: cidOf(part) }));
    part = put(blocks, new UnixFS({ type: 'file', blockSizes }), links);
    size *= BigInt(copies);
  }
  const last: Link = { codec: 'raw', hash: new Uint8Array(32) };
  const file = put(
    blocks,
    new UnixFS({ type: 'file', blockSizes: [size, 1n] }),
    [part, last].map((one): PBLink => ({ Name: '', Tsize: 1, Hash: cidOf(one) })),
  );
  const whole = Number(size) + 1;
  for (const from of [0, 1, 12_345]) {
    const wants = await collect(
      missingOfFile(blocks, { ...file, size: whole }, { from, to: whole }),
    );
    assert.deepEqual(
      wants.map(({ link }) => link),
      [last],
    );
  }
});

test('folders in folders without a single file are not written to the disk', async (t) => {
  const blocks = new MemoryBlocks();
  const folder = (links: readonly PBLink[]): Link =>
    put(blocks, new UnixFS({ type: 'directory' }), links);
  let link = folder([]);
  for (let level = 0; level < levels; level++) {
    const below = cidOf(link);
    link = folder(places.map((Name): PBLink => ({ Name, Tsize: 0, Hash: below })));
  }
  const dest = temporaryFolder(t);
  await assert.rejects(exportSite(blocks, link, path.join(dest, 'out')), { code: 'CONTENT_BAD' });
  assert.deepEqual(await readdir(dest), []);
});

/** How often others got a turn while `work` ran. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  await work();
  isOver = true;
  return turns;
}

test('nodes of very many links, each slow to read, let others have their turn', async () => {
  const blocks = new MemoryBlocks();
  const one: Link = { codec: 'raw', hash: blocks.add(utf8('leaf')) };
  const nodes = 16;
  const folders = Array.from({ length: nodes }, (_, i) => {
    const links = Array.from({ length: 8000 }, (): PBLink => ({ Tsize: 1, Hash: cidOf(one) }));
    return put(blocks, new UnixFS({ type: 'directory' }), [
      { ...links[0], Name: `${i}`, Hash: cidOf(one) },
      ...links,
    ]);
  });
  const links = folders.map((link, i): PBLink => ({ Name: `${i}`, Tsize: 1, Hash: cidOf(link) }));
  const root = put(blocks, new UnixFS({ type: 'directory' }), links);
  const want: Want = { link: root, level: 0, path: [], scope: 'all' };
  const works: Readonly<Record<string, () => Promise<unknown>>> = {
    missingOf: () => collect(missingOf(blocks, want)),
    adoptAll: () => adoptAll(blocks, root, blocks),
    measure: () => measure(blocks, root),
    weigh: () => weigh(blocks, root),
  };
  for (const [name, work] of Object.entries(works)) {
    const turns = await turnsDuring(work);
    assert.ok(turns >= nodes / 8, `${name} stopped ${turns} times`);
  }
});
