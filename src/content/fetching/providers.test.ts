import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { parseIp } from '../../base/address.ts';
import { systemWorld } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { collect } from '../../../test/support/collect.ts';
import {
  type ContentNode,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { type ManualWorld, manualWorld } from '../../../test/support/manual-world.ts';
import { DialBudget, DialPutOff } from '../../peer/dial-budget.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { FrameReader, syncProtocol } from '../exchange/frames.ts';
import { type Link, requireLink } from '../dag/root.ts';
import type { Connections } from '../ports.ts';
import { ProviderDialer } from './dialer.ts';
import { BadPeers, type ProviderContact, type ProviderSources } from './providers.ts';
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

/** Connections to contacts of which only some answer; the others neither do nor refuse. */
function sourcesWhere(
  isAlive: (key: number) => boolean,
  world: ManualWorld,
  open: Set<number>,
): ProviderSources {
  const stream: ByteStream = {
    remote: new Uint8Array(32),
    read: (async function* () {})(),
    write: () => Promise.resolve(),
    close: () => Promise.resolve(),
    abort: () => undefined,
  };
  const connections: Connections = {
    addresses: () => [],
    remoteAddress: () => undefined,
    provenAddresses: () => [],
    handle: () => Promise.resolve(),
    open: ({ publicKey: [key = 0] }, _, { signal } = {}) => {
      if (isAlive(key)) return Promise.resolve(stream);
      open.add(key);
      return new Promise((_resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new Error('given up')));
      });
    },
  };
  const { clock, timers } = world;
  const patient = { bad: new BadPeers(clock, 1), slow: new BadPeers(clock, 1) };
  const search = new RecordBoard();
  const self = new Uint8Array(32).fill(255);
  return { search, connections, clock, timers, ...patient, slots: new StreamSlots(6), self };
}

function contacts(count: number): ProviderContact[] {
  const addresses = ['/ip4/127.0.0.1/tcp/1'];
  return Array.from({ length: count }, (_, i) => ({
    publicKey: new Uint8Array(32).fill(i),
    addresses,
  }));
}

test('five providers that are gone cost a moment each, not the time until a dial fails', async () => {
  const world = manualWorld();
  const open = new Set<number>();
  const sources = sourcesWhere((key) => key === 5, world, open);
  const { signal } = new AbortController();
  const link: Link = { codec: 'raw', hash: new Uint8Array(32) };
  const quest = { link, known: contacts(6), signal, onFailure: rethrow };
  const dialer = new ProviderDialer(sources, quest);
  dialer.start();
  const found = dialer.next();
  for (let i = 0; i < 5; i++) await world.advanceAsync(250);
  assert.equal((await found)?.contact.publicKey[0], 5);
  dialer.stop();
});

test('however many are gone, only some are dialled at the same time', async () => {
  const world = manualWorld();
  const open = new Set<number>();
  const sources = sourcesWhere(() => false, world, open);
  const { signal } = new AbortController();
  const link: Link = { codec: 'raw', hash: new Uint8Array(32) };
  const quest = { link, known: contacts(60), signal, onFailure: rethrow };
  const dialer = new ProviderDialer(sources, quest);
  dialer.want(60);
  dialer.start();
  await world.advanceAsync(1);
  assert.equal(open.size, 4);
  for (let i = 0; i < 60; i++) await world.advanceAsync(250);
  assert.equal(open.size, 16);
  dialer.stop();
});

/** Connections to contacts that all name one global IP; at its other ports nobody answers. */
function sourcesAtOneIp(isAlive: (key: number) => boolean, world: ManualWorld): ProviderSources {
  const budget = new DialBudget(world.clock);
  const ip = parseIp('8.8.8.8') ?? assert.fail();
  const sources = sourcesWhere(isAlive, world, new Set());
  const { connections } = sources;
  return {
    ...sources,
    connections: {
      ...connections,
      open: async (to, ...rest) => {
        const [port = 0] = to.publicKey;
        const waitMs = budget.take({ ip, port }, to.publicKey);
        const cause = waitMs > 0 ? new DialPutOff(waitMs) : undefined;
        if (!cause && isAlive(port)) return connections.open(to, ...rest);
        throw new AltNetError('UNREACHABLE', { what: 'a node', why: 'nobody' }, { cause });
      },
    },
  };
}

function dialAll(sources: ProviderSources, count: number): ProviderDialer {
  const { signal } = new AbortController();
  const link: Link = { codec: 'raw', hash: new Uint8Array(32) };
  const quest = { link, known: contacts(count), signal, onFailure: () => undefined };
  const dialer = new ProviderDialer(sources, quest);
  dialer.start();
  return dialer;
}

test('four records that name the address of an honest provider only put it off', async () => {
  const world = manualWorld();
  const dialer = dialAll(
    sourcesAtOneIp((key) => key === 4, world),
    5,
  );
  let opened: number | undefined;
  const found = dialer.next().then((one) => (opened = one?.contact.publicKey[0]));
  await world.advanceAsync(59_000);
  assert.equal(opened, undefined, 'others are not dialled more often for it');
  await world.advanceAsync(2000);
  assert.equal(opened, 4);
  await found;
  dialer.stop();
});

test('what is put off does not keep a search up for ever', async () => {
  const world = manualWorld();
  const dialer = dialAll(
    sourcesAtOneIp(() => false, world),
    60,
  );
  let isOver = false;
  void dialer.next().then((one) => (isOver = one === undefined));
  await world.advanceAsync(110_000);
  assert.equal(isOver, false);
  await world.advanceAsync(20_000);
  assert.equal(isOver, true);
  assert.equal(world.pendingTimers(), 0);
});
