/**
 * A World in which time goes on as it does, but timers of one length fire only when a test says so:
 * a limit on patience can then be met as surely as missed, however busy the machine is.
 */
import { systemWorld, type World } from '../../src/base/clock.ts';

export interface HeldTimers {
  readonly world: World;
  /** Fires those that are set now. */
  fire(): void;
}

/** `delayMs`: of those that are held, and of no other timer. */
export function holdTimers(delayMs: number): HeldTimers {
  const held = new Set<() => void>(); // BOUNDED by what the test starts
  const after: World['timers']['after'] = (timerMs, run) => {
    if (timerMs !== delayMs) return systemWorld.timers.after(timerMs, run);
    const timer = (): void => run();
    held.add(timer);
    return () => held.delete(timer);
  };
  return {
    world: { ...systemWorld, timers: { after } },
    fire() {
      const due = [...held];
      held.clear();
      due.forEach((timer) => timer());
    },
  };
}
