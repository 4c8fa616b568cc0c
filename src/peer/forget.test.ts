import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { identify } from '@libp2p/identify';
import type { Libp2p } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { tls } from '@libp2p/tls';
import { yamux } from '@libp2p/yamux';
import { createLibp2p } from 'libp2p';
import { atEnd } from '../../test/support/cleanup.ts';
import { forgetGonePeers } from './forget.ts';

function start(listen: string[]): Promise<Libp2p> {
  return createLibp2p({
    addresses: { listen },
    transports: [tcp()],
    connectionEncrypters: [tls()],
    streamMuxers: [yamux()],
    services: { identify: identify() },
    connectionManager: { inboundConnectionThreshold: 100 },
  });
}

test('of peers that connected under ever new keys nothing is left', async (t) => {
  const host = await start(['/ip4/127.0.0.1/tcp/0']);
  atEnd(t, () => host.stop());
  forgetGonePeers(host);
  const [address] = host.getMultiaddrs();
  assert.ok(address);
  const known = async (): Promise<number> => (await host.peerStore.all()).length;
  for (let i = 0; i < 8; i++) {
    const peer = await start([]);
    atEnd(t, () => peer.stop());
    await peer.dial(address);
    while ((await known()) === 0) await delay(2);
    await peer.stop();
  }
  const end = performance.now() + 20_000;
  while ((await known()) > 0 && performance.now() < end) await delay(10);
  assert.equal(await known(), 0);
});
