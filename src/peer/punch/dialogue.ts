/**
 * What two peers say to each other through a relay before they dial each other: who is seen where,
 * how far apart they are, and when to begin (docs/spec/nat.md, "Direct connections through NATs").
 *
 *   who connected            the other one
 *   offer (address)   ---->
 *                     <----  accept (address), or decline
 *   ping              ---->
 *                     <----  pong
 *   go                ---->  dials at once, as server
 *   waits half of the time from ping to pong, then dials, as client
 */
import { type Endpoint, scopeOf } from '../../base/address.ts';
import type { Clock } from '../../base/clock.ts';
import type { ByteStream } from '../stream.ts';
import { Pieces } from '../reach/pieces.ts';
import {
  decodePunchFrame,
  type DeclineReason,
  encodePunchFrame,
  punchFrameBytes,
  type PunchFrame,
} from './punch-frames.ts';

/** Below are the ports of other services. */
const portMin = 1024;
const roundTripMsMax = 4000;

export type Agreement =
  | { readonly kind: 'agreed'; readonly endpoint: Endpoint; readonly waitMs: number }
  | { readonly kind: 'declined'; readonly reason: DeclineReason }
  /** The peer said something else, or nothing. */
  | { readonly kind: 'broken' };

/**
 * Whether a peer that says it is at `theirs` may be dialled by one that is seen at `ours`: at a
 * global address of the same family, and not behind the same NAT, which seldom leads back in.
 */
export function isPunchable(theirs: Endpoint, ours: Endpoint): boolean {
  return (
    scopeOf(theirs.ip) === 'global' &&
    theirs.port >= portMin &&
    theirs.ip.length === ours.ip.length &&
    theirs.ip.some((byte, i) => byte !== ours.ip[i])
  );
}

class Talk {
  readonly #stream: ByteStream;
  readonly #pieces: Pieces;

  constructor(stream: ByteStream) {
    this.#stream = stream;
    this.#pieces = new Pieces(stream.read, punchFrameBytes);
  }

  /** Rejects when the stream breaks. */
  async say(frame: PunchFrame): Promise<void> {
    await this.#stream.write(encodePunchFrame(frame));
  }

  async hear(): Promise<PunchFrame | undefined> {
    const bytes = await this.#pieces.next();
    return bytes && decodePunchFrame(bytes);
  }
}

/** The part of who connected. Rejects when the stream breaks. */
export async function offer(
  stream: ByteStream,
  outside: Endpoint,
  clock: Pick<Clock, 'monotonicMs'>,
): Promise<Agreement> {
  const talk = new Talk(stream);
  await talk.say({ type: 'offer', endpoint: outside });
  const answer = await talk.hear();
  if (answer?.type === 'decline') return { kind: 'declined', reason: answer.reason };
  if (answer?.type !== 'accept') return { kind: 'broken' };
  const { endpoint } = answer;
  if (!isPunchable(endpoint, outside)) return { kind: 'declined', reason: 'unusable' };
  const askedMs = clock.monotonicMs();
  await talk.say({ type: 'ping' });
  if ((await talk.hear())?.type !== 'pong') return { kind: 'broken' };
  const roundTripMs = clock.monotonicMs() - askedMs;
  await talk.say({ type: 'go' });
  return { kind: 'agreed', endpoint, waitMs: Math.min(roundTripMs, roundTripMsMax) / 2 };
}

export type Answering = { readonly accept: Endpoint } | { readonly decline: DeclineReason };

/** The part of the other one; `answer` says where this node is seen. Rejects as offer() does. */
export async function respond(
  stream: ByteStream,
  answer: (theirs: Endpoint) => Promise<Answering>,
): Promise<Agreement> {
  const talk = new Talk(stream);
  const first = await talk.hear();
  if (first?.type !== 'offer') return { kind: 'broken' };
  const said = await answer(first.endpoint);
  if ('decline' in said) {
    await talk.say({ type: 'decline', reason: said.decline });
    return { kind: 'declined', reason: said.decline };
  }
  await talk.say({ type: 'accept', endpoint: said.accept });
  if ((await talk.hear())?.type !== 'ping') return { kind: 'broken' };
  await talk.say({ type: 'pong' });
  if ((await talk.hear())?.type !== 'go') return { kind: 'broken' };
  return { kind: 'agreed', endpoint: first.endpoint, waitMs: 0 };
}
