import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDefinition } from '../../../test/support/cli.ts';
import { FixedServices } from '../../../test/support/node-services.ts';
import { definition } from './peers.ts';

test('the way to a peer is told in a word, and whether it leads through a relay', async () => {
  const addresses = [
    '45.1.0.1:9000',
    '/ip4/45.2.0.1/tcp/9000/p2p/12D3KooWA',
    '/ip6/2001:db8::1/tcp/9000/p2p/12D3KooWA',
    '/ip4/45.3.0.1/tcp/9000/p2p/12D3KooWA/p2p-circuit/p2p/12D3KooWB',
    '/memory/1',
  ];
  const services = new FixedServices();
  services.peers = () =>
    Promise.resolve(addresses.map((address) => ({ id: 'f'.repeat(64), address, via: 'dht' })));
  const { stdout } = await runDefinition(definition, { services, operands: [] });
  const [, ...lines] = stdout.trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => line.split(/ {2,}/)[3]),
    ['45.1.0.1:9000', '45.2.0.1:9000', '[2001:db8::1]:9000', '45.3.0.1:9000 (relay)', '/memory/1'],
  );
});
