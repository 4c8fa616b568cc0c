/** What becomes denied while it is being fetched or written. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryBlocks, MemoryHoldings } from '../../test/support/memory-blocks.ts';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { type Denial, noDenials } from '../base/denial.ts';
import { sha256 } from '../base/hash.ts';
import type { Link } from './dag/root.ts';
import type { Block } from './ports.ts';
import { guardedStore } from './guarded-store.ts';

function block(fill: number): Block {
  const bytes = new Uint8Array(100).fill(fill);
  return { hash: sha256(bytes), bytes };
}

test('of a root that is denied by now nothing more is written, though its blocks are not', async () => {
  const blocks = new MemoryBlocks();
  const root: Link = { codec: 'dag-pb', hash: sha256(Uint8Array.of(1)) };
  let denied = false;
  const revoked: Denial = { why: 'revoked' };
  const denials = {
    ...noDenials,
    isEmpty: false,
    ofBlock: (hash: Bytes) => (denied && equalBytes(hash, root.hash) ? revoked : undefined),
  };
  const store = guardedStore({ blocks, holdings: new MemoryHoldings(blocks) }, denials);
  await using holding = await store.holdings.open({ kind: 'visited', root });
  await holding.putAll([block(1)]);
  denied = true;
  await assert.rejects(holding.putAll([block(2)]), { code: 'CONTENT_REVOKED' });
  assert.ok(!blocks.has(block(2).hash));
  await assert.rejects(store.holdings.open({ kind: 'visited', root }), { code: 'CONTENT_REVOKED' });
});
