/**
 * The peers that work on one fetch: how many there should be, who joins, who is let go and what is
 * remembered of each. It does not know what is missing; the transfer hands that out.
 */
import { toHex } from '../../base/bytes.ts';
import type { ReceptionRules, TransferParts } from './fetch-job.ts';
import { Peer, type PeerErrand } from './peer.ts';
import { type OpenProvider, ProviderDialer } from './dialer.ts';
import { candidatesMax, type ProviderContact } from './providers.ts';
import { Recruits } from './recruits.ts';
import type { Link } from '../dag/root.ts';
import { hedgeMs } from './stealing.ts';
import type { SyncEnd } from '../exchange/sync-client.ts';

/** More peers join when more than this is left: fewer bytes are not worth their handshakes. */
const joinBytes = 1024 * 1024;
/** Peers that send at the same time, for a whole site and for a reader. */
const peersMax = 5;
const peersForReaderMax = 3;
/** The same together with those that are silent or lack what is wanted. */
const peersInAllMax = 8;
/** A stream on which nothing is to be asked goes back to its peer. */
const idleMs = 2000;
/** Who has not answered for so long leaves its place when all are taken. */
const silentMs = 1500;

export class PeerGroup implements Iterable<Peer> {
  readonly #what: { readonly root: Link; readonly isReader: boolean };
  readonly #errand: PeerErrand;
  readonly #parts: TransferParts;
  readonly #dialer: ProviderDialer;
  readonly #recruits: Recruits;
  readonly #peers = new Set<Peer>(); // BOUNDED by peersInAllMax, see #wanted()
  readonly #runs = new Set<Promise<void>>(); // BOUNDED likewise
  /** Who sent something, by key. BOUNDED by the providers that are tried. */
  readonly #senders = new Map<string, ProviderContact>();
  /** Keys of those that another thread was asked to receive. BOUNDED likewise. */
  readonly #moved = new Set<string>();
  readonly #stop = new AbortController();
  #why: string | undefined;
  #dialWhy: string | undefined;

