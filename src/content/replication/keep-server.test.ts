import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { keepNet, makeSite } from '../../../test/support/keep-net.ts';
import type { ByteStream } from '../../peer/stream.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { providerKey } from '../../record/provider.ts';
import { multihashOf, requireLink } from '../dag/root.ts';
import { FrameReader } from '../exchange/frames.ts';
import type { Published } from '../ports.ts';
import { Slabs } from '../slabs.ts';
import { askStandings } from './keep-client.ts';
import { encodeQuestion, keepFrameBytesMax, keepFrames, keepProtocol } from './keep-frames.ts';

/** The type of the frame that is the answer. */
async function ask(stream: ByteStream, frames: FrameReader): Promise<number | undefined> {
  await stream.write(encodeQuestion([randomBytes(32)]));
  return (await frames.next())?.type;
}

test('streams on which little is asked do not keep the places from others', async (t) => {
  const net = keepNet(t);
  const admission = { streamsMax: 4, streamsPerPeerMax: 2 };
  const keeper = await net.start({ admission });
  const to = { publicKey: keeper.key.publicKey, addresses: keeper.host.addresses() };
  const { signal } = new AbortController();
  const asking = { timers: net.world.timers, patienceMs: 5000, signal };
  const idlers = await Promise.all([net.start(), net.start()]);
  const kept: (() => Promise<number | undefined>)[] = [];
  for (const { host } of idlers.flatMap((idler) => [idler, idler])) {
    const stream = await host.open(to, keepProtocol);
    const frames = new FrameReader(stream.read, new Slabs(0), keepFrameBytesMax);
    kept.push(() => ask(stream, frames));
    assert.equal(await kept.at(-1)?.(), keepFrames.answer);
    net.world.advance(1000);
  }
  const [first] = idlers;
  assert.ok(first);
  const third = await askStandings({ connections: first.host, to }, [randomBytes(32)], asking);
  assert.equal(third, undefined, 'a peer that has its own places takes none from others');
  const honest = await net.start();
  const asked = { connections: honest.host, to };
  assert.deepEqual(await askStandings(asked, [randomBytes(32)], asking), ['no']);
  const [longest, ...others] = kept;
  assert.equal(await longest?.().catch(() => undefined), keepFrames.refused);
  for (const other of others) assert.equal(await other(), keepFrames.answer);
});

test('a copy that fell back to visited, as its budget did not suffice, is not said to be kept', async (t) => {
  const net = keepNet(t);
  const [publisher, keeper] = await net.startAll(2, { replicas: 1 });
  assert.ok(publisher && keeper);
  const { holdings } = keeper;
  const open = holdings.open.bind(holdings);
  // As the store does while a reader writes the same root.
  holdings.open = ({ root }) => open({ kind: 'visited', root });
  const { root, replicas, refused } = await publisher.sites.publish(await makeSite(t));
  assert.equal(holdings.get(requireLink(root).hash)?.complete, true);
  assert.deepEqual([replicas, refused], [0, [{ why: 'budget', nodes: 1 }]]);
});

test('a node that ends waits for the copy that it is making: its store is closed after that', async (t) => {
  const net = keepNet(t);
  const [publisher, keeper] = await net.startAll(2, { replicas: 1 });
  assert.ok(publisher && keeper);
  const { holdings, sites } = keeper;
  const [writing, written] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const events: string[] = []; // BOUNDED by this test
  const open = holdings.open.bind(holdings);
  holdings.open = async (what) => {
    const holding = await open(what);
    const close = holding.close.bind(holding);
    holding[Symbol.asyncDispose] = async () => {
      writing.resolve();
      await written.promise;
      await close();
      events.push('closed');
    };
    return holding;
  };
  const gone = new AbortController();
  const publishing = publisher.sites.publish(await makeSite(t), { signal: gone.signal });
  await writing.promise;
  const stopped = sites.stop().then(() => events.push('stopped'));
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  written.resolve();
  await stopped;
  assert.deepEqual(events, ['closed', 'stopped']);
  gone.abort(new Error('enough'));
  await publishing.catch(() => undefined);
});

test('a copy is said to be kept once storers have heard of it, or after patience', async (t) => {
  for (const silences of [2, Infinity]) {
    const net = keepNet(t);
    const publisher = await net.start({ replicas: 1 });
    const of = net.board.of.bind(net.board);
    let left = silences;
    net.board.of = (key) => {
      const heard = of(key);
      const nobody = { stored: 0, asked: 20, refusals: [], holders: [] };
      const publish = (record: SignedRecord): Promise<Published> =>
        left-- > 0 ? Promise.resolve(nobody) : heard.publish(record);
      return { ...heard, publish };
    };
    await net.start({ replicas: 1 });
    let replicas: number | undefined;
    const publishing = publisher.sites.publish(await makeSite(t)).then((said) => {
      ({ replicas } = said);
      return said;
    });
    await net.until('the copy counts', () => replicas !== undefined);
    const { root } = await publishing;
    assert.equal(replicas, 1);
    const providers = net.board.live(providerKey(multihashOf(requireLink(root))));
    assert.equal(providers.length, silences === 2 ? 2 : 1);
  }
});
