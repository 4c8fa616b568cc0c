/**
 * The fetching end of `/altnet/sync/1`: sends wants, walks along with the answers and lets nothing
 * pass that is not the very block whose turn it is. It does not choose peers and does not know why
 * something is wanted.
 */
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import type { Timers } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import type { ByteStream } from '../peer/stream.ts';
import {
  decodeEnd,
  encodeWant,
  endStatuses,
  type Frame,
  FrameError,
  FrameReader,
  frameTypes,
} from './frames.ts';
import { defaultPace, Pace, type PaceOptions } from './pace.ts';
import type { Block } from './ports.ts';
import { defaultSilence, Silence, type SilenceOptions } from './silence.ts';
import type { Slabs } from './slabs.ts';
import { DagWalk, type Want } from './walk.ts';

/**
 * Wants that are sent before the first of them is answered: with one want for each small file of an
 * update, 256 keep a path of 80 ms busy with 13 MB/s.
 */
export const wantsOutstandingMax = 256;

/**
 * `dropped`: the peer broke a rule. `gone`: it, or the way to it, broke down. `left`: it was silent
 * while another peer was at hand.
 */
export type SyncEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'dropped'; readonly why: string }
  | { readonly kind: 'gone'; readonly why: string }
  | { readonly kind: 'left'; readonly why: string };

export interface SyncResult {
  readonly end: SyncEnd;
  readonly blocks: number;
  readonly bytes: number;
  /** Blocks that the peer said it lacks. */
  readonly missing: number;
}

export interface SyncOptions {
  readonly timers: Timers;
  /** Hash of the root that all this belongs to, for errors. */
  readonly root: Bytes;
  /** Verified blocks in order; a promise holds up the stream. A rejection ends the whole sync. */
  readonly onBlock: (block: Block) => Promise<void> | undefined;
  /** Resolves when all blocks so far can be read from the store. */
  readonly settle: () => Promise<void>;
  /** Memory of the blocks; whoever gets one gives it back. */
  readonly slabs?: Slabs;
  readonly pace?: PaceOptions | undefined;
  /** Whether there is another peer to turn to, should this one fall silent. */
  readonly hasAlternative?: () => boolean;
  readonly silence?: SilenceOptions | undefined;
  /** Bytes that may still be taken. */
  readonly bytesMax?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends every want of `missing`, at most 256 ahead, and takes the answers; then asks `missing` again
 * until it gives nothing or the peer has no more to give. Closes the stream. Rejects with what
 * `missing`, `onBlock` or `settle` rejected with, CONTENT_BAD when the content itself is at fault,
 * or the signal's reason; for what the peer does it does not reject.
 */
export async function syncWants(
  stream: ByteStream,
  missing: () => AsyncIterable<Want>,
  options: SyncOptions,
): Promise<SyncResult> {
  const session = new SyncSession(stream, options);
  return session.run(missing);
}

/** Breaking the rules of the exchange. */
class RuleBroken extends Error {}

/** What this node's own side said, or the content itself: no other peer would change it. */
class NotThePeer extends Error {}

class SyncSession {
  readonly #stream: ByteStream;
  readonly #options: SyncOptions;
  readonly #frames: FrameReader;
  readonly #pace: Pace;
  readonly #silence: Silence;
  readonly #outstanding: DagWalk[] = []; // BOUNDED by wantsOutstandingMax, see #ask()
  #blocks = 0;
  #bytes = 0;
  #missing = 0;
  #slow = false;
  #left = false;

