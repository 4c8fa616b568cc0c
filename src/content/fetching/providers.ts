/**
 * Finds peers that say they hold some content and connects to several at a time, because most
 * addresses in a network of volunteers are dead. Who opened first comes first. It does not know
 * what is fetched from them.
 */
import type { Endpoint } from '../../base/address.ts';
import { type Bytes, equalBytes, toHex } from '../../base/bytes.ts';
import { type Clock, type Timers, unixSeconds } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { LruMap } from '../../base/limits.ts';
import { decodeMultiaddr, formatMultiaddr, mayVouchFor } from '../../peer/address.ts';
import { DialPutOff } from '../../peer/dial-budget.ts';
import type { ByteStream } from '../../peer/stream.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { parseProvider, providerKey } from '../../record/provider.ts';
import { syncProtocol } from '../exchange/frames.ts';
import type { Connections, ProviderSearch } from '../ports.ts';
import { type Link, multihashOf } from '../dag/root.ts';
import type { StreamSlots } from '../exchange/stream-slots.ts';
import { Tide } from '../tide.ts';

/** Where a provider is reached. */
export interface ProviderContact {
  readonly publicKey: Bytes;
  readonly addresses: readonly string[];
}

/** Peers that are better left alone for a while. */
export class BadPeers {
  readonly #clock: Clock;
  readonly #forMs: number;
  readonly #until = new LruMap<string, number>(4096); // BOUNDED by its size

  constructor(clock: Clock, forMs: number) {
    this.#clock = clock;
    this.#forMs = forMs;
  }

  add(publicKey: Bytes): void {
    this.#until.set(toHex(publicKey), this.#clock.monotonicMs() + this.#forMs);
  }

  has(publicKey: Bytes): boolean {
    const until = this.#until.get(toHex(publicKey));
    return until !== undefined && until > this.#clock.monotonicMs();
  }
}

/** Dials at the same time, late ones not counted and counted. */
const dialsAtOnce = 4;
const dialsAtOnceMax = 16;
/**
 * A dial that takes longer is late: the next address is tried beside it. Records of nodes that are
 * gone live for hours, and dialling one of them may take seconds.
 */
const lateMs = 250;
/** Peers close streams on which nothing is asked, after 60 s. */
const readyMsMax = 20_000;
/** How long one quest waits, all in all, for addresses that were dialled too often. */
const putOffMsMax = 120_000;
/** Above the 64 that a storer keeps for one key, as some may hold others than most. */
export const candidatesMax = 256;

export interface ProviderSources {
  readonly search: ProviderSearch;
  readonly connections: Connections;
  /** Not asked at all. */
  readonly bad: BadPeers;
  /** Asked when there is nobody else. */
  readonly slow: BadPeers;
  readonly slots: StreamSlots;
  readonly clock: Clock;
  readonly timers: Timers;
  /** This node's own key: it is no provider to itself. */
  readonly self: Bytes;
}

/** An open stream to a provider. */
export interface OpenProvider {
  readonly contact: ProviderContact;
  readonly stream: ByteStream;
  readonly openedMs: number;
}

export interface ProviderQuest {
  readonly link: Link;
  /** Tried before anybody is asked. */
  readonly known: readonly ProviderContact[];
  readonly signal: AbortSignal;
  /** Why a candidate was of no use. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * Streams to providers in the order in which they opened, as many as are wanted. Where one is, one
 * address after the other is dialled, without waiting long for any; where several are, a few dials
 * run at the same time.
 */
export class ProviderDialer {
  readonly #sources: ProviderSources;
  readonly #quest: ProviderQuest;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  readonly #candidates: AsyncGenerator<ProviderContact, void, undefined>;
  readonly #change = new Tide();
  readonly #ready: OpenProvider[] = []; // BOUNDED by dialsAtOnceMax
  /** To be dialled later, and when. BOUNDED by candidatesMax, as each is dialled or here. */
  readonly #putOff: { readonly contact: ProviderContact; readonly dueMs: number }[] = [];
  #opening = 0;
  #wanted = 1;
  #dialers = 0;
  /** Dials that run and are not late. */
  #dialing = 0;

