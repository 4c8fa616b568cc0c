/**
 * Which want of a slower peer another one, which has nothing left to do, should be asked as well.
 * What was asked cannot be taken back, so each want is asked twice at most, and only where the
 * second peer is likely to be much earlier. It sends nothing.
 */
import type { Ticket } from '../exchange/asked.ts';
import type { Speed } from '../exchange/speed.ts';

/** A peer that let this pass without a block has something taken off it. */
export const hedgeMs = 500;
/** Wants that one takes from others at a time. */
const stolenMax = 2;
/** The second peer must be this many times as fast … */
const gainMin = 2;
/** … and this much earlier. */
const gainMsMin = 100;

export interface Rival {
  readonly outstanding: readonly Ticket[];
  readonly speed: Pick<Speed, 'etaMs' | 'quietMs'>;
}

export interface StealRules {
  /** Whether earlier ones are wanted more than later ones. */
  readonly isOrdered: boolean;
  /** Whether `thief` may be asked for it, and it has not come yet. */
  readonly isWanted: (ticket: Ticket) => boolean;
}

/** The ticket to ask for once more, marked as such by the caller. */
export function pickTicket(
  thief: Rival,
  others: Iterable<Rival>,
  { isOrdered, isWanted }: StealRules,
): Ticket | undefined {
  if (thief.outstanding.length >= stolenMax) return undefined;
  let best: { readonly ticket: Ticket; readonly etaMs: number } | undefined;
  for (const rival of others) {
    if (rival === thief) continue;
    for (const found of worthStealing(thief, rival)) {
      if (!isWanted(found.ticket)) continue;
      const better = best === undefined || found.etaMs > best.etaMs;
      if (better) best = found;
      if (isOrdered) break; // the first of each peer
    }
  }
  return best?.ticket;
}

function* worthStealing(
  thief: Rival,
  rival: Rival,
): Generator<{ ticket: Ticket; etaMs: number }, void, undefined> {
  const { speed, outstanding } = rival;
  const isQuiet = speed.quietMs > hedgeMs;
  const own = sumOf(thief.outstanding);
  let bytes = 0;
  for (const ticket of outstanding) {
    bytes += ticket.bytesDue;
    const isComing = ticket.blocks > 0 && !isQuiet;
    if (ticket.hasTwin || isComing) continue;
    const etaMs = speed.etaMs(bytes) ?? (isQuiet ? Infinity : 0);
    const ownMs = thief.speed.etaMs(own + ticket.bytes) ?? 0;
    if (etaMs > gainMin * ownMs + gainMsMin) yield { ticket, etaMs };
  }
}

function sumOf(tickets: readonly Ticket[]): number {
  return tickets.reduce((sum, { bytesDue }) => sum + bytesDue, 0);
}
