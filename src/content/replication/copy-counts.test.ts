import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CopyCounts } from './copy-counts.ts';

test('copies are counted by what became of them', () => {
  const counts = new CopyCounts();
  counts.offered({ kind: 'kept' });
  counts.offered({ kind: 'held' });
  counts.offered({ kind: 'declined', why: 'budget' });
  counts.offered({ kind: 'declined', why: 'budget' });
  counts.taken({ kind: 'kept' });
  counts.taken({ kind: 'refused', why: 'far' });
  counts.taken({ kind: 'failed', why: 'failed' });
  assert.deepEqual(counts.snapshot(), {
    offered: { kept: 1, held: 1, budget: 2 },
    taken: { kept: 1, far: 1, failed: 1 },
  });
});
