/** That the sockets of this Node.js still take memory to read into. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Socket, type AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { atEnd } from '../../test/support/cleanup.ts';
import { drain, readIntoMemory } from './socket-memory.ts';

async function pairOfSockets(t: TestContext): Promise<readonly [Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  atEnd(t, () => server.close());
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [served] = await accepted;
  for (const socket of [client, served]) atEnd(t, () => socket.destroy());
  return [client, served];
}

test('a socket reads into memory, all of it in order, and then ends', async (t) => {
  const [from, to] = await pairOfSockets(t);
  const got: Buffer[] = [];
  to.on('data', (early: Buffer) => got.push(early));
  from.write('first');
  while (got.length === 0) await once(to, 'data');
  drain(to);
  const memory = Buffer.alloc(1000);
  const taken = readIntoMemory(to, memory, (same, length) => {
    assert.equal(same, memory);
    got.push(Buffer.from(memory.subarray(0, length)));
  });
  assert.ok(taken);
  const bytes = randomBytes(300_000);
  from.end(bytes);
  await once(to, 'end');
  assert.deepEqual(Buffer.concat(got), Buffer.concat([Buffer.from('first'), bytes]));
});

test('a socket that is gone, or has been asked before, is left alone', async (t) => {
  const [one, other] = await pairOfSockets(t);
  const memory = Buffer.alloc(10);
  assert.ok(readIntoMemory(one, memory, () => undefined));
  assert.ok(!readIntoMemory(one, memory, () => undefined));
  other.destroy();
  assert.ok(!readIntoMemory(other, memory, () => undefined));
});
