/**
 * The serving end of `/altnet/sync/1`: answers wants from the store, in order, only as fast as the
 * stream drains. It keeps nothing about a peer but the places that its streams have.
 */
import type { Bytes } from '../../base/bytes.ts';
import { toHex } from '../../base/bytes.ts';
import { systemWorld, type World } from '../../base/clock.ts';
import { type Denials, noDenials } from '../../base/denial.ts';
import { AltNetError } from '../../base/errors.ts';
import { type Logger, silentLogger } from '../../base/logger.ts';
import type { ByteStream } from '../../peer/stream.ts';
import {
  answerBlocksMax,
  decodeWant,
  encodeEnd,
  encodeFrame,
  encodeHead,
  endStatuses,
  type EndStatus,
  type Frame,
  FrameReader,
  frameTypes,
  headBytes,
} from './frames.ts';
import { defaultPace, Pace, type PaceOptions } from './pace.ts';
import type { Blocks } from '../ports.ts';
import {
  type Place,
  type PlacesOptions,
  type RefusalReason,
  ServingPlaces,
} from './serving-places.ts';
import { Turns } from '../turns.ts';
import { DagWalk, type Want } from '../dag/walk.ts';

export interface SyncServerOptions extends PlacesOptions {
  /** A stream without a want is closed after this long. */
  readonly idleMs?: number;
  readonly pace?: PaceOptions;
  /** What this node does not serve; the blocks of it are not among those that are given. */
  readonly denials?: Pick<Denials, 'ofBlock' | 'ofPath'>;
  /** Something of this root is asked for; called once for each stream. */
  readonly onAsked?: ((root: Bytes) => void) | undefined;
  /** The network that a connected peer is in; undefined where networks do not count. */
  readonly networkOf?: ((peer: Bytes) => string | undefined) | undefined;
  readonly world?: World;
  readonly logger?: Logger;
}

/** What the answers on one stream have in common. */
interface Serving {
  readonly stream: ByteStream;
  readonly place: Place;
  readonly turns: Turns;
  readonly giveUp: () => void;
}

/** An END frame. */
const endBytes = headBytes + 1;
/** Small answers are gathered up to this size before they are written. */
const gatherBytes = 64 * 1024;

export class SyncServer {
  readonly #blocks: Blocks;
  readonly #options: SyncServerOptions;
  readonly #world: World;
  readonly #log: Logger;
  readonly #places: ServingPlaces;
  /** Those that are sent away among them. BOUNDED by the connections and their streams. */
  readonly #serving = new Map<ByteStream, Promise<void>>();

  constructor(blocks: Blocks, options: SyncServerOptions = {}) {
    this.#blocks = blocks;
    this.#options = options;
    this.#world = options.world ?? systemWorld;
    this.#log = options.logger ?? silentLogger;
    this.#places = new ServingPlaces(options, this.#world.clock);
  }

  /** How often somebody was not served, or no longer, and why. */
  get refusals(): Readonly<Record<RefusalReason, number>> {
    return this.#places.refusals;
  }

  /** What all answers hold in memory. */
  get memoryBytes(): number {
    return this.#places.bytes;
  }

  /** Serves one stream until it ends. Never rejects. */
  serve(stream: ByteStream): Promise<void> {
    const serving = this.#serve(stream).finally(() => this.#serving.delete(stream));
    this.#serving.set(stream, serving);
    return serving;
  }

