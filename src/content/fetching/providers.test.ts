import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { systemWorld } from '../../base/clock.ts';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { collect } from '../../../test/support/collect.ts';
import {
  type ContentNode,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { FrameReader, syncProtocol } from '../exchange/frames.ts';
import { BadPeers, ProviderDialer, type ProviderSources } from './providers.ts';
import { requireLink } from '../dag/root.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';
import { SyncServer } from '../exchange/sync-server.ts';

const filesCount = 40;

function rethrow(error: unknown): void {
  throw error;
}

async function publishMany(t: TestContext, node: ContentNode): Promise<CID> {
  const folder = temporaryFolder(t);
  const names = Array.from({ length: filesCount }, (_, i) => `file-${i}`);
  await Promise.all(names.map((name) => writeFile(path.join(folder, name), randomBytes(2000))));
  return (await node.sites.publish(folder)).root;
}

test('many readers of one provider wait for each other and none is turned away', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const root = await publishMany(t, a);
  const sizes = await Promise.all(
    Array.from({ length: filesCount }, async (_, i) => {
      const entry = await b.sites.open(root, `file-${i}`);
      assert.ok(entry.type === 'file');
      return (await collect(entry.read())).reduce((sum, { length }) => sum + length, 0);
    }),
  );
  assert.deepEqual(
    sizes,
    sizes.map(() => 2000),
  );
});

test('a provider that falls silent is left for another, though it is not condemned', async (t) => {
  const board = new RecordBoard();
  const silence = { quietMs: 50, firstFrameMs: 100 };
  const [a, b, c] = [
    await startContentNode(t, board),
    await startContentNode(t, board),
    await startContentNode(t, board, { fetch: { silence } }), // its pace would take 30 s
  ];
  const root = await publishMany(t, a);
  await b.sites.ensure(root);
  const first = Promise.withResolvers<ContentNode>();
  for (const node of [a, b]) {
    const honest = new SyncServer(node.blocks);
    await node.host.handle(syncProtocol, async (stream) => {
      first.resolve(node);
      if ((await first.promise) !== node) return honest.serve(stream);
      await new FrameReader(stream.read).next(); // and never an answer
    });
  }
  const { files } = await c.sites.ensure(root);
  assert.equal(files, filesCount);
});

test('a stream that stood unused for too long is opened anew', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const root = await publishMany(t, a);
  let nowMs = 0;
  const clock = { unixMs: () => Date.now(), monotonicMs: () => nowMs };
  const sources: ProviderSources = {
    search: board,
    connections: b.host,
    clock,
    timers: systemWorld.timers,
    bad: new BadPeers(clock, 1),
    slow: new BadPeers(clock, 1),
    slots: new StreamSlots(1),
    self: b.key.publicKey,
  };
  const { signal } = new AbortController();
  const quest = { link: requireLink(root), known: [], signal, onFailure: rethrow };
  const dialer = new ProviderDialer(sources, quest);
  dialer.start();
  while (!dialer.hasNext) await new Promise((resolve) => setImmediate(resolve));
  nowMs = 30_000;
  const provider = await dialer.next();
  assert.equal(provider?.openedMs, nowMs);
  await provider.stream.close();
  dialer.want(1);
  assert.equal(await dialer.next(), undefined);
  dialer.stop();
});