  constructor(stream: ByteStream, options: SyncOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#silence = new Silence(options.timers, options.silence ?? defaultSilence, () => {
      if (options.hasAlternative?.() !== true) return;
      this.#left = true;
      stream.abort(new Error('silent'));
    });
    this.#frames = new FrameReader(this.#silence.heard(stream.read), options.slabs);
    this.#pace = new Pace(options.timers, options.pace ?? defaultPace, () => {
      this.#slow = true;
      stream.abort(new Error('too slow'));
    });
  }

  async run(missing: () => AsyncIterable<Want>): Promise<SyncResult> {
    const { signal } = this.#options;
    const onAbort = (): void => this.#stream.abort(new Error('given up'));
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      signal?.throwIfAborted();
      this.#listen();
      await this.#exchange(missing);
      void this.#stream.close(); // a peer that does not close its side holds nobody up
      return this.#result({ kind: 'done' });
    } catch (error) {
      this.#stream.abort(error instanceof Error ? error : new Error('sync failed'));
      if (error instanceof NotThePeer) throw error.cause;
      signal?.throwIfAborted();
      return this.#result(this.#explain(error));
    } finally {
      this.#pause();
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async #exchange(missing: () => AsyncIterable<Want>): Promise<void> {
    for (let before = -1; before < this.#blocks;) {
      before = this.#blocks;
      await this.#round(missing()[Symbol.asyncIterator]());
      if (this.#blocks > before) await this.#own(() => this.#options.settle());
    }
  }

  async #round(wants: AsyncIterator<Want>): Promise<void> {
    await this.#ask(wants);
    while (this.#outstanding.length > 0) {
      const frame = await this.#frames.next();
      if (frame === undefined) throw new Error('the stream ended before the answer did');
      this.#silence.answered();
      const walk = this.#outstanding[0];
      if (walk && (await this.#take(walk, frame))) {
        this.#outstanding.shift();
        await this.#ask(wants);
      }
    }
  }

  async #ask(wants: AsyncIterator<Want>): Promise<void> {
    while (this.#outstanding.length < wantsOutstandingMax) {
      this.#silence.stop(); // looking for what is missing takes a while in a large site
      const { done, value } = await blame(() => wants.next());
      this.#silence.start();
      if (done === true) return;
      this.#outstanding.push(new DagWalk(value));
      await this.#stream.write(encodeWant(value));
    }
  }

  /** True when the frame ended the answer to the want. */
  async #take(walk: DagWalk, { type, body }: Frame): Promise<boolean> {
    if (type === frameTypes.end) {
      checkEnd(walk, body);
      return true;
    }
    const expected = walk.next();
    if (expected === undefined) throw new RuleBroken('it sent more than was asked for');
    if (type === frameTypes.missing) {
      walk.skip();
      this.#missing++;
      return false;
    }
    if (type !== frameTypes.block) throw new RuleBroken('it sent a frame that is not an answer');
    if (!equalBytes(sha256(body), expected.hash)) {
      throw new RuleBroken('it sent a block that is not the one whose turn it was');
    }
    const why = walk.accept(body);
    // The block has the right hash, so every provider would send the same.
    if (why !== undefined) throw new NotThePeer(why, { cause: this.#contentBad(why) });
    await this.#keep({ hash: expected.hash, bytes: body });
    return false;
  }

  async #keep(block: Block): Promise<void> {
    this.#blocks++;
    this.#bytes += block.bytes.length;
    if (this.#bytes > (this.#options.bytesMax ?? Infinity)) {
      throw new NotThePeer('too large', {
        cause: this.#contentBad('it is larger than this node takes'),
      });
    }
    this.#pace.count(block.bytes.length);
    const kept = this.#options.onBlock(block);
    if (kept === undefined) return;
    await this.#own(() => kept);
  }

  #listen(): void {
    this.#pace.start();
    this.#silence.start();
  }

  #pause(): void {
    this.#pace.stop();
    this.#silence.stop();
  }

  /** Work of this node's own: the time that it takes is not the peer's. */
  async #own<T>(work: () => Promise<T>): Promise<T> {
    this.#pause();
    const result = await blame(work);
    this.#listen();
    return result;
  }

  #contentBad(why: string): AltNetError {
    return new AltNetError('CONTENT_BAD', { root: toHex(this.#options.root), why });
  }

  #explain(error: unknown): SyncEnd {
    if (this.#left) return { kind: 'left', why: 'it fell silent' };
    if (this.#slow) return { kind: 'dropped', why: 'it was too slow' };
    if (error instanceof RuleBroken || error instanceof FrameError) {
      return { kind: 'dropped', why: error.message };
    }
    return { kind: 'gone', why: error instanceof Error ? error.message : 'the stream broke' };
  }

  #result(end: SyncEnd): SyncResult {
    return { end, blocks: this.#blocks, bytes: this.#bytes, missing: this.#missing };
  }
}

/** "Done" while blocks are due is a lie; the other statuses are answers of an honest peer. */
function checkEnd(walk: DagWalk, body: Bytes): void {
  const status = decodeEnd(body);
  if (status === undefined) throw new RuleBroken('it ended an answer with an unknown status');
  if (status === endStatuses.busy) throw new Error('it is busy');
  if (status === endStatuses.refused) throw new Error('it does not serve this content');
  if (status === endStatuses.failed) throw new Error('its copy is damaged');
  if (walk.next() !== undefined) throw new RuleBroken('it said that it was done and was not');
}

async function blame<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new NotThePeer('own side failed', { cause: error });
  }
}
