/** Leaves that are asked for together, of peers that lack some and break off. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encode, type PBLink, prepare } from '@ipld/dag-pb';
import * as fc from 'fast-check';
import { UnixFS } from 'ipfs-unixfs';
import { RecordBoard } from '../../../test/support/content-net.ts';
import { MemoryBlocks, MemoryHoldings } from '../../../test/support/memory-blocks.ts';
import { streamPair } from '../../../test/support/stream-pair.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import { systemWorld, type World } from '../../base/clock.ts';
import { noDenials } from '../../base/denial.ts';
import { silentLogger } from '../../base/logger.ts';
import { sha256 } from '../../base/hash.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { missingOf } from '../dag/missing.ts';
import { cidOf, type Link } from '../dag/root.ts';
import type { Want } from '../dag/walk.ts';
import { Asked } from '../exchange/asked.ts';
import { decodeWant, headBytes, othersMax } from '../exchange/frames.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';
import { SyncServer } from '../exchange/sync-server.ts';
import { Arrivals } from './arrivals.ts';
import { BadPeers, type ProviderSources } from './providers.ts';
import { Run } from './run.ts';
import { Transfer } from './transfer.ts';

const kibibyte = 1024;

function leafWant(n: number, bytesSaid?: number): Want {
  const link = { codec: 'raw' as const, hash: sha256(Uint8Array.of(n >> 8, n & 255)) };
  return { link, level: 0, path: [], scope: 'all', limitBytes: 1_000_000, bytesSaid };
}

test('a run takes leaves up to a quarter of what is asked ahead, and so many', () => {
  const run = new Run(leafWant(0, 256 * kibibyte), 4 * 1024 * kibibyte);
  for (let n = 1; run.fits(leafWant(n, 256 * kibibyte)); n++) run.add(leafWant(n, 256 * kibibyte));
  assert.equal(run.bytes, 1024 * kibibyte);
  assert.equal(run.want().others?.length, 3);
  assert.equal(run.want().scope, 'leaves');
  const small = new Run(leafWant(0, 10), 1024 * kibibyte);
  for (let n = 1; small.fits(leafWant(n, 10)); n++) small.add(leafWant(n, 10));
  assert.equal(small.want().others?.length, othersMax);
});

test('a node, or what a path leads to, is asked for alone, and so is a single leaf', () => {
  const node: Want = { ...leafWant(1), link: { codec: 'dag-pb', hash: new Uint8Array(32) } };
  const named: Want = { ...leafWant(2), path: ['a'] };
  for (const other of [node, named]) {
    assert.ok(!new Run(other, 1e9).fits(leafWant(0)));
    assert.ok(!new Run(leafWant(0), 1e9).fits(other));
  }
  const first = leafWant(0);
  assert.equal(new Run(first, 1e9).want(), first);
});

/** Leaves, and files of up to `width` parts on top of each other; all differ. */
function makeFile(leaves: readonly number[], width: number): { blocks: MemoryBlocks; root: Link } {
  const blocks = new MemoryBlocks();
  let level = leaves.map((size, n) => {
    const bytes = new Uint8Array(size + 2).fill(n);
    bytes.set([n >> 8, n & 255]);
    const link: Link = { codec: 'raw', hash: blocks.add(bytes) };
    return { link, size: bytes.length };
  });
  do {
    const above: typeof level = [];
    for (let at = 0; at < level.length; at += width) {
      const parts = level.slice(at, at + width);
      const sizes = parts.map(({ size }) => BigInt(size));
      const Data = new UnixFS({ type: 'file', blockSizes: sizes }).marshal();
      const Links = parts.map(({ link, size }): PBLink => {
        return { Name: '', Tsize: size, Hash: cidOf(link) };
      });
      const hash = blocks.add(encode(prepare({ Data, Links })));
      const size = parts.reduce((sum, one) => sum + one.size, 0);
      above.push({ link: { codec: 'dag-pb', hash }, size });
    }
    level = above;
  } while (level.length > 1);
  return { blocks, root: level[0]?.link ?? assert.fail() };
}

interface FakePeer {
  readonly key: Bytes;
  readonly blocks: MemoryBlocks;
  /** Each of its first streams breaks off after so many writes. */
  readonly breaks: number[];
  /** Instead, called with each write; what it gives back is waited for. */
  readonly beforeWrite?: () => Promise<void> | undefined;
  /** Its streams open after this. */
  readonly up?: Promise<void>;
}

