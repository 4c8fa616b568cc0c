/**
 * Nodes on hosts with public addresses find out by themselves whether others reach them. Root only:
 * on loopback everybody reaches everybody, so nothing is tested there.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type HostedNode, startOnHost } from '../support/mode-host.ts';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';

const patienceMs = 50_000;

test(
  'an open node becomes a server, one behind a NAT stays a client',
  {
    skip: namespacesMissing(),
  },
  async (t) => {
    const hosts = new Hosts(t);
    const start = (host: string, ...args: string[]): HostedNode =>
      startOnHost(t, { host, args, patienceMs });
    const seed = '45.71.0.1:9000';
    const first = start(hosts.public('45.71.0.1'), seed, 'public');
    await first.until(({ mode }) => mode === 'server');
    for (const ip of ['45.72.0.1', '45.73.0.1', '45.74.0.1']) {
      start(hosts.public(ip), `${ip}:9000`, 'public', seed);
    }
    const open = start(hosts.public('45.75.0.1'), '0.0.0.0:9000', 'earned', seed);
    const behind = start(hosts.behindNat('45.76.0.1'), '0.0.0.0:9000', 'earned', seed);
    const [served, client] = await Promise.all([
      open.until(({ mode }) => mode === 'server'),
      behind.until(({ reason = '' }) => reason.includes('NAT or firewall')),
    ]);
    assert.equal(served.address, '45.75.0.1:9000');
    assert.equal(client.mode, 'client');
    assert.equal(client.address, '45.76.0.1:9000');
    const { table } = await first.until((said) => said.table >= 4);
    assert.equal(table, 4, 'servers are listed, the client is not');
  },
);
