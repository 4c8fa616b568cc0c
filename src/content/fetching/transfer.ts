/**
 * One fetch from several providers at once: looks for what is missing, hands it out to the peers,
 * lets idle ones take over from slow ones, and takes back what a peer that failed still owed. What
 * others fetch of the same root at this moment is waited for. It knows no sockets and no store.
 *
 * In: providers that opened or failed, blocks, the passing of time. Out: wants, and the end.
 */
import { abortReason } from '../../base/abort.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { CancelTimer } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { expectedBytes, type Ticket } from '../exchange/asked.ts';
import { isForWorker } from './dealing.ts';
import { defaultReception, type Fetched, type FetchJob, type TransferParts } from './fetch-job.ts';
import type { Peer } from './peer.ts';
import { PeerGroup } from './peer-group.ts';
import { requireBlock } from '../guarded-store.ts';
import { Run } from './run.ts';
import type { Block } from '../ports.ts';
import type { ProviderContact } from './providers.ts';
import { hedgeMs, pickTicket } from './stealing.ts';
import { worthwhileBytes } from '../slabs.ts';
import { Tide } from '../tide.ts';
import { WantQueue } from './want-queue.ts';
import type { Link } from '../dag/root.ts';
import type { Want } from '../dag/walk.ts';

/** Found ahead of what is asked: enough for all windows. */
const queueMax = 1024;
/** An answer that goes on below its first block ends here, so that others can take a share. */
const answerBytesMax = 1024 * 1024;
const tickMs = 250;
/** A reader asks for what others already asked for when it does not begin to come for so long. */
const patienceMs = 1000;

export class Transfer {
  readonly #job: FetchJob;
  readonly #parts: TransferParts;
  readonly #peers: PeerGroup;
  readonly #queue: WantQueue;
  readonly #change = new Tide();
  #failure: { readonly error: unknown } | undefined;
  #blocks = 0;
  #bytes = 0;
  #bytesTotal: number | undefined;
  /** So much there is at least, by what was looked through of it. */
  #bytesSeen = 0;
  /** What is left was counted before all of it had been queued. */
  #hasForeseen = false;
  /** A look at what is missing goes on. */
  #isLooking = false;
  /** Another look may find something else than the last one did. */
  #isStale = false;
  /** The last look found something that others have asked for. */
  #awaitsOthers = false;

