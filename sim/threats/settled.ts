/** A network that stands still, for threats to lookups: nobody comes or goes, and upkeep rests. */
import type { DhtOptions } from '../../src/dht/dht.ts';
import type { SimNode } from '../node.ts';
import type { Simulation } from '../simulation.ts';

const dayMs = 24 * 3_600_000;

/** Tables were filled by an observer, and nothing that upkeep could find out is new. */
export const resting: Partial<DhtOptions> = {
  livenessIntervalMs: dayMs,
  livenessRoundMs: 10_000 * dayMs,
  lostIntervalMs: dayMs,
  ownLookupMinMs: dayMs,
  ownLookupIntervalMs: dayMs,
  bucketIdleMs: dayMs,
  contactFreshMs: dayMs,
  syncFirstMs: dayMs,
  syncIntervalMs: dayMs,
};

/** Some nodes, each of which learned from so many random lookups how large the network is. */
export async function surveyors(
  sim: Simulation,
  { count, lookups }: { count: number; lookups: number },
): Promise<readonly SimNode[]> {
  const nodes = sim.some(count);
  for (const node of nodes) {
    for (let i = 0; i < lookups; i++) {
      await sim.world.until(node.dht.lookup(sim.random.bytes(32)));
    }
  }
  return nodes;
}

/**
 * The least of `tries` that may succeed where `percent` of a hundred do: 99 of 100 runs are above.
 * What is written as 100 % may be a half less.
 */
export function leastOf(tries: number, percent: number): number {
  const share = Math.min(percent, 99.5) / 100;
  return Math.floor(tries * share - 2.33 * Math.sqrt(tries * share * (1 - share)));
}
