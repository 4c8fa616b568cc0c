/**
 * Whether a search that found nothing shows that there is nothing. A machine that is busy answers
 * late, and a node that has just started knows few others: neither is an absence. Pure.
 */
import type { GatherEnd } from './gather.ts';

/** In a full neighbourhood so many times as many have to answer as do not. */
const answersPerSilence = 5;

/**
 * `k`: how many hold a record. Among so many one that is silent hides nothing; where there are
 * fewer, it may be the only one that holds it, and others may not be known yet.
 */
export function showsAbsence(
  { asked, answered, closest, complete }: GatherEnd,
  { k, isSettled }: { readonly k: number; readonly isSettled: boolean },
): boolean {
  if (!complete || closest.length === 0) return false;
  const silent = asked - answered;
  if (closest.length >= k) return answersPerSilence * silent <= answered;
  return silent === 0 && isSettled;
}
