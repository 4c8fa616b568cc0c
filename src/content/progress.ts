/** Progress at a rate that a terminal can follow. */
import type { Clock } from '../base/clock.ts';
import type { Progress } from './types.ts';

const intervalMs = 100;

/** Passes on about ten reports a second and drops the others. */
export function throttled(
  clock: Clock,
  report: ((progress: Progress) => void) | undefined,
): (progress: Progress) => void {
  let last = -Infinity;
  return (progress) => {
    const now = clock.monotonicMs();
    if (report === undefined || now - last < intervalMs) return;
    last = now;
    report(progress);
  };
}
