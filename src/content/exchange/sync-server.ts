/**
 * The serving end of `/altnet/sync/1`: answers wants from the store, in order, only as fast as the
 * stream drains. It keeps nothing about a peer but the count of its streams.
 */
import type { Bytes } from '../../base/bytes.ts';
import { toHex } from '../../base/bytes.ts';
import { systemWorld, type World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import type { ByteStream } from '../../peer/stream.ts';
import {
  decodeWant,
  encodeEnd,
  encodeFrame,
  encodeHead,
  endStatuses,
  type EndStatus,
  type Frame,
  FrameReader,
  frameTypes,
} from './frames.ts';
import { defaultPace, Pace, type PaceOptions } from './pace.ts';
import type { Blocks } from '../ports.ts';
import { DagWalk, type Want } from '../dag/walk.ts';

export interface SyncServerOptions {
  /** Streams served at the same time: in all, and for one peer. */
  readonly streamsMax?: number;
  readonly streamsPerPeerMax?: number;
  /** A stream without a want is closed after this long. */
  readonly idleMs?: number;
  readonly pace?: PaceOptions;
  /** Content that this node does not serve, by the hash of its root or of what is asked for. */
  readonly refuses?: (hash: Bytes) => boolean;
  /** Something of this root is asked for; called once for each stream. */
  readonly onAsked?: ((root: Bytes) => void) | undefined;
  readonly world?: World;
  readonly logger?: Logger;
}

/** Small answers are gathered up to this size before they are written. */
const gatherBytes = 64 * 1024;
const largeBytes = 16 * 1024;

export class SyncServer {
  readonly #blocks: Blocks;
  readonly #options: SyncServerOptions;
  readonly #world: World;
  readonly #log: Logger;
  readonly #open = new Map<ByteStream, string>(); // BOUNDED by streamsMax

  constructor(blocks: Blocks, options: SyncServerOptions = {}) {
    this.#blocks = blocks;
    this.#options = options;
    this.#world = options.world ?? systemWorld;
    this.#log = options.logger ?? silentLogger;
  }

  /** Serves one stream until it ends. Never rejects. */
  async serve(stream: ByteStream): Promise<void> {
    const peer = toHex(stream.remote);
    if (!this.#hasRoom(peer)) {
      await stream.write(encodeEnd(endStatuses.busy)).catch(() => undefined);
      return stream.close();
    }
    this.#open.set(stream, peer);
    try {
      await this.#answerAll(stream);
      await stream.close();
    } catch (error) {
      // Peers vanish in the middle of an answer all the time.
      this.#log.debug('a sync stream broke off', { error: String(error) });
      stream.abort(error instanceof Error ? error : new Error('broken off'));
    } finally {
      this.#open.delete(stream);
    }
  }

  stop(): void {
    for (const stream of this.#open.keys()) stream.abort(new AltNetError('ABORTED', {}));
  }

  #hasRoom(peer: string): boolean {
    const { streamsMax = 64, streamsPerPeerMax = 8 } = this.#options;
    const own = [...this.#open.values()].filter((one) => one === peer).length;
    return this.#open.size < streamsMax && own < streamsPerPeerMax;
  }

  async #answerAll(stream: ByteStream): Promise<void> {
    const frames = new FrameReader(stream.read);
    const { idleMs = 60_000, pace = defaultPace } = this.#options;
    const giveUp = (): void =>
      stream.abort(new AltNetError('TIMEOUT', { what: 'sync', ms: idleMs }));
    let root: Bytes | undefined;
    for (;;) {
      const cancelIdle = this.#world.timers.after(idleMs, giveUp);
      const frame = await frames.next().finally(cancelIdle);
      if (frame === undefined) return;
      if (root === undefined) {
        root = requireRoot(frame);
        this.#options.onAsked?.(root);
        continue;
      }
      const want = frame.type === frameTypes.want ? decodeWant(frame.body) : undefined;
      if (!want) throw new Error('the peer sent something else than a want');
      const speed = new Pace(this.#world.timers, pace, giveUp);
      speed.start();
      try {
        await this.#answer(new Answer(stream, speed), want, root);
      } finally {
        speed.stop();
      }
    }
  }

  async #answer(answer: Answer, want: Want, root: Bytes): Promise<void> {
    const { refuses } = this.#options;
    if (refuses?.(root) === true || refuses?.(want.link.hash) === true) {
      return answer.end(endStatuses.refused);
    }
    const walk = new DagWalk(want);
    for (let link = walk.next(); link !== undefined; link = walk.next()) {
      const bytes = this.#blocks.get(link.hash);
      if (bytes === undefined) {
        walk.skip();
        await answer.missing();
        continue;
      }
      await answer.block(bytes);
      // Only a block that this node should never have taken; what was sent so far is still good.
      if (walk.accept(bytes) !== undefined) return answer.end(endStatuses.failed);
    }
    if (walk.full) return answer.end(endStatuses.full);
    return answer.end(walk.limited ? endStatuses.limit : endStatuses.done);
  }
}

function requireRoot({ type, body }: Frame): Bytes {
  if (type === frameTypes.root && body.length === 32) return body;
  throw new Error('the peer did not begin with a root');
}

/** The frames that answer one want, gathered into few writes. */
class Answer {
  readonly #stream: ByteStream;
  readonly #pace: Pace;
  #parts: Bytes[] = []; // BOUNDED by gatherBytes and one block
  #bytes = 0;

  constructor(stream: ByteStream, pace: Pace) {
    this.#stream = stream;
    this.#pace = pace;
  }

  block(bytes: Bytes): Promise<void> | undefined {
    return this.#gather(encodeHead(frameTypes.block, bytes.length), bytes);
  }

  missing(): Promise<void> | undefined {
    return this.#gather(encodeFrame(frameTypes.missing, new Uint8Array()));
  }

  async end(status: EndStatus): Promise<void> {
    await this.#gather(encodeEnd(status));
    await this.#flush();
  }

  #gather(...parts: readonly Bytes[]): Promise<void> | undefined {
    this.#parts.push(...parts);
    for (const { length } of parts) this.#bytes += length;
    return this.#bytes < gatherBytes ? undefined : this.#flush();
  }

  /** Large parts are handed on as they are, small ones together. */
  async #flush(): Promise<void> {
    const parts = this.#parts;
    this.#parts = [];
    this.#bytes = 0;
    let small: Bytes[] = [];
    for (const part of parts) {
      if (part.length < largeBytes) {
        small.push(part);
        continue;
      }
      await this.#write(Buffer.concat(small));
      await this.#write(part);
      small = [];
    }
    await this.#write(Buffer.concat(small));
  }

  async #write(bytes: Bytes): Promise<void> {
    if (bytes.length === 0) return;
    await this.#stream.write(bytes);
    this.#pace.count(bytes.length);
  }
}
