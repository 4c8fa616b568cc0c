/**
 * What was asked of peers and has not come yet: the tickets of those who fetch something of one
 * root at the same time. Who finds a block here waits for it instead of asking for it again.
 */
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
  /** What is expected to come in all. A guess. */
  readonly bytes: number;
  readonly askedMs: number;
  /** Who asked. */
  readonly owner: object;
  /** Blocks that came. */
  blocks = 0;
  /** Another peer was asked for the same. */
  hasTwin = false;
  #cut: 'no' | 'yes' | 'seen' = 'no';

  constructor(
    want: Want,
    { nowMs, owner, onFound }: TicketOptions & { onFound: (links: readonly SizedLink[]) => void },
  ) {
    this.want = want;
    this.walk = new DagWalk(want, { onFound, blocksMax: answerBlocksMax });
    this.bytes = expectedBytes(want);
    this.askedMs = nowMs;
    this.owner = owner;
  }

  /** What is expected to come still. */
  get bytesDue(): number {
    return Math.max(this.bytes - this.walk.bytes, 1);
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

export function expectedBytes({ link, scope, path, limitBytes = 0, bytesSaid }: Want): number {
  if (link.codec === 'raw') return clamp(bytesSaid ?? leafBytesGuess);
  if (scope === 'nodes' && bytesSaid !== undefined) {
    return Math.min(nodeBytesGuess + bytesSaid / leafBytesPerNodeByte, limitBytes || blockBytesMax);
  }
  if (scope !== 'block' && limitBytes > 0) return Math.min(limitBytes, clamp(bytesSaid));
  return nodeBytesGuess * (1 + path.length);
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
    this.#tickets.delete(hashKey(want.link.hash)); // who asks once more has the say from now on
    this.#claim(want.link, ticket);
    return ticket;
  }

  /** The ticket is over, however it went. */
  end(ticket: Ticket): void {
    for (const key of this.#keys.get(ticket) ?? []) {
      if (this.#tickets.get(key) === ticket) this.#tickets.delete(key);
    }
    this.#keys.delete(ticket);
    const twin = ticket.hasTwin ? this.#twinOf(ticket) : undefined;
    if (twin) this.#claim(twin.want.link, twin);
    this.tide.rise();
  }

  #twinOf({ want }: Ticket): Ticket | undefined {
    const key = hashKey(want.link.hash);
    for (const one of this.#keys.keys()) if (hashKey(one.want.link.hash) === key) return one;
    return undefined;
  }

  #claim({ hash }: Link, ticket: Ticket): void {
    const key = hashKey(hash);
    if (this.#tickets.has(key) || this.#tickets.size >= entriesMax) return;
    this.#tickets.set(key, ticket);
    this.#keys.get(ticket)?.push(key);
  }
}
