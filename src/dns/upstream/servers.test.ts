import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostPort } from '../../base/address.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { Servers, type ServersDeps } from './servers.ts';
import { parseResolvConf } from './system.ts';

const [a, b, c] = ['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((host) => ({ host, port: 53 }));
assert.ok(a && b && c);

function servers(over: Partial<ServersDeps>): {
  of: Servers;
  world: ReturnType<typeof manualWorld>;
} {
  const world = manualWorld();
  const deps: ServersDeps = {
    clock: world.clock,
    chosen: [],
    readSystem: () => Promise.resolve({ servers: [], search: [] }),
    isOwn: () => false,
    ...over,
  };
  return { of: new Servers(deps), world };
}

async function hosts(of: Servers): Promise<string[]> {
  return (await of.inOrder()).map(({ host }) => host);
}

test('those that failed go last, for longer each time', async () => {
  const { of, world } = servers({ chosen: [a, b, c] });
  const [first, second] = await of.inOrder();
  assert.ok(first && second);
  of.failed(first);
  assert.deepEqual(await hosts(of), [b.host, c.host, a.host]);
  world.advance(1000);
  assert.deepEqual(await hosts(of), [a.host, b.host, c.host]);
  of.failed(first);
  world.advance(1000);
  assert.deepEqual(await hosts(of), [b.host, c.host, a.host]);
  of.worked(first);
  assert.deepEqual(await hosts(of), [a.host, b.host, c.host]);
});

test('the list of the system is read again, without ourselves, and what is known stays', async () => {
  let listed: readonly HostPort[] = [a, b];
  const { of, world } = servers({
    readSystem: () => Promise.resolve({ servers: listed, search: ['example'] }),
    isOwn: ({ host }) => host === c.host,
  });
  const [first] = await of.inOrder();
  assert.ok(first);
  assert.deepEqual(of.search, ['example']);
  first.isLoop = true;
  assert.deepEqual(await hosts(of), [b.host]);
  listed = [a, c];
  await of.inOrder();
  world.advance(5000);
  await of.inOrder(); // reads, and answers with what it has meanwhile
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    of.all.map(({ host }) => host),
    [a.host],
  );
  assert.deepEqual(await hosts(of), []);
});

test('a list that cannot be read any more stays as it was', async () => {
  let isGone = false;
  const { of, world } = servers({
    readSystem: async () => {
      if (isGone) throw new Error('gone');
      return { servers: [a, b], search: ['example'] };
    },
  });
  await of.inOrder();
  isGone = true;
  world.advance(5000);
  await of.inOrder();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await hosts(of), [a.host, b.host]);
  assert.deepEqual(of.search, ['example']);
});

test('resolv.conf is read as the system reads it', () => {
  const text = [
    '# nameserver 192.0.2.99',
    'domain old.example',
    'nameserver 192.0.2.1',
    '\tnameserver   2001:db8::1 ',
    'nameserver fe80::1%eth0',
    'nameserver nonsense',
    'search Corp.Example. lan',
    'options ndots:1',
  ].join('\n');
  assert.deepEqual(parseResolvConf(text), {
    servers: ['192.0.2.1', '2001:db8::1', 'fe80::1%eth0'].map((host) => ({ host, port: 53 })),
    search: ['corp.example', 'lan'],
  });
  assert.deepEqual(parseResolvConf(''), { servers: [], search: [] });
});
