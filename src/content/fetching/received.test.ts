/** Fetches of which the most is received by another thread, from peers of all kinds. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import {
  type ContentNode,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { SwitchedDenials } from '../../../test/support/switched-denials.ts';
import { systemWorld } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { SigningKey } from '../../identity/key.ts';
import type { PeerHost } from '../../peer/host.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { requireLink } from '../dag/root.ts';
import { encodeEnd, endStatuses, syncProtocol } from '../exchange/frames.ts';
import { SyncServer } from '../exchange/sync-server.ts';
import { Reception } from '../reception/reception.ts';
import type { FetcherOptions } from './fetch-job.ts';

const leafBytes = 256 * 1024;
const leaves = 24;
const rules = { leftBytes: leafBytes, broughtBytes: 1, bytesPerMs: 0 };
const dyingProgram = new URL('../../../test/support/dying-worker.ts', import.meta.url);
const key = new SigningKey('node', randomBytes(32));

let receivedBytes = 0;

function onReceived(_from: Uint8Array, bytes: number): void {
  receivedBytes += bytes;
}

/** Of the test that runs; all of them have the same key. */
let host: PeerHost | undefined;

function receptionOf(program?: URL): Reception {
  return new Reception({
    host: {
      certificate: () => host?.certificate() ?? Promise.reject(new Error('no host')),
      proofsOf: (publicKey) => host?.proofsOf(publicKey) ?? [],
    },
    timers: systemWorld.timers,
    log: silentLogger,
    onReceived,
    program,
  });
}

/** One for all tests, as a thread takes a second to start. */
const reception = receptionOf();

before(() => (receivedBytes = 0));
after(() => reception.stop());

/** What a peer does with a write of the stream that the thread has, of which so much was written. */
type Write = (stream: ByteStream, bytes: Uint8Array, writtenBytes: number) => Promise<void>;

const honestly: Write = (stream, bytes) => stream.write(bytes);

/**
 * Has `node` serve as `second` says on every stream but the first of each peer; there it holds back
 * what follows the first leaf until there is a second one.
 */
async function serveMoved(node: ContentNode, second: Write): Promise<void> {
  const server = new SyncServer(node.blocks);
  const isMoved = Promise.withResolvers<void>();
  let streams = 0;
  await node.host.handle(syncProtocol, (stream) => {
    const isFirst = streams++ === 0;
    if (!isFirst) isMoved.resolve();
    let written = 0;
    return server.serve({
      remote: stream.remote,
      read: stream.read,
      async write(bytes) {
        written += bytes.length;
        if (isFirst && written > 2 * leafBytes) await isMoved.promise;
        await (isFirst ? stream.write(bytes) : second(stream, bytes, written));
      },
      close: () => stream.close(),
      abort: (reason) => stream.abort(reason),
    });
  });
}

interface Scene {
  readonly board: RecordBoard;
  readonly provider: ContentNode;
  readonly reader: ContentNode;
  readonly root: CID;
  /** What was published. */
  readonly folder: string;
}

interface SceneOptions extends FetcherOptions {
  readonly second?: Write;
  readonly denials?: SwitchedDenials;
  readonly by?: Reception;
}

async function scene(
  t: TestContext,
  { second = honestly, denials, by = reception, ...options }: SceneOptions = {},
): Promise<Scene> {
  receivedBytes = 0;
  const board = new RecordBoard();
  const provider = await startContentNode(t, board);
  const fetch = { reception: rules, ...options };
  const reader = await startContentNode(t, board, { key, reception: by, fetch, denials });
  ({ host } = reader);
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'large.bin'), randomBytes(leaves * leafBytes));
  const { root } = await provider.sites.publish(folder);
  await serveMoved(provider, second);
  return { board, provider, reader, root, folder };
}

test('the most of a large fetch is received by the thread, from one peer', async (t) => {
  const { reader, root } = await scene(t);
  const { files, peers } = await reader.sites.ensure(root);
  assert.deepEqual([files, peers], [1, 1]);
  assert.ok(receivedBytes > (leaves * leafBytes) / 2, `${receivedBytes} octets`);
  assert.ok(receivedBytes < (leaves + 1) * leafBytes, `${receivedBytes} octets`);
});

