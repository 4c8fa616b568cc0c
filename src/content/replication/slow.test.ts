/** Nodes that make copies, but so slowly that nobody should wait for them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { atEnd } from '../../../test/support/cleanup.ts';
import { type KeepNet, keepNet, makeSite } from '../../../test/support/keep-net.ts';
import { sleep } from '../../base/abort.ts';
import { contactOf } from '../../identity/contact.ts';
import { SigningKey } from '../../identity/key.ts';
import { parseMultiaddr } from '../../peer/address.ts';
import { PeerHost, type StreamHandler } from '../../peer/host.ts';
import { FrameReader } from '../exchange/frames.ts';
import { Slabs } from '../slabs.ts';
import {
  encodeKeepFrame,
  encodeProgress,
  keepFrameBytesMax,
  keepFrames,
  keepProtocol,
} from './keep-frames.ts';

/** Takes what is offered and says now and then that some of it has come, just not too little. */
function dribbler(net: KeepNet): StreamHandler {
  return async (stream) => {
    await new FrameReader(stream.read, new Slabs(0), keepFrameBytesMax).next();
    await stream.write(encodeKeepFrame(keepFrames.taking));
    for (let bytes = 33_000; ; bytes += 33_000) {
      await sleep(net.world.timers, 15_000);
      await stream.write(encodeProgress(bytes));
    }
  };
}

/** As many of them; lookups tell of them first. */
async function startDribblers(t: TestContext, net: KeepNet, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    const key = new SigningKey('node', randomBytes(32));
    const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
    await host.handle(keepProtocol, dribbler(net));
    await host.start();
    atEnd(t, () => host.stop());
    const [endpoint] = host.addresses().flatMap((text) => parseMultiaddr(text) ?? []);
    assert.ok(endpoint);
    net.keepers.contacts.unshift(contactOf(key.publicKey, endpoint));
  }
  net.keepers.closest = () => Promise.resolve([...net.keepers.contacts]);
}

test('who makes a copy in drops is not waited for while others are faster', async (t) => {
  const net = keepNet(t);
  const publisher = await net.start({ replicas: 3, isKeeper: () => false });
  await net.startAll(3);
  await startDribblers(t, net, 2);
  let replicas: number | undefined;
  const publishing = publisher.sites.publish(await makeSite(t, 100, 200_000));
  void publishing.then((said) => (replicas = said.replicas));
  await net.until('it is published', () => replicas !== undefined);
  assert.equal(replicas, 3);
});

test('who alone makes a copy in drops is given up, and the answer says why', async (t) => {
  const net = keepNet(t);
  const publisher = await net.start({ replicas: 2, isKeeper: () => false });
  await startDribblers(t, net, 1);
  const publishing = publisher.sites.publish(await makeSite(t, 100, 200_000));
  let refused: unknown;
  void publishing.then((said) => (refused = said.refused));
  await net.until('it is published', () => refused !== undefined);
  assert.deepEqual(refused, [
    { why: 'slow', nodes: 1 },
    { why: 'too-few', nodes: 1 },
  ]);
});
