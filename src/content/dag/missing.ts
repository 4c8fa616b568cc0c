/**
 * What this node lacks of a want: the roots of the subtrees that it does not hold, in order. What
 * was fetched before, from whomever, is never asked for again.
 */
import type { Blocks } from '../ports.ts';
import { AltNetError } from '../../base/errors.ts';
import { toHex } from '../../base/bytes.ts';
import { Turns } from '../turns.ts';
import { DagWalk, type Want } from './walk.ts';

/**
 * Each want that must still be answered. Where a whole DAG is wanted and parts of it may be here
 * (`mayShare`, or its root is), only the nodes are asked for first: they tell which leaves are
 * missing. Throws CONTENT_BAD when a block that is here must not be part of a site, and
 * CONTENT_NO_PATH once it is certain that the path leads nowhere.
 */
export async function* missingOf(
  blocks: Blocks,
  want: Want,
  { mayShare = false }: { readonly mayShare?: boolean } = {},
): AsyncGenerator<Want, void, undefined> {
  const whole = want.scope === 'all' && (mayShare || blocks.has(want.link.hash));
  const walk = new DagWalk(want);
  const root = toHex(want.link.hash);
  const turns = new Turns();
  for (let link = walk.next(); link !== undefined; link = walk.next()) {
    const turn = turns.next();
    if (turn) await turn;
    const bytes = walk.needsBytes ? blocks.get(link.hash) : presence(blocks, link.hash);
    if (bytes === undefined) {
      const rest = walk.rest();
      walk.skip();
      if (rest) yield whole && link.codec === 'dag-pb' ? { ...rest, scope: 'nodes' } : rest;
      continue;
    }
    const why = walk.accept(bytes);
    if (why !== undefined) throw new AltNetError('CONTENT_BAD', { root, why });
  }
  if (walk.full) throw new AltNetError('CONTENT_BAD', { root, why: 'it has too many blocks' });
  if (walk.noPath) {
    throw new AltNetError('CONTENT_NO_PATH', { root, path: `/${want.path.join('/')}` });
  }
}

const present = new Uint8Array();

function presence(blocks: Blocks, hash: Uint8Array): Uint8Array | undefined {
  return blocks.has(hash) ? present : undefined;
}