  constructor(sources: ProviderSources, quest: ProviderQuest) {
    this.#sources = sources;
    this.#quest = quest;
    this.#signal = AbortSignal.any([this.#stop.signal, quest.signal]);
    this.#candidates = this.#allCandidates();
  }

  start(): void {
    for (let i = 0; i < dialsAtOnceMax; i++) {
      this.#dialers++;
      void this.#dial().finally(() => {
        this.#dialers--;
        this.#change.rise();
      });
    }
  }

  /** How many streams would be put to use at this moment; 1 at first. */
  want(count: number): void {
    if (count === this.#wanted) return;
    this.#wanted = count;
    this.#change.rise();
  }

  /** Whether another stream stands open at this moment. */
  get hasNext(): boolean {
    return this.#ready.length > 0;
  }

  /**
   * The next open stream, once one is wanted, which the caller must close or abort; undefined when
   * no more are to be had. One that was given counts as no longer wanted.
   */
  async next(): Promise<OpenProvider | undefined> {
    for (;;) {
      const ready = this.#wanted > 0 ? this.#ready.shift() : undefined;
      if (ready) {
        this.#wanted--;
        this.#change.rise();
        const young = await this.#renew(ready);
        if (young) return young;
        this.#wanted++;
        continue;
      }
      const none = this.#dialers === 0 && this.#ready.length === 0;
      if (none || this.#signal.aborted) return undefined;
      await this.#change.next();
    }
  }

  /** A new stream to one that was given before; undefined when it cannot be had. */
  again(contact: ProviderContact): Promise<OpenProvider | undefined> {
    return this.#open(contact);
  }

  stop(): void {
    this.#stop.abort(new AltNetError('ABORTED', {}));
    for (const { stream } of this.#ready.splice(0)) void stream.close();
    this.#change.rise();
  }

  async *#allCandidates(): AsyncGenerator<ProviderContact, void, undefined> {
    const signal = this.#signal;
    yield* candidatesOf(this.#sources, { ...this.#quest, signal });
    yield* this.#putOffInTurn();
  }

  /**
   * Whoever names the address of an honest provider under other keys must not end the search for
   * it: those that could not be dialled have their turn when the others have had theirs.
   */
  async *#putOffInTurn(): AsyncGenerator<ProviderContact, void, undefined> {
    const { clock, timers } = this.#sources;
    let leftMs = putOffMsMax;
    while (!this.#signal.aborted) {
      const [first] = this.#putOff.toSorted((a, b) => a.dueMs - b.dueMs);
      if (!first && this.#opening === 0) return;
      const waitMs = first ? first.dueMs - clock.monotonicMs() : 0;
      if (waitMs > leftMs) return;
      if (first && waitMs <= 0) {
        this.#putOff.splice(this.#putOff.indexOf(first), 1);
        yield first.contact;
        continue;
      }
      const cancel = first ? timers.after(waitMs, () => this.#change.rise()) : undefined;
      const sinceMs = clock.monotonicMs();
      await this.#change.next();
      cancel?.();
      if (first) leftMs -= clock.monotonicMs() - sinceMs;
    }
  }

  async #dial(): Promise<void> {
    const signal = this.#signal;
    while (!signal.aborted) {
      const isEnough = this.#dialing + this.#ready.length >= this.#wanted;
      if (isEnough || this.#dialing >= dialsAtOnce) {
        await this.#change.next();
        continue;
      }
      this.#dialing++;
      const { value } = await this.#candidates.next();
      const opened = await this.#openOrLate(value ?? undefined);
      if (!value) return;
      if (!opened) continue;
      if (this.#stop.signal.aborted) return void opened.stream.close();
      this.#ready.push(opened);
      this.#change.rise();
    }
  }

  /** Dials; whoever waits for it is told when it is late, so that another dial may begin. */
  async #openOrLate(contact: ProviderContact | undefined): Promise<OpenProvider | undefined> {
    let counts = true;
    const uncount = (): void => {
      if (counts) this.#dialing--;
      counts = false;
      this.#change.rise();
    };
    const cancel = this.#sources.timers.after(lateMs, uncount);
    this.#opening++;
    try {
      return contact && (await this.#open(contact));
    } finally {
      this.#opening--;
      cancel();
      uncount();
    }
  }

  async #open(contact: ProviderContact): Promise<OpenProvider | undefined> {
    const { connections, slots, clock } = this.#sources;
    const signal = this.#signal;
    let give: (() => void) | undefined;
    try {
      give = await slots.take(toHex(contact.publicKey), signal);
      const stream = await connections.open(contact, syncProtocol, { signal });
      return { contact, stream: endingWith(give, stream), openedMs: clock.monotonicMs() };
    } catch (error) {
      give?.();
      if (!signal.aborted) this.#quest.onFailure(error);
      const why: unknown = error instanceof Error ? error.cause : undefined;
      const isKnown = this.#putOff.some((one) => one.contact === contact);
      if (why instanceof DialPutOff && !isKnown) {
        this.#putOff.push({ contact, dueMs: clock.monotonicMs() + why.waitMs });
      }
      return undefined;
    }
  }

  /** A stream that stood unused for long may be closed at its other end. */
  async #renew(ready: OpenProvider): Promise<OpenProvider | undefined> {
    if (this.#sources.clock.monotonicMs() - ready.openedMs < readyMsMax) return ready;
    void ready.stream.close();
    return this.#open(ready.contact);
  }
}

/** The same stream; `onEnd` is called when it is closed or aborted, maybe twice. */
function endingWith(onEnd: () => void, stream: ByteStream): ByteStream {
  return {
    remote: stream.remote,
    read: stream.read,
    write: (bytes) => stream.write(bytes),
    close: () => stream.close().finally(onEnd),
    abort(reason) {
      stream.abort(reason);
      onEnd();
    },
  };
}

async function* candidatesOf(
  sources: ProviderSources,
  { link, known, signal, onFailure }: ProviderQuest,
): AsyncGenerator<ProviderContact, void, undefined> {
  const seen = new Set([toHex(sources.self)]); // BOUNDED by candidatesMax
  for (const contact of known) {
    const { publicKey } = contact;
    const isLeftAlone = sources.bad.has(publicKey) || sources.slow.has(publicKey);
    if (isLeftAlone || seen.has(toHex(publicKey))) continue;
    seen.add(toHex(publicKey));
    yield contact;
  }
  const multihash = multihashOf(link);
  const slow: ProviderContact[] = []; // BOUNDED by candidatesMax
  try {
    for await (const found of sources.search.gather(providerKey(multihash), { signal })) {
      for (const record of found.records) {
        const contact = contactOf(record, { multihash, from: found.from.endpoint, sources });
        if (!contact || seen.has(toHex(contact.publicKey))) continue;
        if (seen.size > candidatesMax) return;
        seen.add(toHex(contact.publicKey));
        if (sources.slow.has(contact.publicKey)) slow.push(contact);
        else yield contact;
      }
    }
  } catch (error) {
    if (!signal.aborted) onFailure(error);
  }
  yield* slow;
}

export interface Finding {
  readonly multihash: Bytes;
  /** Who told of it. */
  readonly from: Endpoint;
  readonly sources: Pick<ProviderSources, 'bad' | 'clock'>;
}

/** Where the author of a provider record is reached; undefined when it is of no use. */
export function contactOf(
  record: SignedRecord,
  { multihash, from, sources }: Finding,
): ProviderContact | undefined {
  const body = parseProvider(record);
  if (!body || !equalBytes(body.multihash, multihash)) return undefined;
  const stale = record.expires < unixSeconds(sources.clock);
  if (stale || sources.bad.has(record.author)) return undefined;
  const endpoints = body.multiaddrs.flatMap((bytes) => decodeMultiaddr(bytes) ?? []);
  const addresses = endpoints.filter((to) => mayVouchFor(from, to)).map(formatMultiaddr);
  return addresses.length > 0 ? { publicKey: record.author, addresses } : undefined;
}