test('a peer that lies to the thread is dropped, and the rest comes from another one', async (t) => {
  const lie: Write = async (stream, bytes, written) => {
    const lied = bytes.slice();
    const at = lied.length >> 1; // in a leaf, however many of them a write has
    if (written > 4 * leafBytes) lied.set([(lied[at] ?? 0) ^ 1], at);
    await stream.write(lied).catch(() => undefined); // the victim hangs up
  };
  const { board, reader, root, folder } = await scene(t, { second: lie });
  await assert.rejects(reader.sites.ensure(root), { code: 'CONTENT_UNAVAILABLE' });
  assert.ok(receivedBytes > 3 * leafBytes);
  const honest = await startContentNode(t, board);
  await honest.sites.publish(folder);
  assert.equal((await reader.sites.ensure(root)).files, 1);
});

test('a peer that resets the stream of the thread is asked again', async (t) => {
  let resets = 0;
  const reset: Write = async (stream, bytes, written) => {
    if (resets === 0 && written > 4 * leafBytes) {
      resets++;
      stream.abort(new Error('reset'));
    }
    await stream.write(bytes);
  };
  const { reader, root } = await scene(t, { second: reset });
  assert.equal((await reader.sites.ensure(root)).files, 1);
  assert.equal(resets, 1);
});

test('a peer that refuses the stream of the thread is asked again on another one', async (t) => {
  let refusals = 0;
  const refuse: Write = (stream, bytes) =>
    stream.write(refusals++ === 0 ? encodeEnd(endStatuses.refused) : bytes);
  const { reader, root } = await scene(t, { second: refuse });
  assert.equal((await reader.sites.ensure(root)).files, 1);
  assert.ok(refusals > 1);
});

test('what becomes denied while the thread receives it ends the fetch', async (t) => {
  const denials = new SwitchedDenials();
  let denied: CID | undefined;
  const { reader, root } = await scene(t, {
    denials,
    second: async (stream, bytes, written) => {
      if (written > 4 * leafBytes && denied) denials.denyBlock(requireLink(denied).hash);
      await stream.write(bytes);
    },
  });
  denied = root;
  await assert.rejects(reader.sites.ensure(root), { code: 'CONTENT_BLOCKED' });
  assert.ok(receivedBytes > 0);
});

test('a fetch takes no more than it may, whoever receives it', async (t) => {
  const { reader, root } = await scene(t, { bytesMax: 8 * leafBytes });
  await assert.rejects(reader.sites.ensure(root), { code: 'CONTENT_BAD' });
  assert.ok(receivedBytes > 0);
});

test('stopping in the middle ends the fetch and its streams', async (t) => {
  const begun = Promise.withResolvers<void>();
  const broken = Promise.withResolvers<void>();
  const stall: Write = async (stream, bytes, written) => {
    if (written < 4 * leafBytes) return stream.write(bytes);
    begun.resolve();
    const octets = stream.read[Symbol.asyncIterator]();
    await octets.next().catch(() => broken.resolve());
    throw new Error('over');
  };
  const { reader, root } = await scene(t, { second: stall });
  const fetched = assert.rejects(reader.sites.ensure(root), { code: 'ABORTED' });
  await begun.promise;
  await reader.sites.stop();
  await fetched;
});

test('where the thread cannot be had this one receives all', async (t) => {
  const by = receptionOf(dyingProgram);
  const board = new RecordBoard();
  const provider = await startContentNode(t, board);
  const fetch = { reception: rules };
  const reader = await startContentNode(t, board, { key, reception: by, fetch });
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'large.bin'), randomBytes(leaves * leafBytes));
  const { root } = await provider.sites.publish(folder);
  assert.equal((await reader.sites.ensure(root)).files, 1);
  await by.stop();
});

test('what comes in small blocks is not moved', async (t) => {
  const opened = t.mock.method(reception, 'open');
  const board = new RecordBoard();
  const provider = await startContentNode(t, board);
  const fetch = { reception: rules };
  const reader = await startContentNode(t, board, { key, reception, fetch });
  ({ host } = reader);
  const folder = temporaryFolder(t);
  for (let n = 0; n < 400; n++) await writeFile(path.join(folder, `${n}`), randomBytes(4096));
  const { root } = await provider.sites.publish(folder);
  assert.equal((await reader.sites.ensure(root)).files, 400);
  assert.equal(opened.mock.callCount(), 0);
});
