/** What this node holds, as users see it, and how they let go of it. */
import type { StatsResult } from '../api/ports-network.ts';
import type { HeldKind, HeldSite } from '../api/ports-sites.ts';
import type { NodeServices } from '../api/ports.ts';
import { toHex } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { HeldRoot, HoldingKind } from '../content/ports.ts';
import { cidOf, parseRoot, requireLink } from '../content/dag/root.ts';
import { keyId } from '../identity/key.ts';
import { parseAddress } from '../name/place.ts';
import { namesByRoot } from '../name/targets.ts';
import type { Parts } from './parts.ts';
import { rootOf, shownRoot } from './services-names.ts';

type HeldServices = Pick<NodeServices, 'unpublish' | 'sites'>;

/** A list for people and scripts, not a dump: what a caller can want to see is among it. */
const sitesMax = 10_000;

const kindWords: Readonly<Record<HoldingKind, HeldKind>> = {
  own: 'own',
  replica: 'copy',
  visited: 'visited',
};

/** `onUnpublished`: what somebody remembers of it may be shown no longer. */
export function heldServices(
  parts: Parts,
  { onUnpublished }: { readonly onUnpublished: () => void },
): HeldServices {
  const { sites, names, store } = parts;
  return {
    async unpublish({ what }, { signal } = {}) {
      const held = await findHeld(parts, what, signal);
      if (held?.kind !== 'own') throw new AltNetError('NOT_PUBLISHED', { what });
      const root = cidOf(held);
      await sites.unpublish(root, { signal });
      onUnpublished();
      return {
        ...shownRoot(root),
        names: namesByRoot(names.list()).get(toHex(held.hash)) ?? [],
      };
    },

    async sites({ own = false } = {}) {
      const all = [...store.holdings.list()].filter(({ kind }) => !own || kind === 'own');
      const latest = all.toSorted((a, b) => b.usedMs - a.usedMs).slice(0, sitesMax);
      const byRoot = namesByRoot(names.list());
      return latest.map((held) => shownHeld(held, byRoot.get(toHex(held.hash)) ?? []));
    },
  };
}

/** How many roots are here, by why. */
export function countHeld({
  own,
  replica: copies,
  visited,
}: Readonly<Record<HoldingKind, number>>): Pick<StatsResult, 'own' | 'copies' | 'visited'> {
  return { own, copies, visited };
}

/** By root, or by a name: an own one is known without asking anybody. */
async function findHeld(
  { names, store }: Parts,
  what: string,
  signal: AbortSignal | undefined,
): Promise<HeldRoot | undefined> {
  const held = (root: Parameters<typeof requireLink>[0]): HeldRoot | undefined =>
    store.holdings.get(requireLink(root).hash);
  try {
    return held(parseRoot(what));
  } catch (error) {
    if (!isAltNetError(error, 'BAD_ROOT')) throw error;
  }
  const { name } = parseAddress(what);
  const own = names.list().find((each) => each.name === name);
  return held(own ? own.root : rootOf(await names.resolve(name, { signal })));
}

function shownHeld(held: HeldRoot, names: string[]): HeldSite {
  const { kind, complete, files, bytes, addedMs, usedMs, keep, supersededMs, from } = held;
  return {
    ...shownRoot(cidOf(held)),
    kind: kindWords[kind],
    complete,
    files,
    bytes,
    names,
    added: seconds(addedMs),
    used: seconds(usedMs),
    ...(keep && { keep }),
    ...(supersededMs !== undefined && { superseded: seconds(supersededMs) }),
    ...(from && { from: toHex(keyId(from)) }),
  };
}

function seconds(ms: number): number {
  return Math.floor(ms / 1000);
}
