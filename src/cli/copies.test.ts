import assert from 'node:assert/strict';
import { test } from 'node:test';
import { copiesLine } from './copies.ts';

function line(replicas: number, ...refused: Parameters<typeof copiesLine>[0]['refused']): string {
  return copiesLine({ replicas, replicasWanted: 6, refused });
}

test('copies that were made, and why there are not more', () => {
  assert.equal(line(6), '6 of 6 made');
  assert.equal(
    line(2, { why: 'budget', nodes: 3 }, { why: 'unreachable', nodes: 1 }),
    '2 of 6 (3 nodes had no room, 1 could not be reached)',
  );
  assert.equal(
    line(0, { why: 'busy', nodes: 1 }, { why: 'failed', nodes: 2 }, { why: 'blocked', nodes: 1 }),
    '0 of 6 (1 node was too busy, 2 broke off, 1 refuses this content)',
  );
  assert.equal(
    line(0, { why: 'too-large', nodes: 4 }),
    'none, as this is more than nodes keep for one peer, 64 MiB as a rule; raise --per-peer-budget here and on those that are to keep it',
  );
  assert.equal(
    line(0, { why: 'too-large', nodes: 4 }, { why: 'too-few', nodes: 2 }),
    line(0, { why: 'too-large', nodes: 4 }),
  );
  assert.equal(
    line(1, { why: 'too-large', nodes: 4 }, { why: 'far', nodes: 1 }),
    '1 of 6 (4 nodes keep less than that for one peer, 1 named others that are closer to it)',
  );
  assert.equal(
    line(3, { why: 'too-few', nodes: 3 }),
    '3 of 6 (no other node in reach keeps copies)',
  );
  assert.equal(
    line(1, { why: 'busy', nodes: 2 }, { why: 'too-few', nodes: 0 }),
    '1 of 6 (2 nodes were too busy, no other node in reach keeps copies)',
  );
  assert.equal(line(4), '4 of 6 made so far');
});

test('none at all', () => {
  const none = { replicas: 0, replicasWanted: 0, refused: [] };
  assert.equal(copiesLine(none), 'none wanted: this node runs with --replicas 0');
});
