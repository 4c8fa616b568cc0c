import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNode, startPair, testKey, toyHandler, until } from '../../test/support/udp.ts';
import { isAltNetError } from '../base/errors.ts';
import { contactOf } from '../identity/contact.ts';

const nonce = new Uint8Array(16).fill(3);

for (const host of ['127.0.0.1', '::1', '0.0.0.0']) {
  test(`a knock is one PING with the nonce from a port of its own, bound to ${host}`, async (t) => {
    const [, server, asked] = await startPair(t, host === '::1' ? host : '127.0.0.1');
    const knocker = await startNode(t, { n: 5, host, isServer: () => true });
    await knocker.transport.knock(server.contact, nonce);
    await knocker.transport.knock(server.contact, nonce);
    await until(() => asked.length === 2);
    const ports = asked.map(([from]) => from.contact.endpoint.port);
    const listening = new Set(knocker.transport.address().map(({ port }) => port));
    for (const port of ports) assert.ok(!listening.has(port));
    for (const [from, request] of asked) {
      assert.deepEqual(request, { method: 'ping', nonce });
      assert.deepEqual(from.contact.id, knocker.contact.id);
    }
    const { 'knock.sent': knocks, 'init.sent': asks } = knocker.transport.counters();
    assert.deepEqual([knocks, asks], [2, undefined], 'nothing is asked again');
  });
}

test('a knock at nobody resolves: whether it arrived is not known here', async (t) => {
  const knocker = await startNode(t, { n: 5 });
  const closed = await startNode(t, { n: 6 });
  await closed.transport.stop();
  await knocker.transport.knock(closed.contact, nonce);
});

test('more knocks at once than are allowed are refused, the others leave', async (t) => {
  const asked: Parameters<typeof toyHandler>[0] = [];
  const server = await startNode(t, { n: 1, handler: toyHandler(asked) });
  const knocker = await startNode(t, { n: 5 });
  const knocks = Array.from({ length: 60 }, () => knocker.transport.knock(server.contact, nonce));
  const outcomes = await Promise.allSettled(knocks);
  const left = outcomes.filter(({ status }) => status === 'fulfilled').length;
  assert.equal(left, 40, '8 at once, 32 that wait');
  await until(() => asked.length === left);
  const { port } = knocker.contact.endpoint;
  assert.ok(asked.every(([from]) => from.contact.endpoint.port !== port));
});

function isUnreachable(error: unknown): boolean {
  return isAltNetError(error, 'UNREACHABLE');
}

test('what cannot be knocked at is refused with its reason', async (t) => {
  const [client, server] = await startPair(t);
  const { transport } = client;
  const at = (ip: Uint8Array, port: number): Promise<void> =>
    transport.knock(contactOf(testKey(1).publicKey, { ip, port }), nonce);
  await assert.rejects(at(Uint8Array.of(0, 0, 0, 0), 9000), isUnreachable);
  await assert.rejects(at(Uint8Array.of(...new Uint8Array(15), 1), 9000), isUnreachable);
  const badKey = contactOf(new Uint8Array(32).fill(255), server.contact.endpoint);
  await assert.rejects(transport.knock(badKey, nonce), isUnreachable);
  assert.equal(transport.counters()['knock.sent'], undefined);

  const reason = new Error('enough');
  const { contact } = server;
  await assert.rejects(
    transport.knock(contact, nonce, { signal: AbortSignal.abort(reason) }),
    reason,
  );
  await transport.stop();
  await assert.rejects(transport.knock(contact, nonce), (error) => isAltNetError(error, 'ABORTED'));
});
