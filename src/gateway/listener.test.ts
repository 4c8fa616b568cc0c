/** Whose connections are taken. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { atEnd } from '../../test/support/cleanup.ts';
import { runGateway } from '../../test/support/gateway.ts';

async function open(t: TestContext, port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1' });
  atEnd(t, () => socket.destroy());
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Whether the gateway answers on it. */
async function isTaken(socket: Socket): Promise<boolean> {
  const answered = once(socket, 'data').then(() => true);
  const closed = once(socket, 'close').then(() => false);
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return Promise.race([answered, closed]);
}

test('one network cannot take all connections, and gets back those that it ends', async (t) => {
  const { port, gateway } = await runGateway(t, {
    connectionsPerClientMax: 2,
    limitsLoopback: true,
  });
  const first = await open(t, port);
  assert.ok(await isTaken(first));
  assert.ok(await isTaken(await open(t, port)));
  assert.equal(await isTaken(await open(t, port)), false);
  assert.equal(gateway.counts().connections, 2);
  first.destroy();
  while (gateway.counts().connections > 1) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(await isTaken(await open(t, port)));
});

test("this machine's own connections are limited only in all", async (t) => {
  const { port } = await runGateway(t, { connectionsPerClientMax: 1 });
  for (let i = 0; i < 3; i++) assert.ok(await isTaken(await open(t, port)));
});
