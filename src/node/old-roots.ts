/**
 * Roots that an older version of the program has left: their blocks are named once, by walking
 * them, and what belongs to none of them goes. A node does this before it serves anything; a crash
 * in between makes it begin again.
 */
import { toHex } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { adoptAll } from '../content/dag/adopt.ts';
import type { HeldRoot } from '../content/ports.ts';
import type { Store } from '../store/store.ts';

export async function nameOldRoots(store: Store, log: Logger): Promise<void> {
  const roots = store.unnamed.list();
  for (const root of roots) await nameOne(store, root, log);
  if (roots.length > 0)
    log.info('found out which blocks belong to which site', { roots: roots.length });
  await store.unnamed.finish();
}

async function nameOne(
  { holdings, blocks }: Store,
  { hash, codec, kind, files, bytes }: HeldRoot,
  log: Logger,
): Promise<void> {
  const link = { codec, hash };
  await using holding = await holdings.open({ kind, root: link });
  try {
    await adoptAll(blocks, link, holding);
    await holding.complete({ link, files, bytes });
  } catch (error) {
    if (!isAltNetError(error, 'CONTENT_UNAVAILABLE') && !isAltNetError(error, 'CONTENT_BAD'))
      throw error;
    log.warn('a site is not complete any more', { root: toHex(hash), why: reasonOf(error) });
  }
}
