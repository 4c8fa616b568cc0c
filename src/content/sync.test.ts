import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { CID } from 'multiformats/cid';
import { type Bytes, concatBytes, equalBytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { type ContentNode, RecordBoard, startContentNode } from '../../test/support/content-net.ts';
import { type HeldTimers, holdTimers } from '../../test/support/held-timers.ts';
import type { ByteStream } from '../peer/stream.ts';
import {
  decodeEnd,
  decodeWant,
  encodeEnd,
  encodeFrame,
  encodeHead,
  endStatuses,
  FrameReader,
  frameTypes,
  syncProtocol,
} from './exchange/frames.ts';
import { DagWalk } from './dag/walk.ts';
import type { Verifier } from './ports.ts';

interface Trial {
  readonly root: CID;
  readonly board: RecordBoard;
  /** Publishes honestly; its protocol handler may be replaced. */
  readonly provider: ContentNode;
  readonly fetcher: ContentNode;
  /** Of the fetcher. */
  readonly timers: HeldTimers;
}

/** Within such a period something must come; it is over when the test says so, and not before. */
const pace = { periodMs: 123_456, bytesMin: 1 };

async function prepare(t: TestContext, verifier?: Verifier): Promise<Trial> {
  const board = new RecordBoard();
  const timers = holdTimers(pace.periodMs);
  const provider = await startContentNode(t, board);
  const patience = { fetch: { pace }, world: timers.world };
  const fetcher = await startContentNode(t, board, { ...patience, verifier });
  const { root } = await provider.sites.publish(await makeSite(t));
  return { root, board, provider, fetcher, timers };
}

/** No two of its blocks are alike. */
const largeFile: Bytes = Buffer.alloc(3_000_000);
for (let at = 0; at < largeFile.length; at += 32) {
  largeFile.set(sha256(utf8(String(at))).subarray(0, largeFile.length - at), at);
}

/** Twelve leaves of their own and four that repeat. */
async function makeSite(t: TestContext): Promise<string> {
  const folder = temporaryFolder(t);
  await mkdir(path.join(folder, 'sub'));
  await writeFile(path.join(folder, 'sub/large'), largeFile);
  await writeFile(path.join(folder, 'again'), largeFile.subarray(0, 1024 * 1024));
  await writeFile(path.join(folder, 'small'), 'small');
  return folder;
}

type Script = (blocks: readonly Bytes[], stream: ByteStream) => Promise<void>;

const block = (bytes: Bytes): Bytes => encodeFrame(frameTypes.block, bytes);
const done = encodeEnd(endStatuses.done);

function rightBlocks({ provider }: Trial, body: Bytes): Bytes[] {
  const want = decodeWant(body) ?? assert.fail('not a want');
  const walk = new DagWalk(want);
  const blocks: Bytes[] = [];
  for (let link = walk.next(); link; link = walk.next()) {
    const bytes = provider.blocks.get(link.hash) ?? assert.fail('not held');
    blocks.push(bytes);
    walk.accept(bytes);
  }
  return blocks;
}

/** Makes the provider answer its first want with a script, given the blocks that would be right. */
async function misbehave(trial: Trial, script: Script): Promise<void> {
  await trial.provider.host.handle(syncProtocol, async (stream) => {
    const frames = new FrameReader(stream.read);
    await frames.next(); // the root
    const frame = await frames.next();
    if (frame) await script(rightBlocks(trial, frame.body), stream);
  });
}

interface Slow {
  readonly firstBytes: (first: Bytes) => number;
  readonly laterBytes: number;
}

/** What a script does, how many blocks of it are good, and why the provider is dropped. */
const frauds: readonly {
  readonly name: string;
  readonly script: Script;
  readonly kept: number;
  readonly why: RegExp;
  /** Of one that is slow: what comes before its first period is over, and in each later one. */
  readonly slow?: Slow;
}[] = [
  {
    name: 'a block with a flipped bit',
    script: async (blocks, stream) => {
      const wrong = Uint8Array.from(blocks[3] ?? []);
      wrong[100] = (wrong[100] ?? 0) ^ 1;
      await stream.write(concatBytes(...blocks.slice(0, 3).map(block), block(wrong)));
    },
    kept: 3,
    why: /not the one whose turn/,
  },
  {
    name: 'good blocks in another order',
    script: async ([first, second, third, ...rest], stream) => {
      assert.ok(first && second && third);
      await stream.write(concatBytes(...[first, third, second, ...rest].map(block), done));
    },
    kept: 1,
    why: /not the one whose turn/,
  },
  {
    name: 'a block sent twice',
    script: async ([first], stream) => {
      assert.ok(first);
      await stream.write(concatBytes(block(first), block(first)));
    },
    kept: 1,
    why: /not the one whose turn/,
  },
  {
    name: 'an end that comes too early',
    script: async (blocks, stream) => {
      await stream.write(concatBytes(...blocks.slice(0, 5).map(block), done));
    },
    kept: 5,
    why: /said that it was done/,
  },
  {
    name: 'a stream without end',
    script: async (blocks, stream) => {
      await stream.write(concatBytes(...blocks.map(block)));
      const more = block(randomBytes(256 * 1024));
      for (;;) await stream.write(more);
    },
    kept: Infinity,
    why: /more than was asked for/,
  },
  {
    name: 'a frame larger than any block',
    script: (_, stream) => stream.write(encodeHead(frameTypes.block, 0xffff_ffff)),
    kept: 0,
    why: /too large/,
  },
  {
    name: 'a frame of an unknown type',
    script: (_, stream) => stream.write(Uint8Array.of(0x42, 0, 0, 0, 0)),
    kept: 0,
    why: /unknown type/,
  },
  {
    name: 'a want as an answer',
    script: (_, stream) => stream.write(encodeFrame(frameTypes.want, new Uint8Array(36))),
    kept: 0,
    why: /not an answer/,
  },
  {
    name: 'an unknown status',
    script: (_, stream) => stream.write(encodeFrame(frameTypes.end, Uint8Array.of(99))),
    kept: 0,
    why: /unknown status/,
  },
  {
    name: 'silence',
    script: async ([first], stream) => {
      assert.ok(first);
      await stream.write(block(first));
    },
    kept: 1,
    why: /too slow/,
    slow: { firstBytes: (first) => block(first).length, laterBytes: 0 },
  },
  {
    name: 'a drip of bytes that never becomes a block',
    script: async ([first], stream) => {
      assert.ok(first);
      await stream.write(encodeHead(frameTypes.block, 1024 * 1024));
      for (;;) {
        await stream.write(Uint8Array.of(1));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    kept: 0,
    why: /too slow/,
    slow: { firstBytes: () => encodeHead(frameTypes.block, 0).length + 3, laterBytes: 3 },
  },
];

/** Counts what a node has read of the streams that it opens from now on. */
function countBytes(t: TestContext, { host }: ContentNode): { bytes: number } {
  const count = { bytes: 0 };
  const open = host.open.bind(host);
  async function* counted(read: AsyncIterable<Bytes>): AsyncGenerator<Bytes> {
    for await (const chunk of read) {
      yield chunk;
      count.bytes += chunk.length;
    }
  }
  t.mock.method(host, 'open', async (...args: Parameters<typeof open>) => {
    const stream = await open(...args);
    return { ...stream, read: counted(stream.read) };
  });
  return count;
}

/** Lets the timers that are set fire as often as `isDue`, until `work` has ended. */
async function fireUntilOver(
  work: Promise<unknown>,
  { timers, isDue }: { readonly timers: HeldTimers; readonly isDue: () => boolean },
): Promise<void> {
  const over = new AbortController();
  const end = (): void => over.abort();
  work.then(end, end);
  while (!over.signal.aborted) {
    await setImmediate();
    if (isDue()) timers.fire();
  }
}

/** Fetches from one that is slow: a period is over when all that comes in it has come. */
async function ensureFromSlow(
  t: TestContext,
  { fetcher, provider, root, timers }: Trial,
  { firstBytes, laterBytes }: Slow,
): Promise<unknown> {
  const count = countBytes(t, fetcher);
  let dueBytes = firstBytes(provider.blocks.get(root.multihash.digest) ?? assert.fail('no root'));
  const isDue = (): boolean => {
    if (count.bytes < dueBytes) return false;
    dueBytes = count.bytes + laterBytes;
    return true;
  };
  const fetching = fetcher.sites.ensure(root);
  await fireUntilOver(fetching, { timers, isDue });
  return fetching;
}

/** Knows of each block later than it comes, as another thread does; says how many it was asked. */
class LateVerifier implements Verifier {
  asked = 0;

  async matches(hash: Bytes, bytes: Bytes): Promise<boolean> {
    this.asked++;
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    return equalBytes(sha256(bytes), hash);
  }
}

/** Those that need a look into blocks, and may thus be found out late. */
const lateFrauds = frauds.slice(0, 5).map((one) => ({ ...one, isLate: true }));

for (const { name, script, kept, why, slow, isLate } of [
  ...frauds.map((one) => ({ ...one, isLate: false })),
  ...lateFrauds,
]) {
  const known = isLate ? ', which is known later' : '';
  test(`${name}${known}: the provider is dropped, what was good stays`, async (t) => {
    const verifier = isLate ? new LateVerifier() : undefined;
    const trial = await prepare(t, verifier);
    const { board, fetcher, provider, root } = trial;
    await misbehave(trial, async (blocks, stream) => {
      await script(blocks, stream).catch(() => undefined); // the victim hangs up, as it should
    });
    const total = provider.blocks.size;
    if (kept < total) {
      const fetching = slow ? ensureFromSlow(t, trial, slow) : fetcher.sites.ensure(root);
      const error: unknown = await fetching.catch((reason: unknown) => reason);
      assert.match(String(error), why);
      assert.equal(fetcher.blocks.size, kept);
      assert.equal(fetcher.holdings.list().filter(({ complete }) => complete).length, 0);
      await assert.rejects(
        fetcher.sites.ensure(root),
        { code: 'NO_PROVIDERS' },
        'it is remembered',
      );
    }
    const honest = await startContentNode(t, board);
    await honest.sites.publish(await makeSite(t));
    const { peers } = await fetcher.sites.ensure(root);
    assert.ok(peers >= 1);
    assert.equal(fetcher.blocks.written.length, total, 'nothing was fetched twice');
    if (verifier) assert.ok(verifier.asked >= 12, 'leaves are verified by it');
  });
}

test('a provider that has only some of it gives what it has', async (t) => {
  const { board, fetcher, provider, root } = await prepare(t);
  const whole = [...provider.blocks.hashes()];
  const other = await startContentNode(t, board);
  await other.sites.publish(await makeSite(t));
  const leaves = whole.filter(
    (hash) => provider.blocks.get(Buffer.from(hash, 'hex'))?.length === 262_144,
  );
  for (const [i, hash] of leaves.entries()) {
    (i % 2 === 0 ? provider : other).blocks.delete(Buffer.from(hash, 'hex'));
  }
  const { peers } = await fetcher.sites.ensure(root);
  assert.equal(peers, 2);
  assert.deepEqual(fetcher.blocks.hashes().toSorted(), whole.toSorted());
  assert.equal(fetcher.blocks.written.length, whole.length);
});

test('a provider that dies in the middle is replaced and nothing comes twice', async (t) => {
  const trial = await prepare(t);
  const { board, fetcher, provider, root } = trial;
  const second = await startContentNode(t, board);
  await misbehave(trial, async (blocks, stream) => {
    await stream.write(concatBytes(...blocks.slice(0, 7).map(block)));
    // The second provider becomes known only now, so that the order is certain.
    await second.sites.publish(await makeSite(t));
    while (fetcher.blocks.size < 1) await setImmediate();
    await provider.host.stop();
  });
  const failed: unknown = await fetcher.sites.ensure(root).catch((error: unknown) => error);
  if (failed instanceof Error) await fetcher.sites.ensure(root);
  assert.equal(fetcher.blocks.size, provider.blocks.size);
  assert.equal(fetcher.blocks.written.length, provider.blocks.size);
});

test('a server counts its streams and tells a peer that there is no room', async (t) => {
  const board = new RecordBoard();
  const provider = await startContentNode(t, board, { serve: { streamsPerPeerMax: 1 } });
  const fetcher = await startContentNode(t, board);
  const { root } = await provider.sites.publish(await makeSite(t));
  const target = { publicKey: provider.key.publicKey, addresses: provider.host.addresses() };
  const held = await fetcher.host.open(target, syncProtocol);
  const turnedAway = await fetcher.host.open(target, syncProtocol);
  const answer = await new FrameReader(turnedAway.read).next();
  assert.equal(answer && decodeEnd(answer.body), endStatuses.busy);
  const { promise: isAway, resolve } = Promise.withResolvers<void>();
  const open = fetcher.host.open.bind(fetcher.host);
  t.mock.method(fetcher.host, 'open', async (...args: Parameters<typeof open>) => {
    const stream = await open(...args);
    resolve();
    return stream;
  });
  const fetching = fetcher.sites.ensure(root);
  await isAway;
  await held.close();
  await fetching; // a server that is full is asked again, and not condemned
});

test('a server drops a stream that asks nonsense or stays silent', async (t) => {
  const board = new RecordBoard();
  const serve = { idleMs: 123_456 };
  const timers = holdTimers(serve.idleMs);
  const provider = await startContentNode(t, board, { serve, world: timers.world });
  const fetcher = await startContentNode(t, board);
  const { root } = await provider.sites.publish(await makeSite(t));
  const target = { publicKey: provider.key.publicKey, addresses: provider.host.addresses() };
  const openings: Bytes[] = [
    encodeFrame(frameTypes.want, new Uint8Array(3)),
    encodeFrame(frameTypes.block, new Uint8Array(3)),
    encodeHead(frameTypes.want, 5000),
    new Uint8Array(),
  ];
  for (const opening of openings) {
    const stream = await fetcher.host.open(target, syncProtocol);
    if (opening.length > 0) await stream.write(opening);
    const dropped = assert.rejects(new FrameReader(stream.read).next(), { code: 'UNREACHABLE' });
    // Nonsense is found out at once, silence when its time is over.
    if (opening.length === 0) await fireUntilOver(dropped, { timers, isDue: () => true });
    await dropped;
  }
  await fetcher.sites.ensure(root); // and still serves those who behave
});
