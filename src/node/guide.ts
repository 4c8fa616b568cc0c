/** The example site of a first run: the project's own guide, published like any other site. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { abortReason } from '../base/abort.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { HeldRoot } from '../content/ports.ts';
import { parseRoot, requireLink } from '../content/dag/root.ts';
import { guideRoot, noteGuideRoot } from './memory.ts';
import type { Parts } from './parts.ts';

const guideFolder = path.join(import.meta.dirname, '../../examples/guide');

/**
 * The address that opens the guide, publishing it when that was not done yet; undefined without a
 * gateway, and when its user has unpublished it. A guide that cannot be published must not keep a
 * node from running.
 */
export async function publishGuide(
  { sites, store }: Pick<Parts, 'sites' | 'store'>,
  {
    log,
    siteUrl,
    signal,
  }: {
    log: Logger;
    siteUrl: (host: string) => string | undefined;
    signal?: AbortSignal | undefined;
  },
): Promise<string | undefined> {
  const known = guideRoot(store.notes);
  const held = known === undefined ? undefined : heldAs(store, known);
  if (known !== undefined && held?.complete) return siteUrl(known);
  // It is pinned like all that is published: when it is gone, that was its user's wish.
  if (known !== undefined && held?.kind !== 'own') return undefined;
  if (!existsSync(guideFolder)) return undefined;
  try {
    const { root } = await sites.publish(guideFolder, { signal, awaitCopies: false });
    await noteGuideRoot(store.notes, root.toString());
    return siteUrl(root.toString());
  } catch (error) {
    if (signal?.aborted) throw abortReason(signal);
    log.warn('the guide could not be published', { why: reasonOf(error) });
    return undefined;
  }
}

function heldAs({ holdings }: Parts['store'], cid: string): HeldRoot | undefined {
  return holdings.get(requireLink(parseRoot(cid)).hash);
}
