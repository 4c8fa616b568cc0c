/** Nodes on loopback: one is a relay, another is told to use it. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { nodeOptions } from '../../test/support/node-options.ts';
import { isAltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { type RunningNode, startNode } from './node.ts';
import { type NodeOptions, relayDefaults } from './options.ts';
import { connectionsOf, listenForRelay, relayAddressOf } from './relays.ts';

async function start(t: TestContext, options: Partial<NodeOptions>): Promise<RunningNode> {
  const node = await startNode(nodeOptions(t, { replicas: 0, ...options }), { log: silentLogger });
  t.after(() => node.stop());
  return node;
}

test('a node that is told of a relay is reached through it, and it says so', async (t) => {
  const relay = await start(t, { relay: { ...relayDefaults, listen: '127.0.0.1:0' } });
  const { listen, node: id } = relay.ready;
  const bootstrap = [listen];
  const via = [`${listen}#${id}`];
  const hidden = await start(t, { bootstrap, relay: { ...relayDefaults, via } });
  await t.waitFor(async () => assert.equal((await hidden.services.relays()).state, 'reachable'), {
    timeout: 20_000,
  });
  const { used } = await hidden.services.relays();
  assert.deepEqual(
    used.map(({ id: relayId, address }) => [relayId, address]),
    [[id, listen]],
  );
  const { state, served } = await relay.services.relays();
  assert.deepEqual([state, served?.reservations], ['relay', 1]);
  assert.deepEqual([relay.ready.relay, hidden.ready.relay], [listen, null]);
  const [stats, relayStats] = [await hidden.services.stats(), await relay.services.stats()];
  assert.deepEqual([stats.relays, stats.relayedNodes], [[listen], undefined]);
  assert.deepEqual([relayStats.relays, relayStats.relayedNodes], [[], 1]);
  // The node has gone through the relay to itself.
  await t.waitFor(
    async () => assert.equal((await hidden.services.relays()).used[0]?.state, 'working'),
    { timeout: 20_000 },
  );

  const folder = path.join(temporaryFolder(t), 'site');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'index.html'), 'hello');
  const { root } = await hidden.services.publish({ path: folder });
  const reader = await start(t, { bootstrap });
  const dest = path.join(temporaryFolder(t), 'dest');
  assert.equal((await reader.services.fetch({ what: root, dest })).files, 1);
  assert.equal((await reader.services.relays()).state, 'not-needed');
});

test('a relay that nobody can be is refused at the start', async (t) => {
  const options = nodeOptions(t, { relay: { ...relayDefaults, via: ['nonsense'] } });
  await assert.rejects(startNode(options, { log: silentLogger }), (error) =>
    isAltNetError(error, 'BAD_ADDRESS'),
  );
});

test('a relay listens where its operator says, besides where the node does', () => {
  const own = [{ host: '0.0.0.0', port: 9000 }];
  const at = (listen: string | undefined): object => listenForRelay(own, { listen });
  assert.deepEqual(at(undefined), own);
  assert.deepEqual(at('0.0.0.0:9000'), own);
  assert.deepEqual(at('0.0.0.0:0'), own);
  assert.deepEqual(at('1.2.3.4:443'), [...own, { host: '1.2.3.4', port: 443 }]);
  const asked = [undefined, '0.0.0.0:0', '1.2.3.4:9000', '1.2.3.4:443'];
  assert.deepEqual(
    asked.map((listen) => relayAddressOf({ listen }, '0.0.0.0:9000')),
    [undefined, '0.0.0.0:9000', '0.0.0.0:9000', '1.2.3.4:443'],
  );
  assert.equal(connectionsOf(relayDefaults), 256);
  assert.equal(connectionsOf({ ...relayDefaults, listen: '0.0.0.0:1', slotsMax: 10 }), 276);
});
