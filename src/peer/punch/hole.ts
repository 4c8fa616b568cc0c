/**
 * Dials a peer that dials at the same moment, again and again until both meet: each dial opens the
 * dialler's own NAT for the other one. It knows neither how the moment was agreed, nor with whom.
 */
import type { Connection } from '@libp2p/interface';
import { sleep } from '../../base/abort.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import type { PortDialer, PortGoal, PunchRole } from './port-dial.ts';

/** Within it the kernel repeats a lost SYN twice. */
const punchMs = 5000;
/** Where a router refuses strangers, the first dials fail at once. */
const dialsMax = 64;
const [pauseMinMs, pauseMaxMs] = [20, 50];

/** Rejects with UNREACHABLE, or with the signal's reason. */
export async function punchHole(
  ports: PortDialer,
  goal: Omit<PortGoal, 'signal'> & { readonly signal: AbortSignal },
  { role, world }: { readonly role: PunchRole; readonly world: World },
): Promise<Connection> {
  const { timers, random } = world;
  const late = new AbortController();
  const cancel = timers.after(punchMs, () => late.abort());
  const onAbort = (): void => late.abort();
  goal.signal.addEventListener('abort', onAbort, { once: true });
  let failure: unknown;
  try {
    for (let dials = 0; dials < dialsMax && !late.signal.aborted; dials++) {
      try {
        return await ports.punch({ ...goal, signal: late.signal }, role);
      } catch (error) {
        failure = error;
      }
      const pauseMs = pauseMinMs + random.fraction() * (pauseMaxMs - pauseMinMs);
      await sleep(timers, pauseMs, late.signal).catch(() => undefined);
    }
  } finally {
    cancel();
    goal.signal.removeEventListener('abort', onAbort);
  }
  goal.signal.throwIfAborted();
  const details = { what: 'the peer', why: 'no hole came about' };
  throw new AltNetError('UNREACHABLE', details, { cause: failure });
}
