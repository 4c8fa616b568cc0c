/** One network that wants all connections of a host, and others that want one. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd } from '../../test/support/cleanup.ts';
import { SigningKey } from '../identity/key.ts';
import { PeerHost, type PeerTarget } from './host.ts';
import type { NetworkCapOptions } from './network-cap.ts';

const echo = '/test/echo/1';
const some = (): SigningKey => new SigningKey('node', randomBytes(32));

/** As if 127.0.1.x and 127.0.2.x were networks of the Internet. */
function networkOf(address: string): string | undefined {
  return /^\/ip4\/127\.0\.\d+/.exec(address)?.[0];
}

async function startHost(
  t: TestContext,
  perNetwork: NetworkCapOptions,
): Promise<{ host: PeerHost; target: PeerTarget; port: number }> {
  const key = some();
  const listen = [{ host: '127.0.0.1', port: 0 }];
  const host = new PeerHost({ key, listen, perNetwork: { networkOf, ...perNetwork } });
  await host.start();
  atEnd(t, () => host.stop());
  await host.handle(echo, async (stream) => {
    for await (const chunk of stream.read) await stream.write(chunk);
    await stream.close();
  });
  const addresses = host.addresses();
  const port = Number(addresses[0]?.split('/').at(-1));
  return { host, target: { publicKey: key.publicKey, addresses }, port };
}

/** A TCP connection from this address that says nothing. */
async function connectFrom(
  t: TestContext,
  localAddress: string,
  port: number,
): Promise<{ socket: Socket; closed: Promise<void> }> {
  const socket = createConnection({ host: '127.0.0.1', port, localAddress });
  atEnd(t, () => void socket.destroy());
  socket.on('error', () => undefined);
  socket.resume();
  const closed = new Promise<void>((resolve) => void socket.on('close', () => resolve()));
  await once(socket, 'connect');
  return { socket, closed };
}

test('a network that opens more connections than it may is refused, and others are not', async (t) => {
  const { host, target } = await startHost(t, { connectionsPerNetworkMax: 3 });
  const peers = await Promise.all(
    Array.from({ length: 6 }, async () => {
      const peer = new PeerHost({ key: some(), listen: [] });
      await peer.start();
      atEnd(t, () => peer.stop());
      return peer;
    }),
  );
  const opened = await Promise.allSettled(peers.map((peer) => peer.open(target, echo)));
  while (host.refusedConnections < 3) await delay(5, undefined, { signal: t.signal });
  assert.equal(host.connections().length, 3);
  assert.equal(host.refusedConnections, 3);
  for (const one of opened) if (one.status === 'fulfilled') one.value.abort(new Error('over'));

  await peers.find((peer) => peer.connections().length > 0)?.stop();
  while (host.connections().length > 2) await delay(5, undefined, { signal: t.signal });
  const late = new PeerHost({ key: some(), listen: [] });
  await late.start();
  atEnd(t, () => late.stop());
  const stream = await late.open(target, echo);
  await stream.write(Buffer.from('x'));
  for await (const chunk of stream.read) {
    assert.equal(Buffer.from(chunk).toString(), 'x');
    break;
  }
});

test('handshakes that one network begins and does not end leave room for those of others', async (t) => {
  const { host, port, target } = await startHost(t, { handshakesPerNetworkMax: 4 });
  const silent = await Promise.all(
    Array.from({ length: 4 }, (_, i) => connectFrom(t, `127.0.1.${i + 1}`, port)),
  );
  const more = await connectFrom(t, '127.0.1.200', port);
  await more.closed;
  assert.equal(host.refusedConnections, 1);
  const peer = new PeerHost({ key: some(), listen: [] });
  await peer.start();
  atEnd(t, () => peer.stop());
  const stream = await peer.open(target, echo); // from 127.0.0.1
  await stream.close();

  silent[0]?.socket.destroy();
  await silent[0]?.closed;
  // Once the host has seen that, there is room for another one.
  for (let isOpen = false; !isOpen;) {
    const { socket, closed } = await connectFrom(t, '127.0.1.9', port);
    const answered = new Promise<true>((resolve) => void socket.on('data', () => resolve(true)));
    socket.write('\x13/multistream/1.0.0\n');
    isOpen = await Promise.race([closed.then(() => false), answered]);
  }
});
