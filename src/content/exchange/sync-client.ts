/**
 * The fetching end of one stream of `/altnet/sync/1`: takes wants while it has room for more, walks
 * along with the answers and lets nothing pass that is not the very block whose turn it is. It does
 * not choose peers and does not know why something is wanted.
 */
import { type Bytes, concatBytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { sha256Text } from '../../base/hash.ts';
import type { Ticket } from './asked.ts';
import { Checks } from './checks.ts';
import {
  decodeEnd,
  encodeRoot,
  encodeWant,
  endStatuses,
  type Frame,
  frameBytesMax,
  FrameError,
  FrameReader,
  type FrameSource,
  frameTypes,
  type SyncStream,
} from './frames.ts';
import { defaultPace, Pace, type PaceOptions } from './pace.ts';
import type { Block, Verifier } from '../ports.ts';
import { defaultSilence, Silence, type SilenceOptions } from './silence.ts';
import { hashKey } from '../dag/root.ts';
import type { Slabs } from '../slabs.ts';
import { Speed } from './speed.ts';

/**
 * Wants that are sent before the first of them is answered, each leaf counted that one names: of
 * the small files of an update 256 keep a path of 80 ms busy with 13 MB/s.
 */
export const wantsOutstandingMax = 256;
/** New wants are sent several at a time: many small ones in a write of their own cost more. */
const refillAt = 0.75;

/**
 * done: nothing was due when it ended. dropped: the peer broke a rule. gone: it, or the way to it,
 * broke down. refused: it said that it cannot serve it. left: it was silent or slow while another
 * was at hand. busy: it asks to come again.
 */
export interface SyncEnd {
  readonly kind: 'done' | 'dropped' | 'gone' | 'refused' | 'left' | 'busy';
  readonly why: string;
}

/** What a session works for. */
export interface Errand {
  /** What to ask next; undefined when there is nothing at the moment, and `wake` follows. */
  readonly take: () => Ticket | undefined;
  /** A verified block. A promise holds up the stream; a rejection ends the session. */
  readonly arrived: (ticket: Ticket, block: Block) => Promise<void> | undefined;
  readonly lacks: (hash: Bytes) => void;
  /** The peer has answered all of it. */
  readonly ended: (ticket: Ticket) => void;
  /** Whether there is another peer to turn to, should this one fall silent. */
  readonly hasAlternative: () => boolean;
}

export interface SyncOptions {
  readonly world: World;
  /** Hash of the root that all this belongs to. */
  readonly root: Bytes;
  /** Memory of the blocks; whoever gets one gives it back. */
  readonly slabs?: Slabs;
  /** For blocks that tell nothing of what comes next; left out, all are hashed at once. */
  readonly verifier?: Verifier | undefined;
  readonly pace?: PaceOptions | undefined;
  readonly silence?: SilenceOptions | undefined;
}

const wrongBlock = 'it sent a block that is not the one whose turn it was';

/** Breaking the rules of the exchange. */
class RuleBroken extends Error {}

/** An honest answer: not now. */
class Busy extends Error {}

/** An honest answer: not here. */
class Refused extends Error {}

/** What this node's own side said, or the content itself: no other peer would change it. */
class NotThePeer extends Error {}

export class SyncSession {
  readonly speed: Speed;
  readonly #stream: SyncStream;
  readonly #errand: Errand;
  readonly #options: SyncOptions;
  readonly #frames: FrameSource;
  readonly #pace: Pace;
  readonly #silence: Silence;
  readonly #outstanding: Ticket[] = []; // BOUNDED by wantsOutstandingMax, see wake()
  /** Blocks that these name. */
  #named = 0;
  /** Of these the first ones: their answers have come, and may still have to be verified. */
  #answered = 0;
  readonly #checks = new Checks((error) => this.#breakOff(error));
  #breach: { readonly error: unknown } | undefined;
  /** Waits for the store and the like. */
  #ownWaits = 0;
  #aheadBytes = 0;
  #blocks = 0;
  #written: Promise<void> = Promise.resolve();
  #leaving: SyncEnd | undefined;

  constructor(stream: SyncStream, errand: Errand, options: SyncOptions) {
    const { timers, clock } = options.world;
    this.#stream = stream;
    this.#errand = errand;
    this.#options = options;
    this.speed = new Speed(clock);
    this.#silence = new Silence(timers, options.silence ?? defaultSilence, () => {
      if (errand.hasAlternative()) this.leave('it fell silent');
    });
    const onOctets = (): void => this.#silence.heard();
    this.#frames =
      stream.frames?.(onOctets) ??
      new FrameReader(stream.read, options.slabs, frameBytesMax, onOctets);
    this.#pace = new Pace(timers, options.pace ?? defaultPace, () => {
      this.#end({ kind: 'dropped', why: 'it was too slow' });
    });
  }

  /** What was asked and is not answered, or not verified, in order. */
  get outstanding(): readonly Ticket[] {
    return this.#outstanding;
  }

  /** Verified blocks that came. */
  get blocks(): number {
    return this.#blocks;
  }

  /**
   * Resolves when the stream is over, or after `close` or `leave`; the stream is closed then.
   * Rejects with what `arrived` rejected with, or CONTENT_BAD when the content itself is at fault;
   * for what the peer does it does not reject.
   */
  async run(): Promise<SyncEnd> {
    try {
      this.#send(encodeRoot(this.#options.root));
      this.wake();
      await this.#readAll();
      void this.#stream.close(); // a peer that does not close its side holds nobody up
      return { kind: 'done', why: 'no peer has all of it' };
    } catch (error) {
      this.#stream.abort(error instanceof Error ? error : new Error('sync failed'));
      await this.#checks.settled();
      const why = this.#breach?.error ?? error;
      if (why instanceof NotThePeer) throw why.cause;
      return (this.#breach ? undefined : this.#leaving) ?? explain(why);
    } finally {
      this.#pause();
    }
  }

  /** There may be something to ask. */
  wake(): void {
    const { windowBytes } = this.speed;
    const max = wantsOutstandingMax;
    if (this.#named > max * refillAt || this.#aheadBytes > windowBytes * refillAt) return;
    const wasIdle = this.#outstanding.length === 0;
    const wants: Bytes[] = [];
    while (this.#named < max && this.#aheadBytes < windowBytes) {
      const ticket = this.#errand.take();
      if (ticket === undefined) break;
      this.#outstanding.push(ticket);
      this.#named += ticket.links.length;
      this.#aheadBytes += ticket.bytesDue;
      wants.push(encodeWant(ticket.want));
    }
    if (wants.length === 0) return;
    if (wasIdle) {
      this.speed.begin();
      this.#listen();
    }
    this.#send(concatBytes(...wants));
  }

  /** Ends it in good order: at once when nothing is outstanding. */
  close(): void {
    this.#end({ kind: 'done', why: 'given up' });
  }

  /** Turns to somebody else, without condemning the peer. */
  leave(why: string): void {
    this.#end({ kind: 'left', why });
  }

  #end(end: SyncEnd): void {
    this.#leaving ??= end;
    this.#stream.abort(new Error(end.why));
  }

  /** A write that fails is noticed where the answer is read. */
  #send(bytes: Bytes): void {
    this.#written = this.#written.then(() => this.#stream.write(bytes)).catch(() => undefined);
  }

  async #readAll(): Promise<void> {
    for (;;) {
      const next = this.#frames.next();
      const frame = next instanceof Promise ? await next : next;
      const ticket = this.#outstanding[this.#answered];
      if (frame === undefined) {
        await this.#checks.settled();
        if (this.#breach) throw this.#breach.error;
        if (ticket === undefined) return;
        throw new Error('the stream ended before the answer did');
      }
      this.#silence.answered();
      const taken = this.#takeOrGive(ticket, frame);
      if (taken) await taken;
      if (frame.type !== frameTypes.end || !ticket) continue;
      this.#answered++;
      if (this.#checks.isEmpty) this.#settle(ticket);
      else this.#checks.add(0, () => Promise.resolve(this.#settle(ticket)));
    }
  }

  /** The first one: all of it has come and is verified. */
  #settle(ticket: Ticket): void {
    this.#outstanding.shift();
    this.#named -= ticket.links.length;
    this.#answered--;
    this.#aheadBytes -= ticket.bytesDue;
    this.#errand.ended(ticket);
    if (this.#outstanding.length === 0) this.#pause();
    this.wake();
  }

  /** Who lies gets no memory for it. */
  #takeOrGive(ticket: Ticket | undefined, frame: Frame): Promise<void> | undefined {
    try {
      return this.#take(ticket, frame);
    } catch (error) {
      if (error instanceof RuleBroken) this.#options.slabs?.give(frame.body);
      throw error;
    }
  }

  /** A promise where this node's own side has to be waited for: most blocks need no turn. */
  #take(ticket: Ticket | undefined, { type, body, digest }: Frame): Promise<void> | undefined {
    if (type === frameTypes.end) return checkEnd(ticket, body);
    const expected = ticket?.walk.next();
    if (!ticket || !expected) throw new RuleBroken('it sent more than was asked for');
    if (type === frameTypes.missing) {
      ticket.walk.skip();
      this.#errand.lacks(expected.hash);
      return undefined;
    }
    if (type !== frameTypes.block) throw new RuleBroken('it sent a frame that is not an answer');
    const { walk } = ticket;
    const mayWait = digest === undefined && !walk.needsBytes;
    const verifier = mayWait ? this.#options.verifier : undefined;
    const matching = verifier?.matches(expected.hash, body);
    if (!matching && (digest ?? sha256Text(body)) !== hashKey(expected.hash)) {
      throw new RuleBroken(wrongBlock);
    }
    const dueBytes = ticket.bytesDue;
    const why = walk.accept(body);
    this.#aheadBytes -= dueBytes - ticket.bytesDue;
    // The block has the right hash, so every provider would send the same.
    if (why !== undefined) throw new NotThePeer(why, { cause: this.#contentBad(why) });
    const block = { hash: expected.hash, bytes: body };
    const waits = matching
      ? this.#acceptLater(matching, { ticket, block })
      : this.#accept(ticket, block);
    // Before the answer ends: else nothing would be on its way for a round trip.
    if (!waits) this.wake();
    return waits?.then(() => this.wake());
  }

  #accept(ticket: Ticket, block: Block): Promise<void> | undefined {
    this.#blocks++;
    ticket.blocks++;
    this.#pace.count(block.bytes.length);
    this.speed.count(block.bytes.length);
    return this.#own(() => this.#errand.arrived(ticket, block));
  }

  /** Receives what comes next while the block is verified. */
  #acceptLater(
    matching: Promise<boolean>,
    { ticket, block }: { readonly ticket: Ticket; readonly block: Block },
  ): Promise<void> | undefined {
    this.#checks.add(block.bytes.length, async () => {
      if (!(await matching)) throw new RuleBroken(wrongBlock);
      await this.#accept(ticket, block);
    });
    return this.#own(() => this.#checks.room());
  }

  /** What came is not what it had to be, or cannot be kept. */
  #breakOff(error: unknown): void {
    this.#breach ??= { error };
    this.#stream.abort(error instanceof Error ? error : new Error('sync failed'));
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
  #own(work: () => Promise<void> | undefined): Promise<void> | undefined {
    try {
      const promise = work();
      return promise && this.#ownWait(promise);
    } catch (error) {
      throw new NotThePeer('own side failed', { cause: error });
    }
  }

  async #ownWait(promise: Promise<void>): Promise<void> {
    try {
      if (this.#ownWaits++ === 0) this.#pause();
      await promise.finally(() => this.#ownWaits--);
      if (this.#ownWaits === 0 && this.#outstanding.length > 0) this.#listen();
    } catch (error) {
      throw new NotThePeer('own side failed', { cause: error });
    }
  }

  #contentBad(why: string): AltNetError {
    return new AltNetError('CONTENT_BAD', { root: toHex(this.#options.root), why });
  }
}

function explain(error: unknown): SyncEnd {
  const why = error instanceof Error ? error.message : 'the stream broke';
  if (error instanceof Busy) return { kind: 'busy', why };
  if (error instanceof Refused) return { kind: 'refused', why };
  const broken = error instanceof RuleBroken || error instanceof FrameError;
  return { kind: broken ? 'dropped' : 'gone', why };
}

/** "Done" while blocks are due is a lie; the other statuses are answers of an honest peer. */
function checkEnd(ticket: Ticket | undefined, body: Bytes): undefined {
  const status = decodeEnd(body);
  if (status === undefined) throw new RuleBroken('it ended an answer with an unknown status');
  if (status === endStatuses.busy) throw new Busy('it is busy');
  if (status === endStatuses.refused) throw new Refused('it does not serve this content');
  if (status === endStatuses.failed) throw new Refused('its copy is damaged');
  if (!ticket) throw new RuleBroken('it sent more than was asked for');
  if (ticket.walk.next() !== undefined) {
    throw new RuleBroken('it said that it was done and was not');
  }
}
