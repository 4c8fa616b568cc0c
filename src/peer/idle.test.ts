import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Connection } from '@libp2p/interface';
import { manualWorld } from '../../test/support/manual-world.ts';
import { IdleCloser } from './idle.ts';

const idleMs = 60_000;
const sweepMs: number = idleMs / 4;

const remote = new Uint8Array(32).fill(7);

interface Scene {
  readonly streamsAt: (sweep: number) => readonly string[];
  /** Of another connection to the same peer. */
  readonly others?: readonly string[];
  readonly isRelayed?: boolean;
  /** Whether something comes of the peer by other means. */
  readonly isUsedAt?: (sweep: number) => boolean;
}

/** After how many sweeps a connection was closed. */
function sweepsUntilClosed(
  streamsAt: Scene['streamsAt'],
  { others, isRelayed = false, isUsedAt }: Omit<Scene, 'streamsAt'> = {},
): number | undefined {
  const world = manualWorld();
  let sweep = 1;
  let closedAt: number | undefined;
  const remotePeer = { type: 'Ed25519', publicKey: { raw: remote } };
  const connection = {
    remotePeer,
    limits: isRelayed ? {} : undefined,
    get streams() {
      return streamsAt(sweep).map((protocol) => ({ protocol }));
    },
    close() {
      closedAt ??= sweep;
      return Promise.resolve();
    },
  } as unknown as Connection;
  const streams = others?.map((protocol) => ({ protocol })) ?? [];
  const other = { remotePeer, streams, close: () => Promise.resolve() } as unknown as Connection;
  const closer = new IdleCloser(world, { idleMs, list: () => [connection, other] });
  closer.start();
  for (; sweep <= 20; sweep++) {
    if (isUsedAt?.(sweep) === true) closer.noteUse(remote);
    world.advance(sweepMs);
  }
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

test('the connection of a peer stays that a thread is busy with, here or there', () => {
  const others = ['/altnet/sync/1'];
  assert.equal(
    sweepsUntilClosed(() => [], { others }),
    undefined,
  );
  assert.equal(
    sweepsUntilClosed(() => [], { others, isRelayed: true }),
    5,
  );
  assert.equal(
    sweepsUntilClosed(() => [], { isUsedAt: () => true }),
    undefined,
  );
  assert.equal(
    sweepsUntilClosed(() => [], { isUsedAt: (sweep) => sweep < 5 }),
    7,
  );
});