interface AskedWant {
  readonly peer: string;
  readonly want: Want;
  /** Whether one of what it names was here when it was asked. */
  readonly isHere: boolean;
}

interface Network {
  /** What each want named, in order. */
  readonly asked: readonly AskedWant[];
  readonly open: (key: Bytes) => Promise<ByteStream>;
}

/** Streams to servers in this process, whose wants are written down. */
function networkOf(peers: readonly FakePeer[], has: (hash: Bytes) => boolean): Network {
  const asked: AskedWant[] = [];
  const open = async (key: Bytes): Promise<ByteStream> => {
    const peer = peers.find((one) => one.key === key) ?? assert.fail();
    await peer.up;
    const [here, there] = streamPair(key);
    let left = peer.breaks.shift() ?? Infinity;
    const breaking: ByteStream = {
      ...there,
      async write(bytes) {
        await peer.beforeWrite?.();
        if (left-- > 0) return there.write(bytes);
        there.abort(new Error('broken'));
        throw new Error('broken');
      },
    };
    void new SyncServer(peer.blocks).serve(breaking);
    const write = (bytes: Bytes): Promise<void> => {
      for (const want of wantsIn(bytes)) {
        const isHere = [want.link, ...(want.others ?? [])].some(({ hash }) => has(hash));
        asked.push({ peer: toHex(key), want, isHere });
      }
      return here.write(bytes);
    };
    return { ...here, write };
  };
  return { asked, open };
}

/** What is sent is whole frames: the root, or some wants. */
function* wantsIn(bytes: Bytes): Generator<Want, void, undefined> {
  for (let at = 0; at < bytes.length;) {
    const length = Buffer.from(bytes).readUInt32BE(at + 1);
    const body = bytes.subarray(at + headBytes, at + headBytes + length);
    if (bytes[at] === 1) yield decodeWant(body) ?? assert.fail('a want that no server takes');
    at += headBytes + length;
  }
}

/** No time passes but where a test says so: nobody is slow, and nothing is asked twice for that. */
class StillWorld implements World {
  readonly timers: World['timers'] = {
    after: (delayMs, run) =>
      systemWorld.timers.after(delayMs, () => {
        this.nowMs += this.stepMs;
        run();
      }),
  };
  readonly random: World['random'] = systemWorld.random;
  nowMs = 0;
  /** So much passes with each timer. */
  stepMs = 0;
  readonly clock: World['clock'] = { unixMs: () => Date.now(), monotonicMs: () => this.nowMs };
}

const unused = (): never => assert.fail('nothing of that is done in this test');

function sourcesOf(network: Network, { clock, timers }: World): ProviderSources {
  return {
    search: new RecordBoard(),
    connections: {
      open: ({ publicKey }) => network.open(publicKey),
      addresses: unused,
      remoteAddress: unused,
      provenAddresses: unused,
      handle: unused,
    },
    clock,
    timers,
    bad: new BadPeers(clock, 1),
    slow: new BadPeers(clock, 1),
    slots: new StreamSlots(6),
    self: new Uint8Array(32),
  };
}

/** Brings what is missing below `root` into `held`. */
async function bring(
  root: Link,
  held: MemoryBlocks,
  peers: readonly FakePeer[],
  world: World = new StillWorld(),
): Promise<Network['asked']> {
  const arrivals = new Arrivals(held, world.clock);
  const network = networkOf(peers, (hash) => arrivals.has(hash));
  const into = await new MemoryHoldings(held).open({ kind: 'visited', root });
  arrivals.open(into);
  const missing = (): ReturnType<typeof missingOf> =>
    missingOf(arrivals, { link: root, level: 0, path: [], scope: 'all' });
  const transfer = new Transfer(
    { root, missing, into: () => Promise.resolve(into) },
    {
      sources: sourcesOf(network, world),
      options: {},
      world,
      logger: silentLogger,
      denials: noDenials,
      arrivals,
      asked: new Asked(),
      known: peers.map(({ key }) => ({ publicKey: key, addresses: [] })),
      guesses: [],
    },
  );
  try {
    await transfer.run();
  } finally {
    await arrivals.close(into);
  }
  return network.asked;
}

