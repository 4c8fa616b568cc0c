/**
 * A node's link to a relay: a stream on which it asks for a place, and by which it notices within
 * seconds that the relay is gone, also when the line went dead without a word. It knows one relay,
 * and opens no connections.
 */
import type { CancelTimer, World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import type { ByteStream } from '../stream.ts';
import {
  encodeRelayFrame,
  type Grant,
  type Refusal,
  type RelayFrame,
  readRelayFrames,
} from './relay-frames.ts';

/** A relay that does not answer so soon is gone: with pingMs, within 7 s. */
const answerMs = 3000;
const pingMs = 4000;

/**
 * How a link ended: closed by us, the relay said that it is about to end, the stream broke, or
 * nothing came for too long, so that the whole connection is dead.
 */
export type LinkEnd = 'closed' | 'leaving' | 'broken' | 'silent';

/** The relay gives no place. */
export class RelayRefusal extends Error {
  override readonly name = 'RelayRefusal';
  readonly reason: Refusal;

  constructor(reason: Refusal) {
    super(`the relay gives no place: ${reason}`);
    this.reason = reason;
  }
}

export class RelayLink {
  readonly ended: Promise<LinkEnd>;
  readonly #stream: ByteStream;
  readonly #world: World;
  readonly #end: (how: LinkEnd) => void;
  #isOver = false;
  #cancelPing: CancelTimer | undefined;
  #cancelWait: CancelTimer | undefined;
  #asked: PromiseWithResolvers<Grant> | undefined;

  constructor(stream: ByteStream, world: World) {
    this.#stream = stream;
    this.#world = world;
    const { promise, resolve } = Promise.withResolvers<LinkEnd>();
    this.ended = promise;
    this.#end = resolve;
  }

  start(): void {
    void this.#read();
    this.#pingLater();
  }

  /** Rejects with RelayRefusal, or UNREACHABLE when the link ends before there is an answer. */
  async reserve(): Promise<Grant> {
    if (this.#isOver) throw gone();
    this.#asked ??= Promise.withResolvers<Grant>();
    this.#send({ type: 'reserve' });
    return this.#asked.promise;
  }

  /** Somebody is about to rely on the relay: it must answer now, not after the next ping. */
  check(): void {
    if (!this.#isOver && !this.#cancelWait) this.#send({ type: 'ping' });
  }

  /** Gives the place back. */
  async close(): Promise<void> {
    this.#over('closed');
    await this.#stream.close();
  }

  async #read(): Promise<void> {
    try {
      for await (const frame of readRelayFrames(this.#stream.read)) {
        this.#cancelWait?.();
        this.#cancelWait = undefined;
        if (!frame || !this.#take(frame)) break;
      }
      this.#over('broken');
      await this.#stream.close();
    } catch {
      this.#over('broken');
    }
  }

  /** False for what ends the link. */
  #take(frame: RelayFrame): boolean {
    if (frame.type === 'granted') {
      this.#asked?.resolve(frame.grant);
      this.#asked = undefined;
    } else if (frame.type === 'refused') {
      this.#asked?.reject(new RelayRefusal(frame.reason));
      this.#asked = undefined;
    } else if (frame.type === 'leaving') {
      this.#over('leaving');
    }
    return frame.type === 'granted' || frame.type === 'refused' || frame.type === 'pong';
  }

  #pingLater(): void {
    this.#cancelPing = this.#world.timers.after(pingMs, () => {
      this.#send({ type: 'ping' });
      this.#pingLater();
    });
  }

  /** Whatever is sent is answered. */
  #send(frame: RelayFrame): void {
    this.#cancelWait ??= this.#world.timers.after(answerMs, () => {
      this.#over('silent');
      this.#stream.abort(new Error('the relay is silent'));
    });
    this.#stream.write(encodeRelayFrame(frame)).catch(() => this.#over('broken'));
  }

  #over(how: LinkEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelPing?.();
    this.#cancelWait?.();
    this.#asked?.reject(gone());
    this.#end(how);
  }
}

function gone(): AltNetError {
  return new AltNetError('UNREACHABLE', { what: 'the relay', why: 'its link ended' });
}
