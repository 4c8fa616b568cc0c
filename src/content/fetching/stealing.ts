/**
 * Which want of a slower peer another one, which has nothing left to do, should be asked as well;
 * of a want of several leaves, which of them. What was asked cannot be taken back, so each is asked
 * twice at most, and only where the second peer is likely to be much earlier. It sends nothing.
 */
import type { SizedLink } from '../dag/pending-links.ts';
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
  readonly speed: Pick<Speed, 'etaMs' | 'idleEtaMs' | 'quietMs'>;
}

export interface StealRules {
  /** Whether earlier ones are wanted more than later ones. */
  readonly isOrdered: boolean;
  /** Whether `thief` may be asked for this one of its links, and it has not come yet. */
  readonly isWanted: (ticket: Ticket, link: SizedLink) => boolean;
}

/** One of what a peer was asked for. */
export interface Loot {
  readonly ticket: Ticket;
  readonly link: SizedLink;
}

interface Found extends Loot {
  readonly etaMs: number;
}

/** What to ask for once more, marked as such by the caller. */
export function pickTicket(
  thief: Rival,
  others: Iterable<Rival>,
  { isOrdered, isWanted }: StealRules,
): Loot | undefined {
  if (thief.outstanding.length >= stolenMax) return undefined;
  let best: Found | undefined;
  for (const rival of others) {
    if (rival === thief) continue;
    for (const found of worthStealing(thief, rival, isWanted)) {
      const better = best === undefined || found.etaMs > best.etaMs;
      if (better) best = found;
      if (isOrdered) break; // the first of each peer
    }
  }
  return best;
}

function* worthStealing(
  thief: Rival,
  rival: Rival,
  isWanted: StealRules['isWanted'],
): Generator<Found, void, undefined> {
  const { speed, outstanding } = rival;
  const isQuiet = speed.quietMs > hedgeMs;
  let bytes = 0;
  for (const ticket of outstanding) {
    bytes += ticket.bytesDue;
    if (ticket.hasTwin || (ticket.isUnderWay && !isQuiet)) continue;
    const last = lastWanted(ticket, isWanted);
    if (!last) continue;
    const { link, bytesBehind } = last;
    const etaMs = speed.etaMs(Math.max(bytes - bytesBehind, 1)) ?? (isQuiet ? Infinity : 0);
    const ownMs = ownEtaMs(thief, ticket.bytesOf(link));
    if (etaMs > gainMin * ownMs + gainMsMin) yield { ticket, link, etaMs };
  }
}

/** Answers bring leaves in the order of the want, so what comes behind one does not delay it. */
function lastWanted(
  ticket: Ticket,
  isWanted: StealRules['isWanted'],
): { readonly link: SizedLink; readonly bytesBehind: number } | undefined {
  let bytesBehind = 0;
  for (const link of ticket.links.toReversed()) {
    if (!ticket.isTwinned(link) && isWanted(ticket, link)) return { link, bytesBehind };
    bytesBehind += ticket.bytesOf(link);
  }
  return undefined;
}

/** When the thief would have brought that as well; 0 while nothing is known of it. */
function ownEtaMs({ speed, outstanding }: Rival, bytes: number): number {
  const ms =
    outstanding.length === 0 ? speed.idleEtaMs(bytes) : speed.etaMs(sumOf(outstanding) + bytes);
  return ms ?? 0;
}

function sumOf(tickets: readonly Ticket[]): number {
  return tickets.reduce((sum, { bytesDue }) => sum + bytesDue, 0);
}
