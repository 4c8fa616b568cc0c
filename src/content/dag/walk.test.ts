import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode, type PBLink, prepare } from '@ipld/dag-pb';
import * as fc from 'fast-check';
import { UnixFS } from 'ipfs-unixfs';
import { CID } from 'multiformats/cid';
import { identity } from 'multiformats/hashes/identity';
import { type Bytes, toHex, utf8 } from '../../base/bytes.ts';
import { MemoryBlocks } from '../../../test/support/memory-blocks.ts';
import { checkProperty } from '../../../test/support/property.ts';
import { measure } from './measure.ts';
import { missingOf } from './missing.ts';
import { nodeLinksMax } from './decode-node.ts';
import { cidOf, type Link } from './root.ts';
import { blockBytesMax, decodeNode } from './unixfs.ts';
import { DagWalk, linksPendingMax, type Want, type WantScope, walkDepthMax } from './walk.ts';

function leaf(blocks: MemoryBlocks, text: string): Link {
  return { codec: 'raw', hash: blocks.add(utf8(text)) };
}

function folder(blocks: MemoryBlocks, entries: readonly (readonly [string, Link])[]): Link {
  const links = entries.map(([Name, link]): PBLink => ({ Name, Tsize: 1, Hash: cidOf(link) }));
  const node = { Data: new UnixFS({ type: 'directory' }).marshal(), Links: links };
  return { codec: 'dag-pb', hash: blocks.add(encode(prepare(node))) };
}

function file(blocks: MemoryBlocks, parts: readonly Link[]): Link {
  const unixfs = new UnixFS({ type: 'file', blockSizes: parts.map(() => 1n) });
  const links = parts.map((part): PBLink => ({ Name: '', Tsize: 1, Hash: cidOf(part) }));
  return { codec: 'dag-pb', hash: blocks.add(encode({ Data: unixfs.marshal(), Links: links })) };
}

interface Walked {
  readonly order: string[];
  readonly refused: string | undefined;
  readonly walk: DagWalk;
}

function walkAll(blocks: MemoryBlocks, want: Want): Walked {
  const walk = new DagWalk(want);
  const order: string[] = [];
  for (let link = walk.next(); link; link = walk.next()) {
    order.push(toHex(link.hash));
    const bytes = blocks.get(link.hash);
    if (!bytes) {
      walk.skip();
      continue;
    }
    const refused = walk.accept(bytes);
    if (refused !== undefined) return { order, refused, walk };
  }
  return { order, refused: undefined, walk };
}

function wantOf(link: Link, scope: WantScope = 'all', path: readonly string[] = []): Want {
  return { link, level: 0, path, scope };
}

function sample(): { blocks: MemoryBlocks; root: Link; names: Record<string, string> } {
  const blocks = new MemoryBlocks();
  const [one, two, three] = [leaf(blocks, '1'), leaf(blocks, '2'), leaf(blocks, '3')];
  const large = file(blocks, [one, two, one]);
  const sub = folder(blocks, [
    ['large', large],
    ['three', three],
  ]);
  const root = folder(blocks, [
    ['a', sub],
    ['b', one],
    ['c', sub],
  ]);
  const all = { root, sub, large, one, two, three };
  const names = Object.fromEntries(
    Object.entries(all).map(([name, { hash }]) => [toHex(hash), name]),
  );
  return { blocks, root, names };
}

const scopes: readonly (readonly [WantScope, string, string])[] = [
  ['all', '', 'root sub large one two three'],
  ['nodes', '', 'root sub large'],
  ['entity', '', 'root'],
  ['block', '', 'root'],
  ['all', 'a', 'root sub large one two three'],
  ['entity', 'a', 'root sub'],
  ['entity', 'a/large', 'root sub large one two'],
  ['block', 'a/large', 'root sub large'],
  ['all', 'a/three', 'root sub three'],
  ['all', 'b', 'root one'],
];
for (const [scope, path, expected] of scopes) {
  test(`${scope} of /${path} is ${expected}`, () => {
    const { blocks, root, names } = sample();
    const segments = path === '' ? [] : path.split('/');
    const { order, walk } = walkAll(blocks, wantOf(root, scope, segments));
    assert.deepEqual(
      order.map((hash) => names[hash]),
      expected.split(' '),
    );
    assert.equal(walk.noPath, false);
  });
}

