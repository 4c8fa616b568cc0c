import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../test/support/manual-world.ts';
import { type Endpoint, parseEndpoint } from '../base/address.ts';
import { silentLogger } from '../base/logger.ts';
import { reachabilityOf } from './reachability.ts';
import { TcpProof, type TcpTest } from './tcp-proof.ts';

test('how others reach a node is said in one word', () => {
  const none = { isReached: false, mapping: 'none', relays: 0, nat: 'unknown' } as const;
  assert.equal(reachabilityOf(none), 'unknown');
  assert.equal(reachabilityOf({ ...none, mapping: 'mapped' }), 'unknown', 'nobody came through');
  assert.equal(reachabilityOf({ ...none, isReached: true }), 'public');
  assert.equal(reachabilityOf({ ...none, isReached: true, mapping: 'mapped' }), 'mapped');
  assert.equal(reachabilityOf({ ...none, relays: 2 }), 'relayed');
  assert.equal(reachabilityOf({ ...none, relays: 2, nat: 'predictable' }), 'punchable');
  assert.equal(reachabilityOf({ ...none, relays: 2, nat: 'unpredictable' }), 'relayed');
});

test('an address is announced while others connect there, and tested ever less often', async (t) => {
  const world = manualWorld();
  let at: Endpoint | undefined = parseEndpoint('45.1.2.3:9000');
  let result: Awaited<ReturnType<TcpTest>> = 'unreached';
  let [tests, changes] = [0, 0];
  const helper = parseEndpoint('45.9.9.9:9000');
  assert.ok(helper);
  const proof = new TcpProof(
    {
      world,
      log: silentLogger,
      candidate: () => at,
      helpers: () => [{ publicKey: new Uint8Array(32), endpoint: helper }],
      test: async ({ port }) => {
        assert.equal(port, 9000);
        tests++;
        return result;
      },
      onChange: () => changes++,
    },
    { lookMs: 1000, retryMinMs: 60_000, retryMaxMs: 3_600_000 },
  );
  t.after(() => proof.stop());
  proof.start();
  await world.advanceAsync(10 * 60_000);
  assert.equal(proof.proven(), undefined);
  assert.equal(tests, 3, 'at once, after 2 and after 4 more minutes');
  result = 'reached';
  await world.advanceAsync(10 * 60_000);
  assert.deepEqual(proof.proven(), at);
  result = 'unreached';
  await world.advanceAsync(61 * 60_000);
  assert.equal(proof.proven(), undefined, 'two in a row failed');
  result = 'reached';
  await world.advanceAsync(61 * 60_000);
  assert.deepEqual(proof.proven(), at);
  at = parseEndpoint('192.168.1.2:9000');
  await world.advanceAsync(2000);
  assert.equal(proof.proven(), undefined, 'no address of the Internet');
  assert.equal(changes, 4);
});
