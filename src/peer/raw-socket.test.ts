/** That the connections of libp2p still have their socket where it is looked for. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import type { MultiaddrConnection } from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { createLibp2p } from 'libp2p';
import { atEnd } from '../../test/support/cleanup.ts';
import { parseMultiaddr } from './address.ts';
import { takeSocket } from './raw-socket.ts';

test('a connection that comes in gives its socket, with what was not read of it', async (t) => {
  const { promise: taken, resolve } = Promise.withResolvers<Socket | undefined>();
  const take = (connection: MultiaddrConnection): void => {
    connection.unshift(Buffer.from('first '));
    resolve(takeSocket(connection));
    connection.addEventListener('message', () => assert.fail('it is read by nobody else'));
  };
  const host = await createLibp2p({
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    transports: [tcp()],
    connectionGater: {
      denyInboundConnection: (connection) => {
        take(connection);
        return new Promise(() => undefined);
      },
    },
  });
  atEnd(t, () => host.stop());
  const { port = 0 } = parseMultiaddr(String(host.getMultiaddrs()[0])) ?? {};
  const client = connect({ host: '127.0.0.1', port });
  atEnd(t, () => client.destroy());
  await once(client, 'connect');
  client.end('second');
  const socket = await taken;
  assert.ok(socket);
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  assert.equal(Buffer.concat(chunks).toString(), 'first second');
});
