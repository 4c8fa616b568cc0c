/**
 * What was asked of peers and has not come yet: the tickets of those who fetch something of one
 * root at the same time. Who finds a block here waits for it instead of asking for it again.
 */
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import { hashKey, type Link } from '../dag/root.ts';
import { Tide } from '../tide.ts';
import { blockBytesMax } from '../dag/unixfs.ts';
import type { SizedLink } from '../dag/pending-links.ts';
import { DagWalk, type Want } from '../dag/walk.ts';
import { answerBlocksMax } from './frames.ts';

/** A node that says nothing of its size: most have fewer links than fit in this. */
const nodeBytesGuess = 16 * 1024;
/** The nodes above so many bytes of leaves take about one. */
const leafBytesPerNodeByte = 4096;
const leafBytesGuess = 256 * 1024;
/** Entries, so that a hostile site of nothing but links costs at most 32 MB here. */
const entriesMax = 262_144;

export interface TicketOptions {
  readonly nowMs: number;
  readonly owner: object;
}

/** One want that one peer has been asked. */
export class Ticket {
  readonly want: Want;
  readonly walk: DagWalk;
  /** The first block that is wanted and, where leaves are named, the others. */
  readonly links: readonly SizedLink[];
  /** What is expected to come in all. A guess. */
  readonly bytes: number;
  readonly askedMs: number;
  /** Who asked. */
  readonly owner: object;
  /** Blocks that came. */
  blocks = 0;
  /** Something of it comes, or came, on another ticket as well; set by `Asked`. */
  hasRival = false;
  /** Those that another peer was asked for as well. BOUNDED by links. */
  readonly #twinned = new Set<SizedLink>();
  #cut: 'no' | 'yes' | 'seen' = 'no';

  constructor(
    want: Want,
    { nowMs, owner, onFound }: TicketOptions & { onFound: (links: readonly SizedLink[]) => void },
  ) {
    this.want = want;
    this.walk = new DagWalk(want, { onFound, blocksMax: answerBlocksMax });
    const { link, bytesSaid, others = [] } = want;
    this.links = [{ ...link, ...(bytesSaid !== undefined && { size: bytesSaid }) }, ...others];
    this.bytes = expectedBytes(want);
    this.askedMs = nowMs;
    this.owner = owner;
  }

  /** What is expected to come still. */
  get bytesDue(): number {
    return Math.max(this.bytes - this.walk.bytes, 1);
  }

  /** Its answer has begun, and cannot be had in parts: of leaves each can be asked for alone. */
  get isUnderWay(): boolean {
    return this.blocks > 0 && this.links.length === 1;
  }

  /** Every leaf that it names has come. */
  get hasAllLeaves(): boolean {
    return this.want.link.codec === 'raw' && this.blocks === this.links.length;
  }

  /** Another peer was asked for all of it. */
  get hasTwin(): boolean {
    return this.#twinned.size === this.links.length;
  }

  isTwinned(link: SizedLink): boolean {
    return this.#twinned.has(link);
  }

  /** What another peer is asked for as well: all of it, or one of `links`. */
  twin(link?: SizedLink): Want {
    for (const one of link ? [link] : this.links) this.#twinned.add(one);
    if (!link || this.links.length === 1) return this.want;
    const { codec, hash, size } = link;
    return { link: { codec, hash }, level: 0, path: [], scope: 'block', bytesSaid: size };
  }

  /** What is expected of one of `links`, with what is below it. */
  bytesOf({ size }: SizedLink): number {
    return this.links.length === 1 ? this.bytes : leafBytes(size);
  }

  /** There is more below its first block than it brings: sizes tell, unless nodes come alone. */
  cut(): void {
    if (this.#cut === 'no' && this.want.scope !== 'nodes') this.#cut = 'yes';
  }

  /** True once, when that has become known. */
  seeCut(): boolean {
    const isNew = this.#cut === 'yes';
    if (isNew) this.#cut = 'seen';
    return isNew;
  }
}

export function expectedBytes(want: Want): number {
  const { link, scope, path, limitBytes = 0, bytesSaid, others = [] } = want;
  if (link.codec === 'raw') {
    return others.reduce((sum, { size }) => sum + leafBytes(size), leafBytes(bytesSaid));
  }
  if (scope === 'nodes' && bytesSaid !== undefined) {
    return Math.min(nodeBytesGuess + bytesSaid / leafBytesPerNodeByte, limitBytes || blockBytesMax);
  }
  if (scope !== 'block' && limitBytes > 0) return Math.min(limitBytes, clamp(bytesSaid));
  return nodeBytesGuess * (1 + path.length);
}

function leafBytes(bytesSaid: number | undefined): number {
  return clamp(bytesSaid ?? leafBytesGuess);
}

function clamp(bytes: number = Infinity): number {
  return Math.min(Math.max(bytes, 1), blockBytesMax);
}

export class Asked {
  /** Rises whenever something is no longer on its way, or has come. */
  readonly tide: Tide = new Tide();
  readonly #tickets = new Map<string, Ticket>(); // BOUNDED by entriesMax, see #claim()
  readonly #keys = new Map<Ticket, string[]>(); // BOUNDED likewise

  /** The ticket on which this block will come. */
  get({ hash }: Link): Ticket | undefined {
    return this.#tickets.get(hashKey(hash));
  }

  add(want: Want, options: TicketOptions): Ticket {
    const { limitBytes = 0 } = want;
    const onFound = (links: readonly SizedLink[]): void => {
      // What lies behind the limit does not come; what is said of sizes tells where that is.
      let bytes = ticket.walk.bytes;
      for (const link of links) {
        if (limitBytes > 0 && bytes >= limitBytes) return ticket.cut();
        this.#claim(link, ticket);
        bytes += link.size ?? 0;
      }
    };
    const ticket: Ticket = new Ticket(want, { ...options, onFound });
    this.#keys.set(ticket, []);
    for (const link of ticket.links) {
      const key = hashKey(link.hash);
      this.noteRival(link.hash, ticket);
      this.#tickets.delete(key); // who asks once more has the say from now on
      this.#claim(link, ticket);
    }
    return ticket;
  }

  /** This block comes on `ticket`, and perhaps on another one. */
  noteRival(hash: Bytes, ticket: Ticket): void {
    const other = this.#tickets.get(hashKey(hash));
    if (other && other !== ticket) other.hasRival = ticket.hasRival = true;
  }

  /** The ticket is over, however it went. */
  end(ticket: Ticket): void {
    for (const key of this.#keys.get(ticket) ?? []) {
      if (this.#tickets.get(key) === ticket) this.#tickets.delete(key);
    }
    this.#keys.delete(ticket);
    for (const link of ticket.links) {
      const twin = ticket.isTwinned(link) ? this.#otherFor(link) : undefined;
      if (twin) this.#claim(link, twin);
    }
    this.tide.rise();
  }

  #otherFor({ hash }: Link): Ticket | undefined {
    for (const one of this.#keys.keys()) {
      if (one.links.some((link) => equalBytes(link.hash, hash))) return one;
    }
    return undefined;
  }

  #claim({ hash }: Link, ticket: Ticket): void {
    const key = hashKey(hash);
    this.noteRival(hash, ticket);
    if (this.#tickets.has(key) || this.#tickets.size >= entriesMax) return;
    this.#tickets.set(key, ticket);
    this.#keys.get(ticket)?.push(key);
  }
}
