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
import { Turns } from '../turns.ts';
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

interface Served {
  readonly peer: string;
  /** Since when nothing is asked on it; undefined while something is answered. */
  idleSinceMs: number | undefined;
}

/** Small answers are gathered up to this size before they are written. */
const gatherBytes = 64 * 1024;

export class SyncServer {
  readonly #blocks: Blocks;
  readonly #options: SyncServerOptions;
  readonly #world: World;
  readonly #log: Logger;
  readonly #open = new Map<ByteStream, Served>(); // BOUNDED by streamsMax
  /** Those that are sent away among them. BOUNDED by the connections and their streams. */
  readonly #serving = new Map<ByteStream, Promise<void>>();

  constructor(blocks: Blocks, options: SyncServerOptions = {}) {
    this.#blocks = blocks;
    this.#options = options;
    this.#world = options.world ?? systemWorld;
    this.#log = options.logger ?? silentLogger;
  }

  /** Serves one stream until it ends. Never rejects. */
  serve(stream: ByteStream): Promise<void> {
    const serving = this.#serve(stream).finally(() => this.#serving.delete(stream));
    this.#serving.set(stream, serving);
    return serving;
  }

  async #serve(stream: ByteStream): Promise<void> {
    const peer = toHex(stream.remote);
    if (!this.#hasRoom(peer)) return sendAway(stream);
    const served: Served = { peer, idleSinceMs: this.#world.clock.monotonicMs() };
    this.#open.set(stream, served);
    try {
      await this.#answerAll(stream, served);
      await stream.close();
    } catch (error) {
      // Peers vanish in the middle of an answer all the time.
      this.#log.debug('a sync stream broke off', { error: String(error) });
      stream.abort(error instanceof Error ? error : new Error('broken off'));
    } finally {
      this.#open.delete(stream);
    }
  }

  /** Resolves when nothing is served any more. */
  async stop(): Promise<void> {
    for (const stream of this.#serving.keys()) stream.abort(new AltNetError('ABORTED', {}));
    await Promise.all(this.#serving.values());
  }

  #hasRoom(peer: string): boolean {
    const { streamsMax = 64, streamsPerPeerMax = 8 } = this.#options;
    const own = [...this.#open.values()].filter((one) => one.peer === peer).length;
    return own < streamsPerPeerMax && (this.#open.size < streamsMax || this.#sendOneAway());
  }

  /** Whoever asks nothing for longest makes way: places cannot be kept by having them. */
  #sendOneAway(): boolean {
    let longest: { readonly stream: ByteStream; readonly sinceMs: number } | undefined;
    for (const [stream, { idleSinceMs: sinceMs }] of this.#open) {
      if (sinceMs !== undefined && !(longest && longest.sinceMs <= sinceMs)) {
        longest = { stream, sinceMs };
      }
    }
    if (!longest) return false;
    this.#open.delete(longest.stream);
    void sendAway(longest.stream);
    return true;
  }

  async #answerAll(stream: ByteStream, served: Served): Promise<void> {
    const frames = new FrameReader(stream.read);
    const { idleMs = 60_000, pace = defaultPace } = this.#options;
    const giveUp = (): void =>
      stream.abort(new AltNetError('TIMEOUT', { what: 'sync', ms: idleMs }));
    const turns = new Turns(); // what is missing is told so fast that the stream never waits
    let root: Bytes | undefined;
    for (;;) {
      const cancelIdle = this.#world.timers.after(idleMs, giveUp);
      const frame = await frames.next().finally(cancelIdle);
      if (frame === undefined || !this.#open.has(stream)) return;
      if (root === undefined) {
        root = requireRoot(frame);
        this.#options.onAsked?.(root);
        continue;
      }
      const want = frame.type === frameTypes.want ? decodeWant(frame.body) : undefined;
      if (!want) throw new Error('the peer sent something else than a want');
      const speed = new Pace(this.#world.timers, pace, giveUp);
      speed.start();
      served.idleSinceMs = undefined;
      try {
        await this.#answer({ answer: new Answer(stream, speed), turns }, want, root);
      } finally {
        speed.stop();
        served.idleSinceMs = this.#world.clock.monotonicMs();
      }
    }
  }

  async #answer(
    { answer, turns }: { readonly answer: Answer; readonly turns: Turns },
    want: Want,
    root: Bytes,
  ): Promise<void> {
    const { refuses } = this.#options;
    if (refuses?.(root) === true || refuses?.(want.link.hash) === true) {
      return answer.end(endStatuses.refused);
    }
    const walk = new DagWalk(want);
    for (let link = walk.next(); link !== undefined; link = walk.next()) {
      const turn = turns.next();
      if (turn) await turn;
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

/** In good order: the peer comes again later. */
async function sendAway(stream: ByteStream): Promise<void> {
  await stream.write(encodeEnd(endStatuses.busy)).catch(() => undefined);
  await stream.close();
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

  /** As one piece: each write costs the reader more than the copying of a block does here. */
  #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    return this.#write(bytes);
  }

  async #write(bytes: Bytes): Promise<void> {
    await this.#stream.write(bytes);
    this.#pace.count(bytes.length);
  }
}