/** 3 nodes of 3 leaves of 2 bytes each, and 4 bytes of its own before them. */
function treeOf(blocks: MemoryBlocks): { file: Link; names: Map<string, string> } {
  const names = new Map<string, string>();
  const put = (
    name: string,
    sizes: readonly bigint[],
    parts: readonly Link[],
    data?: Bytes,
  ): Link => {
    const unixfs = new UnixFS({ type: 'file', blockSizes: [...sizes], ...(data && { data }) });
    const links = parts.map((part): PBLink => ({ Name: '', Tsize: 1, Hash: cidOf(part) }));
    const hash = blocks.add(encode({ Data: unixfs.marshal(), Links: links }));
    names.set(toHex(hash), name);
    return { codec: 'dag-pb', hash };
  };
  const nodes = ['a', 'b', 'c'].map((name) => {
    const leaves = [1, 2, 3].map((n) => leaf(blocks, `${name}${n}`));
    for (const [i, { hash }] of leaves.entries()) names.set(toHex(hash), `${name}${i + 1}`);
    return put(name, [2n, 2n, 2n], leaves);
  });
  return { file: put('file', [6n, 6n, 6n], nodes, utf8('head')), names };
}

const ranges: readonly (readonly [number, number, string])[] = [
  [0, 4, 'file'],
  [3, 5, 'file a a1'],
  [4, 10, 'file a a1 a2 a3'],
  [9, 11, 'file a a3 b b1'],
  [12, 14, 'file b b2'],
  [20, Infinity, 'file c c3'],
  [22, 30, 'file'],
  [8, 17, 'file a a3 b b1 b2 b3 c c1'],
];
for (const [from, to, expected] of ranges) {
  test(`bytes ${from} to ${to} of a file are ${expected}, wherever one begins`, () => {
    const blocks = new MemoryBlocks();
    const { file: link, names } = treeOf(blocks);
    const want: Want = {
      ...wantOf(folder(blocks, [['f', link]]), 'entity', ['f']),
      range: { from, to },
    };
    const { order } = walkAll(blocks, want);
    const tail = order.slice(1).map((hash) => names.get(hash));
    assert.deepEqual(tail, expected.split(' '));
    // What is left at each block is the same range, as counted from there.
    const walk = new DagWalk(want);
    for (let at = 0; walk.next(); at++) {
      const rest = walk.rest() ?? assert.fail();
      const below = walkAll(blocks, rest).order;
      assert.deepEqual(below, order.slice(at, at + below.length));
      walk.accept(blocks.get(rest.link.hash) ?? assert.fail());
    }
  });
}

test('a path that leads nowhere ends the walk and says so', () => {
  const { blocks, root } = sample();
  for (const path of [['x'], ['a', 'x'], ['b', 'x'], ['a', 'large', 'x'], ['']]) {
    const { walk } = walkAll(blocks, wantOf(root, 'all', path));
    assert.equal(walk.noPath, true, path.join('/'));
    assert.equal(walk.target, undefined);
  }
});

test('what is missing is named once, with the rest of the path', async () => {
  const { blocks, root, names } = sample();
  const missing = async (want: Want): Promise<string[]> => {
    const found: string[] = [];
    for await (const { link, scope, path } of missingOf(blocks, want)) {
      found.push([names[toHex(link.hash)], scope, ...path].join(' '));
    }
    return found;
  };
  assert.deepEqual(await missing(wantOf(root)), []);
  for (const [hash, name] of Object.entries(names)) {
    if (name === 'sub' || name === 'two') blocks.delete(Buffer.from(hash, 'hex'));
  }
  assert.deepEqual(await missing(wantOf(root)), ['sub nodes']);
  assert.deepEqual(await missing(wantOf(root, 'entity', ['a', 'large'])), ['sub entity large']);
  blocks.delete(root.hash);
  assert.deepEqual(await missing(wantOf(root)), ['root all']);
});

test('a DAG nested too deep, or with too many links, is refused', () => {
  const blocks = new MemoryBlocks();
  let deep = leaf(blocks, 'x');
  for (let i = 0; i < walkDepthMax; i++) deep = folder(blocks, [['x', deep]]);
  assert.match(walkAll(blocks, wantOf(deep)).refused ?? '', /nested/);

  const one = leaf(blocks, '1');
  const most = Array<Link>(nodeLinksMax - 1).fill(one);
  let nested = one;
  const levels = linksPendingMax / nodeLinksMax;
  for (let i = 0; i < levels; i++) nested = file(blocks, [nested, ...most]);
  assert.equal(walkAll(blocks, wantOf(nested)).refused, undefined);
  const more = file(blocks, [file(blocks, [nested, ...most]), ...most]);
  assert.match(walkAll(blocks, wantOf(more)).refused ?? '', /too many links/);
});

