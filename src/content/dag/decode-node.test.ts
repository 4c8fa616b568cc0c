/** Our reading of nodes beside that of the library that others use, and nodes made to be slow. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decode, encode, type PBLink, prepare } from '@ipld/dag-pb';
import * as fc from 'fast-check';
import { UnixFS } from 'ipfs-unixfs';
import { checkProperty } from '../../../test/support/property.ts';
import type { Bytes } from '../../base/bytes.ts';
import { decodeNodeOctets, nodeLinksMax } from './decode-node.ts';
import { decodeUnixfsOctets } from './decode-unixfs.ts';
import { cidOf, type Link, linkOf } from './root.ts';
import { decodeNode } from './unixfs.ts';

const links: fc.Arbitrary<PBLink> = fc
  .record({
    codec: fc.constantFrom('dag-pb' as const, 'raw' as const),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    name: fc.string({ unit: 'grapheme', maxLength: 20 }),
    size: fc.maxSafeNat(),
    isOld: fc.boolean(),
  })
  .map(({ codec, hash, name, size, isOld }) => {
    const cid = cidOf({ codec, hash });
    return { Name: name, Tsize: size, Hash: isOld && codec === 'dag-pb' ? cid.toV0() : cid };
  });
const nodes: fc.Arbitrary<Bytes> = fc
  .record({ Data: fc.uint8Array({ maxLength: 40 }), Links: fc.array(links, { maxLength: 5 }) })
  .map((node) => encode(prepare(node)));

/** What the library reads; undefined where it throws, or a link is none that is used here. */
function theirs(bytes: Bytes): unknown {
  try {
    const { Data, Links } = decode(bytes);
    const found = Links.map(({ Hash, Name = '', Tsize = 0 }) => {
      const link = linkOf(Hash);
      return link && { codec: link.codec, hash: [...link.hash], name: Name, size: Tsize };
    });
    return found.includes(undefined) ? undefined : { data: Data && [...Data], links: found };
  } catch {
    return undefined;
  }
}

function ours(bytes: Bytes): unknown {
  const node = decodeNodeOctets(bytes);
  if (node.kind === 'bad') return undefined;
  const found = node.links.map((link) => ({ ...link, hash: [...link.hash] }));
  return { data: node.data && [...node.data], links: found };
}

test('a node is read as the library reads it', () => {
  checkProperty(fc.property(nodes, (bytes) => assert.deepEqual(ours(bytes), theirs(bytes))));
});

test('of a changed node nothing is taken that the library refuses, and nothing throws', () => {
  checkProperty(
    fc.property(nodes, fc.nat(), fc.nat(255), (bytes, at, octet) => {
      const changed = Uint8Array.from(bytes);
      if (changed.length > 0) changed[at % changed.length] = octet;
      if (theirs(changed) === undefined) assert.equal(ours(changed), undefined);
    }),
  );
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 60 }), (noise) => {
      if (theirs(noise) === undefined) assert.equal(ours(noise), undefined);
      decodeUnixfsOctets(noise);
    }),
  );
});

test('the message of UnixFS is read as the library reads it', () => {
  const sizes = fc.array(fc.maxSafeNat().map(BigInt), { maxLength: 20 });
  checkProperty(
    fc.property(sizes, fc.uint8Array({ maxLength: 20 }), fc.nat(1024), (blockSizes, data, n) => {
      const mtime = { secs: BigInt(n), nsecs: n };
      const file = new UnixFS({ type: 'file', blockSizes, data, mtime, mode: 0o600 });
      const read = decodeUnixfsOctets(file.marshal());
      assert.deepEqual(read?.partSizes, blockSizes.map(Number));
      assert.deepEqual([...(read?.data ?? [])], [...data]);
      const shard = new UnixFS({ type: 'hamt-sharded-directory', fanout: BigInt(n) });
      assert.equal(decodeUnixfsOctets(shard.marshal())?.fanout, n);
    }),
  );
});

const hash = new Uint8Array(32).fill(7);
const leaf: PBLink = { Name: '', Tsize: 1, Hash: cidOf({ codec: 'raw', hash }) };
const node: Link = { codec: 'dag-pb', hash };

function fileOf(parts: number, sizes: number = parts): Bytes {
  const unixfs = new UnixFS({ type: 'file', blockSizes: Array<bigint>(sizes).fill(1n) });
  return encode({ Data: unixfs.marshal(), Links: Array.from({ length: parts }, () => leaf) });
}

test('a node may have so many links and no more', () => {
  assert.equal(decodeNode(node, fileOf(nodeLinksMax)).kind, 'file');
  const more = decodeNode(node, fileOf(nodeLinksMax + 1));
  assert.equal(more.kind === 'bad' && more.why, 'a node has more than 8192 links');
});

/** Two octets each: fields that say nothing. */
const empties = (field: number): Bytes => {
  const octets = new Uint8Array(2 * 1024 * 1024 - 8);
  for (let at = 0; at < octets.length; at += 2) octets[at] = field;
  return octets;
};

test('nodes of a million fields are refused before any of them is taken apart', () => {
  for (const bytes of [fileOf(45_000), empties(0x12), fileOf(1, 500_000)]) {
    const counter = countingReads(bytes);
    assert.equal(decodeNode(node, counter.bytes).kind, 'bad');
    assert.ok(counter.reads() <= 6 * (nodeLinksMax + 8), `${counter.reads()} octets were read`);
  }
  assert.equal(decodeUnixfsOctets(empties(0x48)), undefined, 'unknown numbers');
  assert.equal(decodeUnixfsOctets(empties(0x20)), undefined, 'sizes of parts');
});

/** The octets of a block that are looked at one by one. */
function countingReads(bytes: Bytes): { bytes: Bytes; reads: () => number } {
  let count = 0;
  const watched = new Proxy(bytes, {
    get(target, key) {
      if (typeof key === 'string' && /^\d+$/.test(key)) count++;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { bytes: watched, reads: () => count };
}
