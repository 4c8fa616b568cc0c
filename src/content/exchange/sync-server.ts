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
import { Answer } from './answer.ts';
import {
  answerBlocksMax,
  decodeWant,
  encodeEnd,
  endStatuses,
  type EndStatus,
  type Frame,
  FrameReader,
  frameTypes,
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
      const ending = this.#isRefused(want, root)
        ? { status: endStatuses.refused }
        : await this.#walk(serving, want, answer);
      const { status, last } = ending;
      this.#places.hold(place, answer.waitingBytes + (last?.length ?? 0));
      await answer.end(status, last);
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

  async #walk({ place, turns }: Serving, want: Want, answer: Answer): Promise<Ending> {
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
      if (!this.#places.hold(place, memoryBytes)) return { status: endStatuses.busy };
      // Only a block that this node should never have taken; what was sent so far is still good.
      if (!isGood) return { status: endStatuses.failed, last: bytes };
      if (walk.next() === undefined) return { status: endOf(walk, isWithheld), last: bytes };
      const sent = answer.block(bytes);
      if (sent) await sent;
    }
    return { status: endOf(walk, isWithheld) };
  }
}

/** How the answer to a want ends. */
interface Ending {
  readonly status: EndStatus;
  /** A block that is still to be sent. */
  readonly last?: Bytes;
}

function endOf(walk: DagWalk, isWithheld: boolean): EndStatus {
  if (walk.full) return endStatuses.full;
  if (walk.limited) return endStatuses.limit;
  return isWithheld ? endStatuses.withheld : endStatuses.done;
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