  constructor(job: FetchJob, parts: TransferParts) {
    this.#job = job;
    this.#parts = parts;
    this.#queue = new WantQueue({ isOrdered: job.reading !== undefined });
    this.#peers = new PeerGroup(
      { root: job.root, isReader: job.reading !== undefined },
      {
        take: (peer) => this.#take(peer),
        arrived: (ticket, block) => this.#arrived(ticket, block),
        over: (ticket) => this.#over(ticket),
        failed: (error) => this.#fail(error),
        changed: () => this.#change.rise(),
        queuedBytes: () => this.#queue.bytesSaid,
        isRedundant: (ticket) => this.#isHere(ticket),
        hasQueue: () => this.#queue.length > 0,
      },
      parts,
    );
  }

  /** Peers that sent something. */
  get senders(): readonly ProviderContact[] {
    return this.#peers.senders;
  }

  /** Resolves when nothing is missing. Rejects as `Fetcher.fetch` does. */
  async run(): Promise<Fetched> {
    const { signal, reading } = this.#job;
    const onAbort = (): void => this.#fail(abortReason(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    let cancelTick: CancelTimer | undefined;
    const tick = (): void => {
      cancelTick = this.#parts.world.timers.after(tickMs, tick);
      this.#tick();
    };
    const stopFollowing = reading?.moved(() => this.#restale());
    this.#peers.start();
    tick();
    try {
      await this.#lookUntilComplete();
      return { blocks: this.#blocks, bytes: this.#bytes, peers: this.senders.length };
    } finally {
      cancelTick?.();
      stopFollowing?.();
      signal?.removeEventListener('abort', onAbort);
      await this.#peers.stop();
    }
  }

  async #lookUntilComplete(): Promise<void> {
    for (;;) {
      const isComplete = await this.#look();
      const isAnswered = this.#job.ask === undefined || !this.#peers.isAnswerDue;
      if (isComplete && isAnswered && this.#job.reading?.isAtEnd() !== false) return;
      await this.#until(() => (isComplete ? this.#isStale : this.#needsLook()));
    }
  }

  /** Fills the queue with what is missing, as fast as it empties. True when nothing was. */
  async #look(): Promise<boolean> {
    const { asked, arrivals } = this.#parts;
    let isComplete = true;
    const bytesBefore = this.#bytes;
    let bytesLeft = 0;
    this.#isLooking = true;
    this.#isStale = false;
    this.#awaitsOthers = false;
    this.#queue.clear();
    for await (const missing of this.#job.missing()) {
      this.#requireWanted(missing);
      isComplete = false;
      bytesLeft += missing.bytesSaid ?? 0;
      this.#bytesSeen = Math.max(this.#bytesSeen, bytesBefore + bytesLeft);
      if (this.#queue.length >= queueMax) {
        await this.#foresee();
        await this.#until(() => this.#queue.length < queueMax / 2);
        if (arrivals.has(missing.link.hash)) continue;
      }
      const ticket = asked.get(missing.link);
      if (ticket && !this.#mayAskToo(ticket)) {
        this.#awaitsOthers ||= ticket.owner !== this;
      } else {
        this.#queue.add(this.#shape(missing));
        if (this.#queue.length === 1) this.#peers.wake();
      }
    }
    this.#isLooking = false;
    if (!isComplete) await this.#noteClaim(bytesBefore, bytesLeft);
    return isComplete;
  }

  /**
   * The look goes on as what it found comes. Whether there is room for all of it is to be known
   * before much of it is here, so it is looked at once without waiting.
   */
  async #foresee(): Promise<void> {
    const { onClaim, onProgress } = this.#job;
    if (this.#hasForeseen || (onClaim === undefined && onProgress === undefined)) return;
    this.#hasForeseen = true;
    const bytesBefore = this.#bytes;
    let bytesLeft = 0;
    for await (const missing of this.#job.missing()) {
      this.#requireWanted(missing);
      bytesLeft += missing.bytesSaid ?? 0;
    }
    await this.#noteClaim(bytesBefore, bytesLeft);
  }

  /** Ends the fetch at the first one that is denied: nobody is asked for it. */
  #requireWanted({ link }: Want): void {
    if (this.#failure) throw this.#failure.error;
    requireBlock(this.#parts.denials, link.hash);
  }

  /** Waits for a condition; meanwhile peers are put to work. Rejects when nobody is left. */
  async #until(isMet: () => boolean): Promise<void> {
    for (;;) {
      if (this.#failure) throw this.#failure.error;
      const change = this.#change.next();
      this.#peers.wake();
      this.#peers.recruit();
      this.#relieve();
      if (isMet()) return;
      const isHopeless = this.#queue.length > 0 && this.#peers.isOver;
      if (isHopeless && !this.#awaitsOthers) throw this.#unavailable();
      const others = this.#awaitsOthers && this.#job.reading ? this.#others() : change;
      await Promise.race([change, others]);
    }
  }

  /** Nobody reads it while it comes, and much is left, in large blocks as far as they came. */
  #relieve(): void {
    const { options, sources } = this.#parts;
    const { reception: rules = defaultReception } = options;
    if (this.#job.reading || !sources.reception) return;
    if (this.#bytes < this.#blocks * worthwhileBytes) return;
    if (this.#bytesSeen - this.#bytes >= rules.leftBytes) this.#peers.relieve(rules);
  }

  async #others(): Promise<void> {
    await this.#parts.asked.tide.next();
    this.#isStale = true;
  }

  #needsLook(): boolean {
    const isDry = this.#queue.length === 0;
    if (this.#isStale) return isDry || this.#job.reading !== undefined;
    return isDry && !this.#peers.isNewsDue && !this.#awaitsOthers;
  }

  /** What is asked for a missing block: perhaps also what will be wanted next. */
  #shape(missing: Want): Want {
    const want = this.#job.ask?.(missing) ?? missing;
    if (want.scope === 'block' || want.limitBytes !== undefined) return want;
    return { ...want, limitBytes: answerBytesMax };
  }

  #mayAskToo(ticket: Ticket): boolean {
    if (this.#job.reading === undefined || ticket.owner === this || ticket.isUnderWay) return false;
    return this.#parts.world.clock.monotonicMs() - ticket.askedMs > patienceMs;
  }

  #take(peer: Peer): Ticket | undefined {
    const { asked, world } = this.#parts;
    const by = { nowMs: world.clock.monotonicMs(), owner: this };
    const queued = this.#takeQueued(peer);
    if (queued) return asked.add(this.#withMore(queued, peer), by);
    if (peer.isHeldBack || this.#isLooking || this.#queue.length > 0) return undefined;
    const want = this.#onlyGuessed(peer)?.twin() ?? this.#stolen(peer);
    if (want === undefined) return undefined;
    const twin = asked.add(want, by);
    twin.twin();
    return twin;
  }

  /** What this peer is to be asked next; behind `run` only what the same want has room for. */
  #takeQueued(peer: Peer, run?: Run): Want | undefined {
    const { asked, arrivals } = this.#parts;
    const isFor = (hash: Bytes): boolean => !peer.lacked.has(hash);
    for (;;) {
      const next = this.#queue.peek(isFor);
      if (run && !(next && run.fits(next))) return undefined;
      const isDealt = this.#isDealtTo(peer, next, run?.bytes);
      if (!run) peer.isHeldBack = !isDealt;
      if (!isDealt) return undefined;
      const want = this.#queue.take(isFor);
      if (this.#isLooking) this.#change.rise();
      if (want === undefined) return undefined;
      const before = asked.get(want.link);
      const isAsked = before !== undefined && !this.#mayAskToo(before);
      if (!isAsked && !arrivals.has(want.link.hash)) return want;
      this.#isStale = true;
    }
  }

  /** The leaves that come next in the same want. A reader takes them one by one, from several. */
  #withMore(first: Want, peer: Peer): Want {
    if (this.#job.reading) return first;
    const run = new Run(first, peer.speed.windowBytes);
    for (let want = this.#takeQueued(peer, run); want; want = this.#takeQueued(peer, run)) {
      run.add(want);
    }
    return run.want();
  }

  /**
   * Whether what comes next is for this peer, or better left to others. As long as more is being
   * found the end is far; a reader wants its next blocks, whoever brings them. `runBytes`: what it
   * is about to be asked for before that.
   */
  #isDealtTo(peer: Peer, next: Want | undefined, runBytes = 0): boolean {
    if (!next || this.#isLooking || this.#job.reading) return true;
    const { hash } = next.link;
    const others = [...this.#peers].filter(
      (one) => one !== peer && !one.isQuiet(hedgeMs) && !one.lacked.has(hash),
    );
    const queuedBytes = this.#queue.bytesSaid;
    const { bytesPerMs, dueBytes } = peer;
    const worker = { bytesPerMs, dueBytes: dueBytes + runBytes };
    return isForWorker(worker, others, { bytes: expectedBytes(next), queuedBytes });
  }

  /** What only a guess was asked so far; nobody may have begun to answer. */
  #onlyGuessed(peer: Peer): Ticket | undefined {
    if (this.#blocks > 0 || !peer.isIdle) return undefined;
    for (const { isUnproven, outstanding } of this.#peers) {
      const [ticket] = outstanding;
      if (isUnproven && ticket && !peer.lacked.has(ticket.want.link.hash)) return ticket;
    }
    return undefined;
  }

  #stolen(peer: Peer): Want | undefined {
    const loot = pickTicket(peer, this.#peers, {
      isOrdered: this.#job.reading !== undefined,
      isWanted: (one, link) => !peer.lacked.has(link.hash) && !this.#isHere(one, [link]),
    });
    return loot?.ticket.twin(loot.link);
  }

  /** All of it, or of what it names these. */
  #isHere({ want, links: all }: Ticket, links: readonly Link[] = all): boolean {
    const { link, path, scope } = want;
    const isOne = link.codec === 'raw' || (scope === 'block' && path.length === 0);
    return isOne && links.every(({ hash }) => this.#parts.arrivals.has(hash));
  }

  #arrived(ticket: Ticket, block: Block): Promise<void> | undefined {
    const { arrivals, options, asked, denials } = this.#parts;
    requireBlock(denials, block.hash); // now: it can be read before it is stored
    const isNew = this.#isNew(ticket, block);
    if (isNew) {
      if (this.#blocks++ === 0) this.#peers.spareOthers();
      this.#bytes += block.bytes.length;
      const bytesMax = Math.min(options.bytesMax ?? Infinity, this.#job.bytesMax?.() ?? Infinity);
      if (this.#bytes > bytesMax) {
        const why = 'it is larger than this node takes';
        throw new AltNetError('CONTENT_BAD', { root: toHex(this.#job.root.hash), why });
      }
      this.#job.admit?.(block.bytes.length);
      this.#relieve();
    }
    const room = isNew ? arrivals.add(block) : arrivals.drop(block);
    this.#report();
    // Nodes tell what else there is.
    if (isNew && ticket.want.link.codec === 'dag-pb') asked.tide.rise();
    // What the answer will not bring is asked for now, of others as well: on a long way the first
    // MiB takes a second, as the connection is new.
    if (ticket.seeCut() && this.#job.reading === undefined) this.#restale();
    return room;
  }

  /**
   * Leaves that nobody else brings were not here when they were asked for: the store need not be
   * asked again, which costs more than all else that is done with a block.
   */
  #isNew(ticket: Ticket, { hash }: Block): boolean {
    if (ticket.want.link.codec === 'raw' && !ticket.hasRival) return true;
    const { asked, arrivals } = this.#parts;
    asked.noteRival(hash, ticket); // some answers bring more than could be foreseen
    return !arrivals.has(hash);
  }

  #over(ticket: Ticket): void {
    this.#parts.asked.end(ticket);
    if (!ticket.hasAllLeaves && !this.#isHere(ticket)) this.#isStale = true;
    if (ticket.want.link.codec === 'dag-pb') this.#isStale = true;
    this.#change.rise();
  }

  #tick(): void {
    if (this.#awaitsOthers) this.#isStale = true;
    this.#peers.review();
    this.#change.rise();
  }

  #restale(): void {
    this.#isStale = true;
    this.#change.rise();
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#change.rise();
  }

  #unavailable(): AltNetError {
    const root = toHex(this.#job.root.hash);
    const { why } = this.#peers;
    if (why === undefined) return new AltNetError('NO_PROVIDERS', { root });
    return new AltNetError('CONTENT_UNAVAILABLE', { root, why });
  }

  /** `bytesBefore` had come when what says `bytesSaid` was missing; some of that is here by now. */
  async #noteClaim(bytesBefore: number, bytesSaid: number): Promise<void> {
    if (bytesSaid === 0) return;
    const bytesTotal = Math.min(bytesBefore + bytesSaid, Number.MAX_SAFE_INTEGER);
    const isNew = bytesTotal !== this.#bytesTotal;
    this.#bytesTotal = bytesTotal;
    this.#report();
    const bytesLeft = Math.max(bytesTotal - this.#bytes, 0);
    if (isNew) await this.#job.onClaim?.({ bytesTotal, bytesLeft });
  }

  #report(): void {
    const { onProgress } = this.#job;
    if (onProgress === undefined) return;
    const total = this.#bytesTotal;
    const bytesTotal = total === undefined ? {} : { bytesTotal: Math.max(total, this.#bytes) };
    onProgress({ bytes: this.#bytes, peers: this.#peers.sending, ...bytesTotal });
  }
}
