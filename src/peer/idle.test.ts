import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import { manualWorld } from '../../test/support/manual-world.ts';
import { IdleCloser } from './idle.ts';

const idleMs = 60_000;
const sweepMs: number = idleMs / 4;

/** What streams a connection has at each sweep, and after how many it was closed. */
function sweepsUntilClosed(streamsAt: (sweep: number) => readonly string[]): number | undefined {
  const world = manualWorld();
  let sweep = 1;
  let closedAt: number | undefined;
  const connection = {
    get streams() {
      return streamsAt(sweep).map((protocol) => ({ protocol }));
    },
    close() {
      closedAt ??= sweep;
      return Promise.resolve();
    },
  } as unknown as Connection;
  const closer = new IdleCloser(world, { idleMs, list: () => [connection] });
  closer.start();
  for (; sweep <= 20; sweep++) world.advance(sweepMs);
  closer.stop();
  assert.equal(world.pendingTimers(), 0);
  return closedAt;
}

test('a connection without streams is closed, one that is used is not', () => {
  assert.equal(
    sweepsUntilClosed(() => []),
    5,
  );
  assert.equal(
    sweepsUntilClosed(() => ['/altnet/sync/1']),
    undefined,
  );
  assert.equal(
    sweepsUntilClosed((sweep) => (sweep === 4 ? ['/altnet/sync/1'] : [])),
    9,
  );
});

test('pings keep no connection open, and none is closed under a stream that is being opened', () => {
  const ping = '/ipfs/ping/1.0.0';
  assert.equal(
    sweepsUntilClosed((sweep) => (sweep % 2 === 0 ? [ping] : [])),
    5,
  );
  assert.equal(
    sweepsUntilClosed((sweep) => (sweep % 2 === 0 ? [''] : [])),
    5,
  );
  assert.equal(
    sweepsUntilClosed(() => ['']),
    undefined,
  );
});