test('what a walk holds is known, bounded, and given back', () => {
  const blocks = new MemoryBlocks();
  const one = leaf(blocks, '1');
  const links = 8000;
  const wide = file(blocks, Array<Link>(links).fill(one));
  const bytes = blocks.get(wide.hash) ?? assert.fail();
  const walk = new DagWalk(wantOf(wide));
  walk.next();
  walk.accept(bytes);
  const { memoryBytes } = walk;
  assert.ok(memoryBytes > links * 32 && memoryBytes < links * 64, `${memoryBytes}`);
  while (walk.next()) walk.skip();
  assert.ok(walk.memoryBytes < 1000, 'only what was seen is left');
});

test('a walk ends at its most blocks, and says so', () => {
  const { blocks, root } = sample();
  for (const blocksMax of [1, 3, 5, 6]) {
    const walk = new DagWalk(wantOf(root), { blocksMax });
    let count = 0;
    for (let link = walk.next(); link; link = walk.next()) {
      walk.accept(blocks.get(link.hash) ?? assert.fail());
      count++;
    }
    assert.equal(count, blocksMax);
    assert.equal(walk.full, true); // links that were seen are pending still
  }
  assert.equal(walkAll(blocks, wantOf(root)).walk.full, false);
});

test('a DAG that doubles at each level is walked once and measured without spreading it out', async () => {
  const blocks = new MemoryBlocks();
  let link = leaf(blocks, 'x');
  const entries = 50;
  for (let level = 0; level < 40; level++) {
    const same = link;
    link = folder(
      blocks,
      Array.from({ length: entries }, (_, i) => [`n${i}`, same] as const),
    );
  }
  assert.equal(walkAll(blocks, wantOf(link)).order.length, 41);
  assert.equal((await measure(blocks, link)).files, Number.MAX_SAFE_INTEGER);
});

test('blocks that are no part of a site are refused with a reason', () => {
  const blocks = new MemoryBlocks();
  const inline = CID.createV1(0x55, identity.digest(utf8('inline')));
  const data = new UnixFS({ type: 'directory' }).marshal();
  const bad: readonly Bytes[] = [
    utf8('not protobuf'),
    new Uint8Array(),
    encode({ Data: utf8('not unixfs'), Links: [] }),
    encode({ Data: data, Links: [{ Name: 'x', Tsize: 1, Hash: inline }] }),
    encode({
      Data: data,
      Links: [{ Name: 'x', Tsize: 1, Hash: CID.createV1(0x71, identity.digest(utf8('c'))) }],
    }),
    encode({
      Data: new UnixFS({ type: 'symlink', data: utf8('/etc/passwd') }).marshal(),
      Links: [],
    }),
    encode({ Data: new UnixFS({ type: 'file', blockSizes: [1n] }).marshal(), Links: [] }),
    encode({
      Data: new UnixFS({ type: 'hamt-sharded-directory', fanout: 7n }).marshal(),
      Links: [],
    }),
  ];
  for (const bytes of bad) {
    const link: Link = { codec: 'dag-pb', hash: blocks.add(bytes) };
    const { refused } = walkAll(blocks, wantOf(link));
    assert.ok(refused !== undefined && refused !== '', toHex(bytes));
  }
});

test('no bytes make the decoder throw', () => {
  const valid = new MemoryBlocks();
  const { hash } = folder(valid, [['name', leaf(valid, 'x')]]);
  const bytes = valid.get(hash) ?? assert.fail();
  const link: Link = { codec: 'dag-pb', hash };
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
      assert.ok(decodeNode(link, noise));
    }),
  );
  checkProperty(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ flip;
      assert.ok(decodeNode(link, changed));
    }),
  );
  assert.equal(blockBytesMax, 2 * 1024 * 1024);
});

test('leaves come in the order of the want, each once, and one that is lacking is passed over', () => {
  const blocks = new MemoryBlocks();
  const [a, b, c] = [leaf(blocks, 'a'), leaf(blocks, 'b'), leaf(blocks, 'c')];
  const gone: Link = { codec: 'raw', hash: new Uint8Array(32) };
  const want: Want = { ...wantOf(c, 'leaves'), others: [a, gone, c, b, a] };
  const { order, refused, walk } = walkAll(blocks, want);
  assert.deepEqual(
    order,
    [c, a, gone, b].map(({ hash }) => toHex(hash)),
  );
  assert.equal(refused, undefined);
  assert.equal(walk.bytes, 3);
  assert.ok(!walk.full && !walk.limited && !walk.noPath);
});
