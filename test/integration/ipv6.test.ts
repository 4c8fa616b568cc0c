/**
 * Where there is IPv6: two hosts that have nothing else, behind firewalls, one that has only IPv4,
 * and one that has both, which is how they find each other and a relay. Root only.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';
import {
  altnet,
  altnetLines,
  type ClusterNode,
  eventually,
  startNode,
} from '../support/cluster.ts';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';

const [both4, both6] = ['45.91.0.1:9000', '[2a0b:1::1]:9000'] as const;
const noIpv6 = existsSync('/proc/net/if_inet6') ? false : 'this machine has no IPv6';

async function publish(t: TestContext, node: ClusterNode, text: string): Promise<string> {
  const folder = path.join(temporaryFolder(t), 'site');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'index.html'), text.repeat(50_000));
  const { cid } = await altnet(node, 'publish', folder);
  return String(cid);
}

async function fetch(t: TestContext, node: ClusterNode, cid: string): Promise<void> {
  const { files } = await altnet(node, 'fetch', cid, path.join(temporaryFolder(t), 'dest'));
  assert.equal(files, 1);
}

test('sites open by IPv6 alone', { skip: noIpv6 || namespacesMissing() }, async (t) => {
  const hosts = new Hosts(t);
  const start = (host: string, ...words: readonly string[]): Promise<ClusterNode> => {
    const within = ['ip', 'netns', 'exec', host];
    const options = ['--network=local', '--no-guide', '--replicas=0', '--no-dns', ...words];
    return startNode(t, { name: host, within, isPlain: true, options });
  };
  const twofold = hosts.public('45.91.0.1', '2a0b:1::1');
  const both = await start(twofold, '--public', '--relay-listen=0.0.0.0:9000');
  const join6 = [`--bootstrap=${both6}`, `--relay=${both6}`];
  const [publisher, reader, four] = await Promise.all([
    start(hosts.behindFirewall('2a0c:1::1'), ...join6),
    start(hosts.behindFirewall('2a0d:1::1'), ...join6),
    start(hosts.public('45.92.0.1'), `--bootstrap=${both4}`, '--public'),
  ]);
  assert.ok(publisher && reader && four);
  await eventually('the publisher has a place', async () => {
    const { relays } = await altnet(publisher, 'stats');
    return (relays as readonly string[]).join() === both6;
  });
  // Of one who has both, by either; and of one whom nobody reaches, through the relay.
  const ofBoth = await publish(t, both, '<p>both</p>');
  await Promise.all([fetch(t, four, ofBoth), fetch(t, reader, ofBoth)]);
  await fetch(t, reader, await publish(t, publisher, '<p>six</p>'));
  // Two firewalls that let each other's answers in let a direct connection come about.
  await eventually('there is a direct connection between the two', async () => {
    const ways = (await altnetLines(reader, 'peers')).map(({ address }) => String(address));
    return ways.some((way) => way.startsWith('/ip6/2a0c:1::1/tcp/'));
  });
});
