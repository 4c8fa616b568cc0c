/**
 * Nodes behind routers: directly connected where the NATs let them, through a relay where not, and
 * open to all where the router maps the port. Root only.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';
import { eventually } from '../support/cluster.ts';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';
import { mappedPorts, portMapperMissing, startPortMapper } from '../support/port-mapper.ts';
import { type RelayNode, startRelayNode } from '../support/relay-host.ts';

const relayIps = ['45.71.0.1', '45.72.0.1', '45.73.0.1'] as const;
const seed = `${relayIps[0]}:9000`;

/** Each is another one, so that nobody else has it. */
async function site(t: TestContext, publisher: RelayNode): Promise<string> {
  const folder = path.join(temporaryFolder(t), 'site');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'index.html'), `<p>${folder}</p>`.repeat(5000));
  return (await publisher.publish(folder)).root;
}

/** How the reader is connected to who published: where its packets come from. */
async function waysTo(reader: RelayNode, publisher: RelayNode): Promise<string[]> {
  const { node } = await publisher.stats();
  const lines = (await reader.peers()).filter(({ id, via }) => id === node && via === 'connection');
  return lines.map(({ address }) => (address.includes('/p2p-circuit') ? 'relay' : address));
}

async function opens(reader: RelayNode, root: string): Promise<void> {
  await eventually('the site opens', () =>
    reader.fetch(root).then(
      () => true,
      () => false,
    ),
  );
}

type StartHome = (router: string, ...join: string[]) => Promise<RelayNode>;

interface Apart {
  readonly publisher: RelayNode;
  readonly reader: RelayNode;
  readonly root: string;
}

/** A site whose publisher has two relays, opened from behind another router. */
async function apart(t: TestContext, routers: readonly string[], home: StartHome): Promise<Apart> {
  const [publisher, reader] = await Promise.all(routers.map((router) => home(router, seed)));
  assert.ok(publisher && reader);
  await eventually('the publisher has places at two relays', async () => {
    return (await publisher.relays()).used.length === 2;
  });
  const root = await site(t, publisher);
  await opens(reader, root);
  return { publisher, reader, root };
}

async function cone(t: TestContext, hosts: Hosts, home: StartHome): Promise<void> {
  const routers = ['45.76.0.1', '45.77.0.1'].map((ip) => hosts.router(ip));
  const { publisher, reader } = await apart(t, routers, home);
  await eventually('there is a direct connection', async () => {
    const ways = await waysTo(reader, publisher);
    return ways.some((way) => way.startsWith('/ip4/45.76.0.1/tcp/'));
  });
  await eventually('it is known that holes can be made', async () => {
    return (await publisher.stats()).reachability === 'punchable';
  });
}

async function symmetric(t: TestContext, hosts: Hosts, home: StartHome): Promise<void> {
  const routers = ['45.78.0.1', '45.79.0.1'].map((ip) => hosts.router(ip, { kind: 'symmetric' }));
  const { publisher, reader, root } = await apart(t, routers, home);
  await opens(reader, root);
  assert.deepEqual([...new Set(await waysTo(reader, publisher))], ['relay']);
  assert.equal((await publisher.stats()).reachability, 'relayed');
}

async function mapped(t: TestContext, hosts: Hosts, home: StartHome): Promise<void> {
  const router = hosts.router('45.80.0.1');
  await startPortMapper(t, router, 'upnp');
  const [node, reader] = await Promise.all([
    home(router, seed),
    home(hosts.router('45.81.0.1'), seed),
  ]);
  await eventually('others connect to it', async () => {
    return (await node.stats()).reachability === 'mapped';
  });
  assert.deepEqual(mappedPorts(router).toSorted(), ['tcp 9000', 'udp 9000']);
  await opens(reader, await site(t, node));
  const ways = await waysTo(reader, node);
  assert.ok(
    ways.some((way) => way.startsWith('/ip4/45.80.0.1/tcp/9000')),
    ways.join(),
  );
  await node.stop();
  assert.deepEqual(mappedPorts(router), []);
}

const options = { skip: namespacesMissing(), concurrency: true };

test('nodes behind routers', options, async (t) => {
  const hosts = new Hosts(t);
  const home: StartHome = (router, ...join) =>
    startRelayNode(t, hosts.behind(router), ['0.0.0.0:9000', 'home', ...join]);
  const [first, ...others] = relayIps;
  await startRelayNode(t, hosts.public(first), [seed, 'relay']);
  await Promise.all(
    others.map((ip) => startRelayNode(t, hosts.public(ip), [`${ip}:9000`, 'relay', seed])),
  );
  // All at once: they have nothing to do with each other, and most of it is waiting.
  await Promise.all([
    t.test('two NATs that keep their ports: a direct connection comes about', (own) =>
      cone(own, hosts, home),
    ),
    t.test('two that do not: it stays at the relay', (own) => symmetric(own, hosts, home)),
    t.test('the router maps the port until the node ends', { skip: portMapperMissing() }, (own) =>
      mapped(own, hosts, home),
    ),
  ]);
});
