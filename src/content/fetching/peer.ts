/**
 * One peer that works on a fetch: its stream, what it was asked and what it lacks. It does not know
 * the others.
 */
import type { World } from '../../base/clock.ts';
import type { Ticket } from '../exchange/asked.ts';
import type { TransferParts } from './fetch-job.ts';
import type { Block } from '../ports.ts';
import type { OpenProvider } from './dialer.ts';
import type { ProviderContact } from './providers.ts';
import type { Link } from '../dag/root.ts';
import type { Speed } from '../exchange/speed.ts';
import { SyncSession } from '../exchange/sync-client.ts';
import { Rate } from './rate.ts';
import { Lacked } from './want-queue.ts';

/** Whoever sent something within this time is sending. */
const sendingMs = 2000;

/** What the peers work for. */
export interface PeerErrand {
  readonly take: (peer: Peer) => Ticket | undefined;
  readonly arrived: (ticket: Ticket, block: Block) => Promise<void> | undefined;
  /** It was answered, or will not be. */
  readonly over: (ticket: Ticket) => void;
  /** Something that no peer is to blame for. */
  readonly failed: (error: unknown) => void;
  readonly changed: () => void;
  /** What is said of the size of all that nobody was asked yet. */
  readonly queuedBytes: () => number;
  readonly hasQueue: () => boolean;
  /** All of it came from somebody else. */
  readonly isRedundant: (ticket: Ticket) => boolean;
}

export class Peer {
  readonly contact: ProviderContact;
  readonly lacked: Lacked = new Lacked();
  /** Nobody said that it has what is wanted. */
  readonly isGuess: boolean;
  /** By another thread. */
  readonly isReceived: boolean;
  readonly session: SyncSession;
  /** Leaves what is queued to others, who bring it earlier; set by the transfer. */
  isHeldBack = false;
  /** Another stream to it takes over; set by the group. */
  isReplaced = false;
  readonly #world: World;
  readonly #rate: Rate;
  readonly #isOutdated: () => boolean;
  #busyMs: number;
  /** Since it was opened. */
  #broughtBytes = 0;
  readonly #openedMs: number;
  #isSpare = false;

  constructor(
    { contact, stream }: OpenProvider,
    {
      errand,
      hasAlternative,
      isGuess,
      root,
      parts,
    }: {
      readonly errand: PeerErrand;
      readonly isGuess: boolean;
      readonly hasAlternative: () => boolean;
      readonly root: Link;
      readonly parts: Pick<TransferParts, 'arrivals' | 'world' | 'options' | 'verifier'>;
    },
  ) {
    const { arrivals, world, options, verifier } = parts;
    this.contact = contact;
    this.isGuess = isGuess;
    this.#isOutdated = () => stream.isOutdated?.() ?? false;
    this.isReceived = stream.frames !== undefined;
    this.#world = world;
    this.#openedMs = world.clock.monotonicMs();
    this.#busyMs = this.#openedMs;
    this.#rate = new Rate(world.clock);
    const { pace, silence } = options;
    this.session = new SyncSession(
      stream,
      {
        take: () => {
          if (this.isOutdated) return undefined;
          const ticket = errand.take(this);
          if (ticket && this.isIdle) this.#rate.begin();
          return ticket;
        },
        arrived: (ticket, block) => {
          this.#rate.count(block.bytes.length);
          this.#broughtBytes += block.bytes.length;
          return errand.arrived(ticket, block);
        },
        lacks: (hash) => {
          this.lacked.add(hash);
          // It would be asked the same again; a guess was wrong.
          if (this.lacked.isFull || this.isUnproven) this.session.close();
        },
        ended: (ticket) => {
          errand.over(ticket);
          if (this.isOutdated && this.isIdle) this.session.close();
        },
        hasAlternative,
      },
      { world, root: root.hash, slabs: arrivals.slabs, verifier, pace, silence },
    );
  }

  get outstanding(): readonly Ticket[] {
    return this.session.outstanding;
  }

  get speed(): Speed {
    return this.session.speed;
  }

  /** What it was asked for and has not brought. */
  get dueBytes(): number {
    let bytes = 0;
    for (const ticket of this.outstanding) bytes += ticket.bytesDue;
    return bytes;
  }

  get bytesPerMs(): number | undefined {
    return this.#rate.bytesPerMs;
  }

  get isIdle(): boolean {
    return this.outstanding.length === 0;
  }

  /** There is a better way to it: it brings what it was asked, and is asked for more over there. */
  get isOutdated(): boolean {
    return this.isReplaced || this.#isOutdated();
  }

  /** What this thread receives of it, on average; 0 until it has brought so much. */
  ownBytesPerMs(broughtBytes: number): number {
    if (this.isReceived || this.isOutdated || this.#broughtBytes < broughtBytes) return 0;
    const ms = this.#world.clock.monotonicMs() - this.#openedMs;
    return this.#broughtBytes / Math.max(ms, 1);
  }

  get isUnproven(): boolean {
    return this.isGuess && this.session.blocks === 0;
  }

  /** Was let go because another one answered first. */
  get isSpare(): boolean {
    return this.#isSpare;
  }

  /** Lets it go if all that it was asked comes from another one. */
  spare(): void {
    const { blocks } = this.session;
    if (blocks > 0 || this.isIdle || !this.outstanding.every(({ hasTwin }) => hasTwin)) return;
    this.#isSpare = true;
    this.session.close();
  }

  /** It owes something and sends nothing. */
  isQuiet(forMs: number): boolean {
    return !this.isIdle && this.speed.quietMs > forMs;
  }

  get isSending(): boolean {
    return this.session.blocks > 0 && !this.isIdle && !this.isQuiet(sendingMs);
  }

  /** How long nothing was asked of it; to be called now and then. */
  idleForMs(): number {
    const nowMs = this.#world.clock.monotonicMs();
    if (!this.isIdle) this.#busyMs = nowMs;
    return nowMs - this.#busyMs;
  }
}