const cases = fc.record({
  leaves: fc.array(fc.nat(3000), { minLength: 1, maxLength: 120 }),
  width: fc.integer({ min: 2, max: 60 }),
  /** Of each leaf, in turn: whether it is held, and which of three peers lack it (all: the last). */
  held: fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
  lacked: fc.array(fc.nat(7), { minLength: 1, maxLength: 40 }),
  breaks: fc.array(fc.nat(12), { maxLength: 3 }),
  isRootHeld: fc.boolean(),
});

test('whatever is held, lacked or cut off: all comes, once, and nothing held is asked for', async () => {
  let runs = 0;
  const property = fc.asyncProperty(cases, async ({ leaves, width, held, lacked, ...rest }) => {
    const { blocks, root } = makeFile(leaves, width);
    const here = new MemoryBlocks();
    const peers = [0, 1, 2].map((n): FakePeer => {
      const breaks = n === 0 ? [...rest.breaks] : [];
      return { key: new Uint8Array(32).fill(n + 1), blocks: new MemoryBlocks(), breaks };
    });
    for (const [n, hex] of blocks.hashes().entries()) {
      const bytes = blocks.get(Buffer.from(hex, 'hex')) ?? assert.fail();
      const isLeaf = n < leaves.length;
      if (hex === toHex(root.hash) ? rest.isRootHeld : isLeaf && held[n % held.length]) {
        here.add(bytes);
      }
      const without = isLeaf ? (lacked[n % lacked.length] ?? 0) : 0;
      for (const [i, peer] of peers.entries()) {
        if (i === 2 || (without & (1 << i)) === 0) peer.blocks.add(bytes);
      }
    }
    const before = new Set(here.hashes());
    const asked = await bring(root, here, peers);
    assert.deepEqual(here.hashes().toSorted(), blocks.hashes().toSorted());
    assert.equal(here.written.length, blocks.size - before.size, 'each is written once');
    const times = new Map<string, number>();
    for (const { peer, want } of asked) {
      if (want.scope === 'leaves') runs++;
      for (const { hash } of [want.link, ...(want.others ?? [])]) {
        assert.ok(!before.has(toHex(hash)), 'it is here');
        const key = `${peer} ${toHex(hash)}`;
        times.set(key, (times.get(key) ?? 0) + 1);
      }
    }
    for (const [key, count] of times) {
      const returns = key.startsWith('01') ? rest.breaks.length : 0;
      assert.ok(count <= 1 + returns, `a peer was asked ${count} times for the same`);
    }
  });
  await fc.assert(property, { numRuns: 100 });
  assert.ok(runs > 0);
});

test('of a run whose peer stops, another brings the rest, and nothing that came', async () => {
  const { blocks, root } = makeFile(
    Array.from({ length: 100 }, () => 200_000),
    100,
  );
  const world = new StillWorld();
  const here = new MemoryBlocks();
  const stopped = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  let writes = 0;
  const beforeWrite = (): Promise<void> | undefined => {
    world.nowMs += 20; // 10 MB/s, so that runs have several leaves
    if (writes++ < 60) return undefined;
    world.stepMs = 300;
    stopped.resolve();
    return over.promise;
  };
  const peers = [1, 2].map((n): FakePeer => {
    const own = n === 1 ? { beforeWrite } : { up: stopped.promise };
    return { key: new Uint8Array(32).fill(n), blocks, breaks: [], ...own };
  });
  const asked = await bring(root, here, peers, world);
  over.resolve();
  assert.equal(here.size, blocks.size);
  assert.ok(asked.some(({ peer, want }) => peer.startsWith('01') && want.scope === 'leaves'));
  const named = asked.flatMap(({ peer, want }) =>
    [want.link, ...(want.others ?? [])].map(({ hash }) => ({ peer, hash: toHex(hash) })),
  );
  const [first, second] = ['01', '02'].map((key) => {
    return named.filter(({ peer }) => peer.startsWith(key)).map(({ hash }) => hash);
  });
  assert.ok(first && second);
  assert.equal(new Set(first).size, first.length);
  assert.equal(new Set(second).size, second.length, 'each is asked for twice at most');
  assert.ok(second.length > 0);
  // What lies unread in a stream cannot count: on a busy machine time passes before it is read.
  assert.ok(!asked.some(({ isHere }) => isHere), 'what came counts');
});