  constructor(
    what: { readonly root: Link; readonly isReader: boolean },
    errand: PeerErrand,
    parts: TransferParts,
  ) {
    this.#what = what;
    this.#errand = errand;
    this.#parts = parts;
    this.#dialer = new ProviderDialer(parts.sources, {
      link: what.root,
      known: parts.known,
      guess: { contacts: parts.guesses, onOpen: (guess) => this.#open(guess, { isGuess: true }) },
      signal: this.#stop.signal,
      onFailure: (error) => this.#noteDialFailure(error),
    });
    this.#recruits = new Recruits(this.#dialer, {
      triesMax: parts.options.triesMax ?? candidatesMax,
      world: parts.world,
      onOpen: (provider) => this.#open(provider, { isGuess: false }),
      onChange: errand.changed,
    });
  }

  [Symbol.iterator](): Iterator<Peer> {
    return this.#peers.values();
  }

  get senders(): readonly ProviderContact[] {
    const senders = new Map(this.#senders); // BOUNDED likewise
    for (const { session, contact } of this.#peers) {
      if (session.blocks > 0) senders.set(toHex(contact.publicKey), contact);
    }
    return [...senders.values()];
  }

  get sending(): number {
    return [...this.#peers].filter(({ isSending }) => isSending).length;
  }

  get isAnswerDue(): boolean {
    // Who is turned to on a better way will answer there.
    return [...this.#peers].some(({ isIdle, isOutdated }) => !isIdle || isOutdated);
  }

  /** The same, and it is not just what others have brought meanwhile. */
  get isNewsDue(): boolean {
    const { isRedundant } = this.#errand;
    const isNews = ({ outstanding }: Peer): boolean => !outstanding.every(isRedundant);
    return [...this.#peers].some((peer) => peer.isOutdated || isNews(peer));
  }

  /** Nothing will come any more, as things are. */
  get isOver(): boolean {
    return this.#recruits.isOver && !this.isAnswerDue;
  }

  /** Why nobody was of use; undefined when nobody was found. */
  get why(): string | undefined {
    const isThere = [...this.#peers].some(({ isUnproven }) => !isUnproven);
    return isThere ? 'no peer has all of it' : (this.#why ?? this.#dialWhy);
  }

  start(): void {
    this.#runs.add(this.#recruits.run());
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#stop.abort();
    this.#recruits.stop();
    for (const { session } of this.#peers) session.close();
    await Promise.all(this.#runs);
  }

  /** There may be something to ask. */
  wake(): void {
    for (const { session } of this.#peers) session.wake();
  }

  /** The first answer has begun: what others were asked as well need not come twice. */
  spareOthers(): void {
    for (const peer of this.#peers) peer.spare();
  }

  /** Lets others join when that would help. */
  recruit(): void {
    this.#recruits.want(Math.max(this.#wanted() - this.#peers.size, 0));
  }

  /** Much is left: what comes of it fast had better be received by another thread. */
  relieve({ broughtBytes, bytesPerMs }: ReceptionRules): void {
    let allPerMs = 0;
    for (const peer of this.#peers) allPerMs += peer.ownBytesPerMs(broughtBytes);
    if (allPerMs < bytesPerMs) return;
    for (const peer of this.#peers) {
      const key = toHex(peer.contact.publicKey);
      if (this.#moved.has(key) || peer.ownBytesPerMs(broughtBytes) === 0) continue;
      const opening = this.#dialer.received(peer.contact);
      if (!opening) continue; // later, perhaps: now a relay leads to it
      this.#moved.add(key); // once for each
      const move = this.#move(peer, opening).finally(() => this.#runs.delete(move));
      this.#runs.add(move);
    }
  }

  /** Lets go who is of no use; to be called a few times a second. */
  review(): void {
    const isFull = this.#peers.size >= peersInAllMax;
    for (const peer of this.#peers) {
      const { session, outstanding } = peer;
      const idleForMs = peer.idleForMs();
      if (isFull && session.blocks === 0 && peer.isQuiet(silentMs)) session.leave('it fell silent');
      else if (isFull && this.#lacksAll(peer)) session.close();
      else if (this.#what.isReader && idleForMs > idleMs) session.close();
      else if (peer.isOutdated && peer.isIdle) session.close();
      else if (!peer.isIdle && outstanding.every(this.#errand.isRedundant)) {
        if (peer.isQuiet(hedgeMs)) session.leave('others were faster');
      }
    }
  }

  /** Something is wanted, and it has none of it. */
  #lacksAll({ isIdle, isHeldBack }: Peer): boolean {
    return isIdle && !isHeldBack && this.#errand.hasQueue();
  }

  /** How many peers there should be now. */
  #wanted(): number {
    const { hasQueue, queuedBytes } = this.#errand;
    if (!hasQueue() && !this.isAnswerDue) return 0;
    const max = this.#what.isReader ? peersForReaderMax : peersMax;
    let useless = 0;
    let bytes = queuedBytes();
    for (const peer of this.#peers) {
      if (peer.isUnproven || this.#lacksAll(peer) || peer.isQuiet(hedgeMs)) useless++;
      // This is asked with each block: what a peer of many small wants owes is not counted in vain.
      if (bytes <= joinBytes) bytes += peer.dueBytes;
    }
    const useful = bytes > joinBytes ? max : 1;
    return Math.min(useful + useless, peersInAllMax);
  }

  /** The peer goes on until the other stream is there, and then brings what it was asked. */
  async #move(peer: Peer, opening: Promise<OpenProvider | undefined>): Promise<void> {
    const provider = await opening;
    if (!provider) return;
    if (!this.#peers.has(peer)) return void provider.stream.close();
    peer.isReplaced = true;
    this.#open(provider, { isGuess: false });
    if (peer.isIdle) peer.session.close();
    this.#errand.changed();
  }

  #open(provider: OpenProvider, { isGuess }: { readonly isGuess: boolean }): void {
    if (this.#stop.signal.aborted) {
      void provider.stream.close();
      return;
    }
    const peer = new Peer(provider, {
      errand: this.#errand,
      hasAlternative: () => this.#hasBetterThan(peer),
      isGuess,
      root: this.#what.root,
      parts: this.#parts,
    });
    this.#peers.add(peer);
    const run = this.#run(peer).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
  }

  #hasBetterThan(peer: Peer): boolean {
    return this.#recruits.hasNext || [...this.#peers].some((one) => one !== peer && one.isSending);
  }

  /** Never rejects. */
  async #run(peer: Peer): Promise<void> {
    const { session, contact } = peer;
    try {
      this.#judge(peer, await session.run());
    } catch (error) {
      this.#errand.failed(error);
    }
    this.#peers.delete(peer);
    if (session.blocks > 0) this.#senders.set(toHex(contact.publicKey), contact);
    for (const ticket of session.outstanding) this.#errand.over(ticket);
    this.#errand.changed();
  }

  #judge(peer: Peer, { kind, why }: SyncEnd): void {
    if (this.#stop.signal.aborted) return;
    if (peer.isReplaced && kind !== 'dropped') return;
    const { sources, logger } = this.#parts;
    const { contact, session, lacked } = peer;
    if (!peer.isUnproven) this.#why = why;
    if (kind === 'done') {
      const mayReturn = this.#what.isReader || peer.isSpare || peer.isOutdated;
      if (mayReturn && lacked.isEmpty) this.#recruits.parked(contact);
      return;
    }
    const { blocks } = session;
    // It moved to another stream because it had brought much on the one before.
    const hasSent = blocks > 0 || peer.isReceived;
    logger.debug('a provider failed', { kind, why, blocks });
    if (kind === 'dropped') sources.bad.add(contact.publicKey);
    if (kind === 'left') {
      sources.slow.add(contact.publicKey);
      this.#recruits.left(contact);
    }
    if (kind === 'busy') this.#recruits.busy(contact);
    if ((kind === 'gone' || kind === 'refused') && hasSent) this.#recruits.broken(contact);
    if (kind === 'gone' && !hasSent) this.#recruits.cut(contact);
  }

  #noteDialFailure(error: unknown): void {
    this.#dialWhy = error instanceof Error ? error.message : 'no connection';
    this.#parts.logger.debug('a provider cannot be reached', { why: this.#dialWhy });
  }
}
