/**
 * What a change of this author's names does to the sites that they point to: which are left behind,
 * which are pointed to. Pure; it knows neither where sites are kept nor for how long.
 */
import type { CID } from 'multiformats/cid';
import { toHex } from '../base/bytes.ts';
import type { OwnName } from './types.ts';

type Target = Pick<OwnName, 'name' | 'root'>;

export interface Retargeting {
  /** Some name pointed to them before, none does now: newer versions stand in their place. */
  readonly left: readonly CID[];
  /** All that some name points to now, whether one did before or not. */
  readonly current: readonly CID[];
}

/**
 * From this author's names before and after a change, names below them included. Other changes may
 * have been made in between: what they left they report themselves, and twice said it is still so.
 */
export function retarget(before: readonly Target[], after: readonly Target[]): Retargeting {
  const current = byHash(after);
  const left = [...byHash(before)].filter(([hash]) => !current.has(hash));
  return { left: left.map(([, root]) => root), current: [...current.values()] };
}

/** The names that point to each root, by the 64 hex digits of its hash. */
export function namesByRoot(names: readonly Target[]): Map<string, string[]> {
  const byRoot = new Map<string, string[]>(); // BOUNDED by `names`
  for (const { name, root } of names) {
    const hash = hashOf(root);
    byRoot.set(hash, [...(byRoot.get(hash) ?? []), name]);
  }
  return byRoot;
}

function byHash(targets: readonly Target[]): Map<string, CID> {
  return new Map(targets.map(({ root }) => [hashOf(root), root]));
}

function hashOf(root: CID): string {
  return toHex(root.multihash.digest);
}
