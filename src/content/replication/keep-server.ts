/**
 * The answering end of `/altnet/keep/1`: reads questions and offers from a stream and says what
 * becomes of them. What is kept and why, it leaves to the taker.
 */
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { FrameReader } from '../exchange/frames.ts';
import type { Connections } from '../ports.ts';
import { Slabs } from '../slabs.ts';
import type { Admission } from './admission.ts';
import type { CopyCounts } from './copy-counts.ts';
import {
  decodeOffer,
  decodeQuestion,
  encodeAnswer,
  encodeDecline,
  encodeKeepFrame,
  encodeProgress,
  keepFrameBytesMax,
  keepFrames,
  type Offer,
} from './keep-frames.ts';
import type { Taken, Taker } from './taker.ts';

export interface KeepServerDeps {
  readonly taker: Taker;
  readonly admission: Admission;
  readonly counts: CopyCounts;
  readonly connections: Pick<Connections, 'remoteAddress'>;
  readonly world: World;
  readonly log: Logger;
}

interface Served {
  /** Gives its place back. */
  readonly leave: () => void;
  /** Since when nothing is asked on it; undefined while something is answered. */
  idleSinceMs: number | undefined;
}

/** A stream on which nothing is asked is closed after this long. */
const idleMs = 30_000;
const progressEveryMs = 1000;

export class KeepServer {
  readonly #deps: KeepServerDeps;
  readonly #open = new Map<ByteStream, Served>(); // BOUNDED by Admission.enter()
  /** Those that are sent away among them. BOUNDED by the connections and their streams. */
  readonly #serving = new Map<ByteStream, Promise<void>>();
  readonly #lifetime = new AbortController();

  constructor(deps: KeepServerDeps) {
    this.#deps = deps;
  }

  /** Serves one stream until it ends. Never rejects. */
  serve(stream: ByteStream): Promise<void> {
    const serving = this.#serve(stream).finally(() => this.#serving.delete(stream));
    this.#serving.set(stream, serving);
    return serving;
  }

  async #serve(stream: ByteStream): Promise<void> {
    const leave = this.#lifetime.signal.aborted ? undefined : this.#enter(toHex(stream.remote));
    if (!leave) return sendAway(stream);
    const served: Served = { leave, idleSinceMs: this.#deps.world.clock.monotonicMs() };
    this.#open.set(stream, served);
    try {
      await this.#answerAll(stream, served);
      await stream.close();
    } catch (error) {
      this.#deps.log.debug('a keep stream broke off', { why: String(error) });
      stream.abort(error instanceof Error ? error : new Error('broken off'));
    } finally {
      this.#open.delete(stream);
      leave();
    }
  }

  #enter(peer: string): (() => void) | undefined {
    const { admission } = this.#deps;
    const leave = admission.enter(peer);
    if (leave || !admission.mayEnter(peer) || !this.#sendOneAway()) return leave;
    return admission.enter(peer);
  }

  /** Whoever asks nothing for longest makes way: places cannot be kept by having them. */
  #sendOneAway(): boolean {
    const idle = [...this.#open].flatMap(([stream, { leave, idleSinceMs: sinceMs }]) =>
      sinceMs === undefined ? [] : [{ stream, leave, sinceMs }],
    );
    const [longest] = idle.toSorted((a, b) => a.sinceMs - b.sinceMs);
    if (!longest) return false;
    this.#open.delete(longest.stream);
    longest.leave();
    void sendAway(longest.stream);
    return true;
  }

  /** Resolves when nothing is taken any more: until then the store is read and written. */
  async stop(): Promise<void> {
    this.#lifetime.abort(new AltNetError('ABORTED', {}));
    for (const stream of this.#serving.keys()) stream.abort(new AltNetError('ABORTED', {}));
    await Promise.all(this.#serving.values());
  }

  async #answerAll(stream: ByteStream, served: Served): Promise<void> {
    const { admission, connections, taker, world } = this.#deps;
    const frames = new FrameReader(stream.read, new Slabs(0), keepFrameBytesMax);
    const giveUp = (): void =>
      stream.abort(new AltNetError('TIMEOUT', { what: 'keep', ms: idleMs }));
    for (;;) {
      const cancelIdle = world.timers.after(idleMs, giveUp);
      const frame = await frames.next().finally(cancelIdle);
      if (!frame || !this.#open.has(stream)) return;
      served.idleSinceMs = undefined;
      if (frame.type === keepFrames.offer) {
        const offer = decodeOffer(frame.body);
        if (!offer) throw new Error('the peer sent an offer that is none');
        return this.#settle(stream, frames, offer);
      }
      const hashes = frame.type === keepFrames.question ? decodeQuestion(frame.body) : undefined;
      if (!hashes) throw new Error('the peer asked nothing that is known');
      const address = connections.remoteAddress(stream.remote);
      if (!admission.allows('question', stream.remote, address)) return;
      await stream.write(encodeAnswer(hashes.map((hash) => taker.standing(hash))));
      served.idleSinceMs = world.clock.monotonicMs();
    }
  }

  /** One offer ends its stream; an offerer that goes away ends the taking. */
  async #settle(stream: ByteStream, frames: FrameReader, offer: Offer): Promise<void> {
    const gone = new AbortController();
    const leave = (): void => gone.abort(new Error('the offerer is gone'));
    // Nothing more is due from the offerer, so whatever comes is its end or a breach.
    void frames.next().then(leave, leave);
    const signal = AbortSignal.any([gone.signal, this.#lifetime.signal]);
    const telling = new Telling(stream, this.#deps.world);
    const taken = await this.#deps.taker.take(offer, stream.remote, {
      onTaking: () => telling.say(encodeKeepFrame(keepFrames.taking)),
      onBytes: (bytes) => telling.progress(bytes, bytes === offer.bytes),
      signal,
    });
    this.#deps.counts.taken(taken);
    telling.say(encodeTaken(taken));
    await telling.said;
  }
}

/** In good order: the peer comes again later. */
async function sendAway(stream: ByteStream): Promise<void> {
  await stream.write(encodeDecline(keepFrames.refused, 'busy')).catch(() => undefined);
  await stream.close();
}

function encodeTaken(taken: Taken): Bytes {
  switch (taken.kind) {
    case 'held':
      return encodeKeepFrame(keepFrames.held);
    case 'kept':
      return encodeKeepFrame(keepFrames.kept);
    case 'refused':
      return encodeDecline(keepFrames.refused, taken.why);
    case 'failed':
      return encodeDecline(keepFrames.failed, taken.why);
    default:
      return taken satisfies never;
  }
}

/** Frames one after the other; progress at most once a second, so that none pile up. */
class Telling {
  readonly #stream: ByteStream;
  readonly #world: World;
  #toldMs = -Infinity;
  #toldBytes = 0;
  said: Promise<void> = Promise.resolve();

  constructor(stream: ByteStream, world: World) {
    this.#stream = stream;
    this.#world = world;
  }

  say(frame: Bytes): void {
    this.said = this.said.then(() => this.#stream.write(frame));
    this.said.catch(() => undefined); // told to who awaits it last
  }

  progress(bytes: number, isLast: boolean): void {
    const nowMs = this.#world.clock.monotonicMs();
    if (bytes <= this.#toldBytes || (!isLast && nowMs - this.#toldMs < progressEveryMs)) return;
    this.#toldMs = nowMs;
    this.#toldBytes = bytes;
    this.say(encodeProgress(bytes));
  }
}
