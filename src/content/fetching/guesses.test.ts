/** Those who served something lately are asked for something new, beside the search. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import {
  type ContentNode,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { Asked } from '../exchange/asked.ts';
import { syncProtocol } from '../exchange/frames.ts';
import { SyncServer } from '../exchange/sync-server.ts';

async function publishSome(t: TestContext, node: ContentNode): Promise<CID> {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'page'), randomBytes(100_000));
  return (await node.sites.publish(folder)).root;
}

function startNodes(t: TestContext, board: RecordBoard, count: number): Promise<ContentNode[]> {
  return Promise.all(Array.from({ length: count }, () => startContentNode(t, board)));
}

test('who served a site has the next one too, while the search has found nobody yet', async (t) => {
  const board = new RecordBoard();
  const [provider, reader] = await startNodes(t, board, 2);
  assert.ok(provider && reader);
  await reader.sites.ensure(await publishSome(t, provider));
  const next = await publishSome(t, provider);
  t.mock.method(board, 'gather', async function* () {
    yield* [];
    await new Promise<never>(() => undefined);
  });
  assert.equal((await reader.sites.ensure(next)).peers, 1);
});

test('guesses that are wrong, and one that went away, do no harm', async (t) => {
  const board = new RecordBoard();
  const [reader, provider, ...others] = await startNodes(t, board, 5);
  assert.ok(reader && provider);
  for (const one of others) await reader.sites.ensure(await publishSome(t, one));
  await others[0]?.host.stop();
  const { peers, files } = await reader.sites.ensure(await publishSome(t, provider));
  assert.deepEqual({ peers, files }, { peers: 1, files: 1 });
});

test('that a guess lacks the content does not make it a provider', async (t) => {
  const board = new RecordBoard();
  const [provider, reader, stranger] = await startNodes(t, board, 3);
  assert.ok(provider && reader && stranger);
  await reader.sites.ensure(await publishSome(t, provider));
  const unknown = await publishSome(t, stranger);
  t.mock.method(board, 'gather', async function* () {
    yield* [];
    return { isConclusive: true };
  });
  await assert.rejects(reader.sites.ensure(unknown), { code: 'NO_PROVIDERS' });
});

test('a guess that never answers keeps nobody from answering', async (t) => {
  const board = new RecordBoard();
  const [provider, reader, mute] = await startNodes(t, board, 3);
  assert.ok(provider && reader && mute);
  await reader.sites.ensure(await publishSome(t, mute));
  const asked = Promise.withResolvers<void>();
  await mute.host.handle(syncProtocol, async (stream) => {
    for await (const chunk of stream.read) {
      asked.resolve();
      assert.ok(chunk);
    }
  });
  const honest = new SyncServer(provider.blocks);
  await provider.host.handle(syncProtocol, async (stream) => {
    await asked.promise;
    await honest.serve(stream);
  });
  assert.equal((await reader.sites.ensure(await publishSome(t, provider))).peers, 1);
});

test('what two were asked is on its way until both have ended', () => {
  const asked = new Asked();
  const link = { codec: 'raw' as const, hash: new Uint8Array(32) };
  const want = { link, level: 0, path: [], scope: 'all' as const };
  const [first, second] = [1, 2].map((nowMs) => {
    const ticket = asked.add(want, { nowMs, owner: asked });
    ticket.twin();
    return ticket;
  });
  assert.ok(first && second);
  assert.equal(asked.get(link), second);
  asked.end(second);
  assert.equal(asked.get(link), first);
  asked.end(first);
  assert.equal(asked.get(link), undefined);
});

test('of several leaves each is on its way until the last who was asked for it has ended', () => {
  const asked = new Asked();
  const [link, one, two] = [1, 2, 3].map((n) => {
    return { codec: 'raw' as const, hash: new Uint8Array(32).fill(n) };
  });
  assert.ok(link && one && two);
  const want = { link, level: 0, path: [], scope: 'leaves' as const, others: [one, two] };
  const all = asked.add(want, { nowMs: 0, owner: asked });
  assert.equal(all.bytes, 3 * 256 * 1024);
  for (const leaf of [link, one, two]) assert.equal(asked.get(leaf), all);
  const twin = asked.add(all.twin(all.links[2]), { nowMs: 1, owner: asked });
  twin.twin();
  assert.equal(asked.get(one), all);
  assert.equal(asked.get(two), twin);
  asked.end(twin);
  assert.equal(asked.get(two), all);
  asked.end(all);
  for (const leaf of [link, one, two]) assert.equal(asked.get(leaf), undefined);
});
