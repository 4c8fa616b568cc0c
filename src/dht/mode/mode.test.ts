import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { ModeNet, type ModeNode } from '../../../test/support/mode-net.ts';
import { contactAt, strangerAt } from '../../../test/support/mode-samples.ts';
import { type Bytes } from '../../base/bytes.ts';
import type { Logger } from '../../base/logger.ts';
import { silentLogger } from '../../base/logger.ts';
import { parseIp } from '../../base/address.ts';
import type { ModeOptions } from './mode.ts';

const minute = 60_000;
const hour = 60 * minute;

function ip(text: string): Bytes {
  return parseIp(text) ?? assert.fail(text);
}

/** `servers` public nodes, each in its own /16, and one more that has begun to test. */
function network(
  t: TestContext,
  { servers = 12, ...options }: Partial<ModeOptions> & { servers?: number; log?: Logger } = {},
): { net: ModeNet; node: ModeNode } {
  const net = new ModeNet();
  for (let n = 1; n <= servers; n++) net.add(strangerAt(n), { role: 'public' });
  const node = net.add(contactAt('51.0.0.1:9000'), options);
  t.after(() => node.mode.stop());
  node.mode.start();
  return { net, node };
}

test('an open node becomes a server when its address has been stable for 15 min', async (t) => {
  const { net, node } = network(t);
  assert.equal(node.mode.status().mode, 'client');
  net.answer(node);
  await net.world.advanceAsync(15 * minute);
  assert.deepEqual(node.mode.status(), {
    mode: 'client',
    reason: 'its address is too new',
    address: node.contact.endpoint,
    clockOffsetSeconds: 0.5,
  });
  await net.world.advanceAsync(20_000);
  assert.equal(node.mode.status().mode, 'server');
  assert.equal(node.mode.status().reason, undefined);
  assert.equal(node.mode.isServer(ip('45.1.0.1')), true);
  assert.equal(node.mode.isServer(ip('2a00::1')), false, 'IPv6 was not tested');
  const asked = net.sent.filter((line) => line.startsWith('knock → 51.0.0.1')).length;
  assert.ok(asked >= 4 && asked <= 8, `${asked} knocks`);
});

test('a node behind a NAT stays a client, and asks ever less often', async (t) => {
  const { net, node } = network(t);
  node.open = false;
  net.answer(node);
  await net.world.advanceAsync(hour);
  assert.equal(node.mode.status().mode, 'client');
  assert.match(node.mode.status().reason ?? '', /NAT or firewall/);
  const knocks = net.sent.filter((line) => line.startsWith('knock')).length;
  assert.ok(knocks > 0 && knocks <= 4 * 8, `${knocks} knocks in an hour`);
  assert.equal(node.mode.isServer(ip('45.1.0.1')), false);
  assert.equal(node.mode.isServer(ip('192.168.0.7')), true, 'its own network reaches it');
});

test('a symmetric NAT makes a client without a single test', async (t) => {
  const { net, node } = network(t);
  net.answer(node, { observed: (n) => `51.0.0.1:${9000 + n}` });
  await net.world.advanceAsync(hour);
  assert.match(node.mode.status().reason ?? '', /another port for each peer/);
  assert.equal(node.mode.status().address, undefined);
  assert.deepEqual(net.sent, []);
});

test('a server that is no longer reached becomes a client, and a server again', async (t) => {
  const { net, node } = network(t);
  net.answer(node);
  await net.world.advanceAsync(16 * minute);
  assert.equal(node.mode.isServer(), true);
  node.open = false;
  await net.world.advanceAsync(62 * minute);
  assert.equal(node.mode.isServer(), false);
  node.open = true;
  await net.world.advanceAsync(hour);
  assert.equal(node.mode.isServer(), true);
});

test('a server at a new address is a client until that one is tested', async (t) => {
  const { net, node } = network(t);
  net.answer(node);
  await net.world.advanceAsync(16 * minute);
  assert.equal(node.mode.isServer(), true);
  net.answer(node, { observed: () => '52.0.0.1:9000' });
  await net.world.advanceAsync(10_000);
  assert.equal(node.mode.isServer(), false);
  assert.equal(node.mode.address(4)?.ip[0], 52);
});

test('a wrong clock keeps a node a client and is told once', async (t) => {
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  const { net, node } = network(t, { log });
  net.answer(node, { secondsAhead: 1000 });
  await net.world.advanceAsync(hour);
  assert.equal(node.mode.isServer(), false);
  assert.match(node.mode.status().reason ?? '', /100[01] s behind/);
  assert.equal(warnings.length, 1);
});

test('a small network cannot test, and says that --public is the way', async (t) => {
  const said: string[] = [];
  const log: Logger = {
    ...silentLogger,
    info: (_, fields) => void said.push(`${fields?.['reason']}`),
  };
  const { net, node } = network(t, { servers: 3, log });
  net.answer(node);
  await net.world.advanceAsync(2 * hour);
  assert.equal(node.mode.isServer(), false);
  assert.match(node.mode.status().reason ?? '', /3 of 5.*--public/);
  assert.equal(said.filter((line) => line.includes('--public')).length, 2, 'as client, and later');
});

test('who is told so is a server at once, a guest never, and a private node to its own', (t) => {
  const outside = ip('45.1.0.1');
  const inside = ip('10.0.0.9');
  const shown = (role: ModeOptions['role'], servers: number): boolean[] => {
    const { mode } = network(t, { role, servers }).node;
    return [mode.isServer(), mode.isServer(outside), mode.isServer(inside)];
  };
  assert.deepEqual(shown('public', 3), [true, true, true]);
  assert.deepEqual(shown('guest', 3), [false, false, false]);
  assert.deepEqual(shown('earned', 3), [false, false, true]);
  assert.deepEqual(shown('earned', 0), [true, false, true], 'it knows no other world');
  assert.match(network(t, { role: 'guest' }).node.mode.status().reason ?? '', /one command/);
});

test('an address is known in a private network too, and for IPv6', async (t) => {
  const net = new ModeNet();
  for (let n = 1; n <= 6; n++) net.add(contactAt(`[fd00::${n}]:9000`), { role: 'public' });
  const node = net.add(contactAt('[fd00::99]:9000'));
  t.after(() => node.mode.stop());
  node.mode.start();
  net.answer(node);
  await net.world.advanceAsync(minute);
  assert.deepEqual(node.mode.address(16), node.contact.endpoint);
  assert.equal(node.mode.address(4), undefined);
  assert.equal(node.mode.isServer(), true);
  assert.deepEqual(net.sent, [], 'only global addresses are tested');
});

test('stopping ends a test under way', async () => {
  const net = new ModeNet();
  for (let n = 1; n <= 8; n++) net.add(strangerAt(n), { role: 'public' });
  const node = net.add(contactAt('51.0.0.1:9000'));
  node.mode.start();
  net.answer(node);
  await net.world.advanceAsync(10_001);
  assert.ok(net.sent.length > 0);
  await node.mode.stop();
  await node.mode.stop();
  assert.equal(net.world.pendingTimers(), 0);
});
