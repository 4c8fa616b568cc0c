/**
 * The asking end of `/altnet/keep/1`: one offer or some questions to one node, and what it says.
 * It chooses no nodes and keeps nothing; what a node does is an outcome here and never an error.
 */
import { abortReason, withDeadline } from '../../base/abort.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { Timers } from '../../base/clock.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { FrameReader } from '../exchange/frames.ts';
import { Pace } from '../exchange/pace.ts';
import type { Connections } from '../ports.ts';
import type { ProviderContact } from '../fetching/providers.ts';
import { Slabs } from '../slabs.ts';
import {
  decodeAnswer,
  decodeDecline,
  decodeProgress,
  encodeOffer,
  encodeQuestion,
  type Decline,
  keepFrameBytesMax,
  keepFrames,
  keepProtocol,
  type Offer,
  rootsPerQuestionMax,
  type Standing,
} from './keep-frames.ts';

/** kept: it has a full copy since this offer. held: it had one before, as it says. */
export type OfferOutcome =
  | { readonly kind: 'kept' | 'held' }
  | { readonly kind: 'declined'; readonly why: Decline | 'unreachable' | 'slow' };

export interface Asking {
  readonly timers: Timers;
  /** Without a sign of life, or of progress, for so long: given up. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
}

export interface Offering extends Asking {
  /** How many bytes of it the node says it has by now. */
  readonly onBytes: (bytes: number) => void;
}

/** A node that brings less of an offered site than this while patience lasts is given up. */
const bytesPerPatienceMin = 32 * 1024;

/** Rejects with the signal's reason only. */
export async function offerTo(
  { connections, to }: { connections: Connections; to: ProviderContact },
  offer: Offer,
  { timers, patienceMs, signal, onBytes }: Offering,
): Promise<OfferOutcome> {
  const stream = await opened({ connections, to, signal });
  if (!stream) return { kind: 'declined', why: 'unreachable' };
  const giveUp = (): void => stream.abort(new Error('given up'));
  // What is smaller needs no pace: one period must do for all of it.
  const pace = new Pace(timers, { periodMs: patienceMs, bytesMin: bytesPerPatienceMin }, giveUp);
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    signal.throwIfAborted();
    pace.start();
    await stream.write(encodeOffer(offer));
    const outcome = await follow(stream, { pace, bytesMax: offer.bytes, onBytes });
    void stream.close();
    return outcome;
  } catch {
    giveUp();
    if (signal.aborted) throw abortReason(signal);
    return { kind: 'declined', why: 'failed' };
  } finally {
    pace.stop();
    signal.removeEventListener('abort', giveUp);
  }
}

/** Reads what becomes of an offer. Throws when the node breaks the rules or the stream breaks. */
async function follow(
  stream: ByteStream,
  { pace, bytesMax, onBytes }: { pace: Pace; bytesMax: number; onBytes: (bytes: number) => void },
): Promise<OfferOutcome> {
  const frames = new FrameReader(stream.read, new Slabs(0), keepFrameBytesMax);
  let taking = false;
  let had = 0;
  for (;;) {
    const frame = await frames.next();
    if (!frame) throw new Error('the stream ended before the offer was settled');
    const { type, body } = frame;
    if (!taking && type === keepFrames.held) return { kind: 'held' };
    if (!taking && type === keepFrames.refused) return declined(body);
    if (!taking && type === keepFrames.taking) {
      taking = true;
      pace.start(); // it may have waited for a place
    } else if (taking && type === keepFrames.kept) {
      return { kind: 'kept' };
    } else if (taking && type === keepFrames.failed) {
      return declined(body);
    } else if (taking && type === keepFrames.progress) {
      const bytes = decodeProgress(body);
      if (bytes === undefined || bytes < had || bytes > bytesMax) throw new Error('odd progress');
      if (bytes === bytesMax && had < bytesMax) pace.start(); // what is left is to announce it
      else pace.count(bytes - had);
      had = bytes;
      onBytes(bytes);
    } else {
      throw new Error('a frame that is not due');
    }
  }
}

function declined(body: Bytes): OfferOutcome {
  const why = decodeDecline(body);
  if (why === undefined) throw new Error('a refusal without a reason');
  return { kind: 'declined', why };
}

/**
 * What the node says of each root, in order; undefined when it says nothing (it is gone, busy, or
 * breaks the rules). At most 256 roots are asked at once. Rejects with the signal's reason only.
 */
export async function askStandings(
  { connections, to }: { connections: Connections; to: ProviderContact },
  hashes: readonly Bytes[],
  { timers, patienceMs, signal }: Asking,
): Promise<readonly Standing[] | undefined> {
  const limits = { timers, ms: patienceMs, what: 'keep', signal };
  try {
    return await withDeadline(limits, async (inTime) => {
      const stream = await opened({ connections, to, signal: inTime });
      if (!stream) return undefined;
      const giveUp = (): void => stream.abort(new Error('given up'));
      inTime.addEventListener('abort', giveUp, { once: true });
      try {
        const answers = await questioned(stream, hashes);
        void stream.close();
        return answers;
      } catch {
        giveUp();
        return undefined;
      } finally {
        inTime.removeEventListener('abort', giveUp);
      }
    });
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}

async function questioned(
  stream: ByteStream,
  hashes: readonly Bytes[],
): Promise<readonly Standing[] | undefined> {
  const frames = new FrameReader(stream.read, new Slabs(0), keepFrameBytesMax);
  const all: Standing[] = []; // BOUNDED by `hashes`
  for (let at = 0; at < hashes.length; at += rootsPerQuestionMax) {
    const some = hashes.slice(at, at + rootsPerQuestionMax);
    await stream.write(encodeQuestion(some));
    const frame = await frames.next();
    const isAnswer = frame?.type === keepFrames.answer;
    const answers = isAnswer ? decodeAnswer(frame.body, some.length) : undefined;
    if (!answers) throw new Error('not an answer');
    all.push(...answers);
  }
  return all;
}

async function opened({
  connections,
  to,
  signal,
}: {
  connections: Connections;
  to: ProviderContact;
  signal: AbortSignal;
}): Promise<ByteStream | undefined> {
  try {
    return await connections.open(to, keepProtocol, { signal });
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
