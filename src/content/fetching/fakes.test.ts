/** Providers that lie, and records that name a victim (docs/spec/threats.md). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { CID } from 'multiformats/cid';
import { atEnd, temporaryFolder } from '../../../test/support/cleanup.ts';
import {
  type ContentNode,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { type Endpoint, parseEndpoint } from '../../base/address.ts';
import { SigningKey } from '../../identity/key.ts';
import { encodeMultiaddr, parseMultiaddr } from '../../peer/address.ts';
import { dialsPerMinute } from '../../peer/dial-budget.ts';
import { PeerHost } from '../../peer/host.ts';
import type { ByteStream } from '../../peer/stream.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { networkId, networkProfiles } from '../../record/network.ts';
import { makeProviderRecord } from '../../record/provider.ts';
import {
  encodeEnd,
  encodeFrame,
  endStatuses,
  FrameReader,
  frameTypes,
  syncProtocol,
} from '../exchange/frames.ts';

const network = networkId(networkProfiles.local);

/** What `key` says of the content: that it has it, at these addresses. */
function recordOf(root: CID, key: SigningKey, at: readonly Endpoint[]): SignedRecord {
  const issued = Math.floor(Date.now() / 1000);
  const body = { multihash: root.multihash.bytes, multiaddrs: at.map(encodeMultiaddr) };
  return makeProviderRecord(body, { seq: 1n, issued }, { key, network });
}

function someKey(): SigningKey {
  return new SigningKey('node', randomBytes(32));
}

async function publishSome(t: TestContext, node: ContentNode): Promise<CID> {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'page'), randomBytes(100_000));
  return (await node.sites.publish(folder)).root;
}

/** What a fake provider answers, each in its turn. */
const lies: readonly ((stream: ByteStream) => Promise<void>)[] = [
  (stream) => stream.write(encodeFrame(frameTypes.block, randomBytes(1000))),
  (stream) => stream.write(encodeEnd(endStatuses.done)),
  (stream) => stream.write(Uint8Array.of(0x42, 0, 0, 0, 0)),
  (stream) => Promise.resolve(stream.abort(new Error('no'))),
];

async function startFake(t: TestContext, n: number): Promise<{ key: SigningKey; at: Endpoint[] }> {
  const key = someKey();
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  await host.handle(syncProtocol, async (stream) => {
    const frames = new FrameReader(stream.read);
    for (let i = 0; i < 2; i++) await frames.next(); // the root and a want
    await lies[n % lies.length]?.(stream).catch(() => undefined); // the victim hangs up
    await stream.close().catch(() => undefined);
  });
  return { key, at: host.addresses().flatMap((text) => parseMultiaddr(text) ?? []) };
}

test('63 providers that lie and a real one, the last: it is found', async (t) => {
  const board = new RecordBoard();
  const [real, reader] = [await startContentNode(t, board), await startContentNode(t, board)];
  const root = await publishSome(t, real);
  const fakes = await Promise.all(Array.from({ length: 63 }, (_, n) => startFake(t, n)));
  for (const { key, at } of fakes) await board.publish(recordOf(root, key, at));
  await real.sites.reprovide();
  assert.equal(board.providers(), 64);
  const { files } = await reader.sites.ensure(root);
  assert.equal(files, 1);
});

/** Counts the TCP connections that would be made to `ip`: only `live` is a port where one is. */
function watchDials(t: TestContext, ip: string, live?: number): { count: number } {
  const dials = { count: 0 };
  const connect = net.connect.bind(net);
  t.mock.method(net, 'connect', (options: net.NetConnectOpts) => {
    if (!('host' in options) || options.host !== ip) return connect(options);
    dials.count++;
    if (live === options.port) return connect({ ...options, host: '127.0.0.1' });
    const socket = new net.Socket();
    queueMicrotask(() => socket.destroy(new Error('nobody is there')));
    return socket;
  });
  return dials;
}

test('a victim in 1,000 records is dialled four times a minute, and the real one is found', async (t) => {
  const victim = '8.8.8.8';
  const dials = watchDials(t, victim);
  const board = new RecordBoard();
  const [real, reader] = [await startContentNode(t, board), await startContentNode(t, board)];
  const root = await publishSome(t, real);
  const at = [1, 2, 3, 4].map((port) => parseEndpoint(`${victim}:${9000 + port}`) ?? assert.fail());
  const keys = Array.from({ length: 1000 }, someKey);
  for (const key of keys.slice(0, 200)) await board.publish(recordOf(root, key, at));
  await real.sites.reprovide();
  for (const key of keys.slice(200)) await board.publish(recordOf(root, key, at));
  assert.equal((await reader.sites.ensure(root)).files, 1);
  assert.equal(dials.count, dialsPerMinute);
});

test('the same for whoever is told to dial: each minute four more', async (t) => {
  const victim = '8.8.8.8';
  const dials = watchDials(t, victim);
  const world = manualWorld();
  const host = new PeerHost({ key: someKey(), listen: [], world });
  await host.start();
  atEnd(t, () => host.stop());
  for (const minutes of [1, 2]) {
    for (let n = 0; n < 500; n++) {
      const addresses = [`/ip4/${victim}/tcp/${1024 + n}`, `/ip4/${victim}/tcp/${2048 + n}`];
      const target = { publicKey: someKey().publicKey, addresses };
      await assert.rejects(host.open(target, syncProtocol), { code: 'UNREACHABLE' });
    }
    assert.equal(dials.count, minutes * dialsPerMinute);
    world.advance(60_001);
  }
});

test('where a node was met before, it is found though four others name its address', async (t) => {
  const [real, reader] = [someKey(), someKey()];
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const first = new PeerHost({ key: real, listen });
  await first.start();
  atEnd(t, () => first.stop());
  const [at] = first.addresses().flatMap((text) => parseMultiaddr(text) ?? []);
  assert.ok(at);
  const ip = '8.8.8.8';
  watchDials(t, ip, at.port);
  const host = new PeerHost({ key: reader, listen: [] });
  await host.start();
  atEnd(t, () => host.stop());
  const target = { publicKey: real.publicKey, addresses: [`/ip4/${ip}/tcp/${at.port}`] };
  await (await host.open(target, syncProtocol)).close();
  await first.stop();
  while (host.connections().length > 0) await setImmediate();
  const second = new PeerHost({ key: real, listen: [{ host: '127.0.0.1', port: at.port }] });
  await second.start();
  atEnd(t, () => second.stop());
  for (let n = 0; n < dialsPerMinute; n++) {
    const fake = { publicKey: someKey().publicKey, addresses: [`/ip4/${ip}/tcp/${1 + n}`] };
    await assert.rejects(host.open(fake, syncProtocol), { code: 'UNREACHABLE' });
  }
  const stream = await host.open(target, syncProtocol);
  assert.deepEqual(stream.remote, real.publicKey);
  await stream.close();
});
