/**
 * Names every block of a DAG that is here for a holding, also those that came with other sites:
 * from then on they stay as long as that holding does. It fetches nothing.
 */
import { type Bytes, toHex } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Blocks, Holding } from '../ports.ts';
import type { Link } from './root.ts';
import { Turns } from '../turns.ts';
import { DagWalk } from './walk.ts';

const batchHashes = 1024;

/**
 * Resolves when the holding names all of it. Rejects with CONTENT_UNAVAILABLE when a block is not
 * here (any more), with CONTENT_BAD when one must not be part of a site.
 */
export async function adoptAll(
  blocks: Blocks,
  root: Link,
  holding: Pick<Holding, 'adopt'>,
): Promise<void> {
  const walk = new DagWalk({ link: root, level: 0, path: [], scope: 'all' });
  const turns = new Turns();
  let batch: Bytes[] = []; // BOUNDED by batchHashes
  for (let link = walk.next(); link !== undefined; link = walk.next()) {
    const turn = turns.next();
    if (turn) await turn;
    const bytes = walk.needsBytes ? blocks.get(link.hash) : new Uint8Array();
    if (!bytes) throw lost(root);
    const why = walk.accept(bytes);
    if (why !== undefined) throw new AltNetError('CONTENT_BAD', { root: toHex(root.hash), why });
    batch.push(link.hash);
    if (batch.length < batchHashes) continue;
    await adopt(holding, batch, root);
    batch = [];
  }
  await adopt(holding, batch, root);
}

async function adopt(
  holding: Pick<Holding, 'adopt'>,
  hashes: readonly Bytes[],
  root: Link,
): Promise<void> {
  const missing = await holding.adopt(hashes);
  if (missing.length > 0) throw lost(root);
}

function lost(root: Link): AltNetError {
  const why = 'a block was lost meanwhile';
  return new AltNetError('CONTENT_UNAVAILABLE', { root: toHex(root.hash), why });
}
