/**
 * Whether others connect to this node at a TCP port of the address that they see: asks some of them
 * to. One alone is not believed. When it is due, and what follows, its user decides.
 */
import { prefixOf } from '../../base/address.ts';
import type { World } from '../../base/clock.ts';
import type { Observer } from '../punch/probe.ts';
import { formatMultiaddr } from '../address.ts';
import type { PeerTarget } from '../dialing.ts';
import type { ByteStream } from '../stream.ts';
import { ask } from './ask.ts';
import { type DialResult, reachProtocol } from './reach-frames.ts';

const helpersMax = 4;
/** Of them, so many must have come through. */
const reachedMin = 2;
const askMs = 12_000;

export interface TcpReachDeps {
  readonly open: (
    target: PeerTarget,
    protocol: string,
    options: { readonly signal: AbortSignal; readonly direct: boolean },
  ) => Promise<ByteStream>;
  readonly world: World;
}

/**
 * Asks helpers of different networks in turn until it is clear. 'unknown': too few could be asked.
 * Rejects only with the signal's reason.
 */
export async function testTcpReach(
  { open, world }: TcpReachDeps,
  { port, helpers, signal }: { port: number; helpers: readonly Observer[]; signal: AbortSignal },
): Promise<'reached' | 'unreached' | 'unknown'> {
  const drawn = [
    ...new Map(
      helpers
        .toSorted(() => world.random.fraction() - 0.5)
        .map((helper) => [prefixOf(helper.endpoint.ip, 'wide'), helper]),
    ).values(),
  ].slice(0, helpersMax);
  const counts: Record<DialResult, number> = { reached: 0, unreached: 0, refused: 0 };
  for (const { publicKey, endpoint } of drawn) {
    if (counts.reached >= reachedMin || counts.unreached >= reachedMin) break;
    const late = AbortSignal.any([signal, AbortSignal.timeout(askMs)]);
    try {
      const target = { publicKey, addresses: [formatMultiaddr(endpoint)] };
      const stream = await open(target, reachProtocol, { signal: late, direct: true });
      const answer = await ask(stream, { type: 'dialBack', port }, late);
      if (answer.type === 'dialled') counts[answer.result]++;
    } catch {
      signal.throwIfAborted();
    }
  }
  if (counts.reached >= reachedMin) return 'reached';
  return counts.unreached >= reachedMin ? 'unreached' : 'unknown';
}
