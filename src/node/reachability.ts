/** How others reach this node, in one word, from what its parts know. */
import type { MappingStatus } from '../nat/port-mapping.ts';
import type { NatKind } from '../peer/punch/punching.ts';

/**
 * public: by itself; mapped: because the router lets others in; punchable: through a relay, and
 * directly where the other side's NAT lets it; relayed: only through a relay; unknown: nothing of
 * that was found out, or nobody reaches it.
 */
export const reachabilities = ['public', 'mapped', 'punchable', 'relayed', 'unknown'] as const;
export type Reachability = (typeof reachabilities)[number];

export interface ReachFacts {
  /** Its operator says that it is reached, or strangers did so by UDP or TCP. */
  readonly isReached: boolean;
  readonly mapping: MappingStatus['kind'];
  /** Relays at which it has a place. */
  readonly relays: number;
  readonly nat: NatKind;
}

export function reachabilityOf({ isReached, mapping, relays, nat }: ReachFacts): Reachability {
  if (isReached) return mapping === 'mapped' ? 'mapped' : 'public';
  if (relays === 0) return 'unknown';
  return nat === 'predictable' ? 'punchable' : 'relayed';
}