  async #serve(stream: ByteStream): Promise<void> {
    const place = this.#places.take({
      peer: toHex(stream.remote),
      network: this.#options.networkOf?.(stream.remote),
      leave: (isIdle) => {
        if (isIdle) void sendAway(stream);
        else stream.abort(new AltNetError('ABORTED', {}));
      },
    });
    if (!place) return sendAway(stream);
    try {
      await this.#answerAll(stream, place);
      await stream.close();
    } catch (error) {
      // Peers vanish in the middle of an answer all the time.
      this.#log.debug('a sync stream broke off', { why: String(error) });
      stream.abort(error instanceof Error ? error : new Error('broken off'));
    } finally {
      this.#places.give(place);
    }
  }

  /** Resolves when nothing is served any more. */
  async stop(): Promise<void> {
    for (const stream of this.#serving.keys()) stream.abort(new AltNetError('ABORTED', {}));
    await Promise.all(this.#serving.values());
  }

  async #answerAll(stream: ByteStream, place: Place): Promise<void> {
    const frames = new FrameReader(stream.read);
    const { idleMs = 60_000 } = this.#options;
    const giveUp = (): void =>
      stream.abort(new AltNetError('TIMEOUT', { what: 'sync', ms: idleMs }));
    const turns = new Turns(); // what is missing is told so fast that the stream never waits
    const serving: Serving = { stream, place, turns, giveUp };
    let root: Bytes | undefined;
    for (;;) {
      const cancelIdle = this.#world.timers.after(idleMs, giveUp);
      const frame = await frames.next().finally(cancelIdle);
      if (frame === undefined || !this.#places.has(place)) return;
      if (root === undefined) {
        root = requireRoot(frame);
        this.#options.onAsked?.(root);
        continue;
      }
      const want = frame.type === frameTypes.want ? decodeWant(frame.body) : undefined;
      if (!want) throw new Error('the peer sent something else than a want');
      this.#places.setIdle(place, false);
      const status = await this.#answer(serving, want, root);
      if (status === endStatuses.busy) return; // the rest of what it asks it may ask later
      this.#places.setIdle(place, true);
    }
  }

  /** How the answer ended. */
  async #answer(serving: Serving, want: Want, root: Bytes): Promise<EndStatus> {
    const { stream, place, giveUp } = serving;
    const { pace = defaultPace } = this.#options;
    const speed = new Pace(this.#world.timers, pace, giveUp);
    const answer = new Answer(stream, (bytes) => {
      speed.count(bytes);
      this.#places.progressed(place);
    });
    speed.start();
    try {
      const status = this.#isRefused(want, root)
        ? endStatuses.refused
        : await this.#walk(serving, want, answer);
      this.#places.hold(place, answer.waitingBytes);
      await answer.end(status);
      return status;
    } finally {
      speed.stop();
      this.#places.hold(place, 0);
    }
  }

  #isRefused({ link, path, scope }: Want, root: Bytes): boolean {
    const { denials = noDenials } = this.#options;
    if (scope === 'leaves') return this.#isDenied(root); // one of them is no reason against others
    // Where the first block is no root, a rule for a path does not fit.
    return denials.ofPath(link.hash, path.join('/')) !== undefined || this.#isDenied(root);
  }

  #isDenied(hash: Bytes): boolean {
    return this.#options.denials?.ofBlock(hash) !== undefined;
  }

  async #walk({ place, turns }: Serving, want: Want, answer: Answer): Promise<EndStatus> {
    const walk = new DagWalk(want, { blocksMax: answerBlocksMax });
    let isWithheld = false;
    for (let link = walk.next(); link !== undefined; link = walk.next()) {
      const turn = turns.next();
      if (turn) await turn;
      // A node's links are kept beyond the sending, and lie in its bytes.
      const memoryFor = link.codec === 'raw' ? answer.memoryFor : undefined;
      const bytes = this.#blocks.get(link.hash, memoryFor);
      if (bytes === undefined) {
        isWithheld ||= this.#isDenied(link.hash);
        walk.skip();
        await answer.missing();
        continue;
      }
      const isGood = walk.accept(bytes) === undefined;
      const memoryBytes = walk.memoryBytes + answer.waitingBytes + bytes.length;
      // Before it is sent: who takes nothing would keep the walk here until then.
      if (!this.#places.hold(place, memoryBytes)) return endStatuses.busy;
      await answer.block(bytes);
      // Only a block that this node should never have taken; what was sent so far is still good.
      if (!isGood) return endStatuses.failed;
    }
    if (walk.full) return endStatuses.full;
    if (walk.limited) return endStatuses.limit;
    return isWithheld ? endStatuses.withheld : endStatuses.done;
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
  readonly #onTaken: (bytes: number) => void;
  #parts: Bytes[] = []; // BOUNDED by gatherBytes and one block
  #bytes = 0;
  #writingBytes = 0;
  /** Memory of the stream, for a head, the block behind it, and the end of the answer. */
  #memory: Bytes | undefined;
  /** A block that is to be written from there, once it is known whether it is the last one. */
  #held: Bytes | undefined;

  /** `onTaken` is told what the stream has taken. */
  constructor(stream: ByteStream, onTaken: (bytes: number) => void) {
    this.#stream = stream;
    this.#onTaken = onTaken;
  }

  /** What the stream has not taken. */
  get waitingBytes(): number {
    return this.#bytes + this.#writingBytes + (this.#held?.length ?? 0);
  }

  /** Where a block may lie so that it need not be copied; of that size, and the next one. */
  readonly memoryFor = (bytes: number): Bytes | undefined => {
    this.#memory = this.#stream.memoryFor?.(headBytes + bytes + endBytes);
    return this.#memory?.subarray(headBytes, headBytes + bytes);
  };

  block(bytes: Bytes): Promise<void> | undefined {
    const head = encodeHead(frameTypes.block, bytes.length);
    const memory = this.#memory;
    this.#memory = undefined;
    if (memory?.buffer !== bytes.buffer) return this.#gather(head, bytes);
    memory.set(head);
    return this.#hold(memory.subarray(0, headBytes + bytes.length));
  }

  missing(): Promise<void> | undefined {
    return this.#gather(encodeFrame(frameTypes.missing, new Uint8Array()));
  }

  /** Behind the last block, if that is held: small frames cost as much as large ones. */
  async end(status: EndStatus): Promise<void> {
    const end = encodeEnd(status);
    const last = this.#held;
    if (!last) {
      await this.#gather(end);
      return this.#flush();
    }
    this.#held = undefined;
    const both = new Uint8Array(last.buffer, last.byteOffset, last.length + end.length);
    both.set(end, last.length);
    await this.#write(both);
  }

  async #hold(frame: Bytes): Promise<void> {
    if (this.#held) await this.#writeHeld();
    if (this.#bytes > 0) await this.#flush();
    this.#held = frame;
  }

  async #writeHeld(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held) await this.#write(held);
  }

  #gather(...parts: readonly Bytes[]): Promise<void> | undefined {
    if (this.#held) return this.#writeHeld().then(() => this.#gather(...parts));
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
    this.#writingBytes = bytes.length;
    await this.#stream.write(bytes);
    this.#writingBytes = 0;
    this.#onTaken(bytes.length);
  }
}
