/**
 * In which order, and how many at a time, a node announces again all that it holds, when its
 * addresses have changed: until that is done nobody finds it there. How one root is announced it
 * does not know.
 */
import { forEachOf } from '../base/parallel.ts';
import type { HeldRoot } from './ports.ts';

/**
 * Finding who stores a record takes four or five round trips, so one after the other would leave
 * the line idle. More would be more than 20 requests a second for each storer of a network of
 * twenty nodes, which is what they take from one address, and 3 Mbit/s upwards in a large one.
 */
const atOnce = 4;

/** Those first that nobody else may have, then those that were used last. */
export function inOrderOfNeed(all: readonly HeldRoot[]): readonly HeldRoot[] {
  return all
    .filter(({ complete }) => complete)
    .toSorted((a, b) => rankOf(a) - rankOf(b) || b.usedMs - a.usedMs);
}

/** Own ones, what others rely on as well, and earlier versions, which go soon. */
function rankOf({ kind, supersededMs }: HeldRoot): number {
  if (supersededMs !== undefined) return 2;
  return kind === 'own' ? 0 : 1;
}

/** Rejects with the first failure of `announce`. */
export async function announceAll(
  holdings: readonly HeldRoot[],
  announce: (holding: HeldRoot) => Promise<void>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await forEachOf(inOrderOfNeed(holdings), atOnce, async (holding) => {
    signal?.throwIfAborted();
    await announce(holding);
  });
}
