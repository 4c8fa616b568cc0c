/**
 * Connects to several providers at a time, because most addresses in a network of volunteers are
 * dead. Who opened first comes first. It does not know what is fetched from them.
 */
import { toHex } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import { DialPutOff } from '../../peer/dial-budget.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { syncProtocol } from '../exchange/frames.ts';
import {
  candidatesOf,
  type CandidateQuest,
  isLeftAlone,
  type ProviderContact,
  type ProviderSources,
} from './providers.ts';
import { Tide } from '../tide.ts';

/** Dials at the same time, late ones not counted and counted. */
const dialsAtOnce = 4;
const dialsAtOnceMax = 16;
/**
 * A dial that takes longer is late: the next address is tried beside it. Records of nodes that are
 * gone live for hours, and dialling one of them may take seconds.
 */
const lateMs = 250;
/** A guess that takes longer is none: it only costs time when nobody has the content. */
const guessMs = 1000;
/** Peers close streams on which nothing is asked, after 60 s. */
const readyMsMax = 20_000;
/** How long one quest waits, all in all, for addresses that were dialled too often. */
const putOffMsMax = 120_000;
/** An open stream to a provider. */
export interface OpenProvider {
  readonly contact: ProviderContact;
  readonly stream: ByteStream;
  readonly openedMs: number;
}

export interface ProviderQuest extends Omit<CandidateQuest, 'guessed'> {
  /** Tried at once beside the search, as they may have it; they count for none that is wanted. */
  readonly guess?: {
    readonly contacts: readonly ProviderContact[];
    readonly onOpen: (guess: OpenProvider) => void;
  };
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
  /** Whether they could be reached, by key. BOUNDED by the quest's guesses. */
  readonly #guesses = new Map<string, Promise<boolean>>();
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
    const { contacts, onOpen } = this.#quest.guess ?? { contacts: [] };
    for (const contact of contacts) {
      if (isLeftAlone(this.#sources, contact)) continue;
      this.#guesses.set(toHex(contact.publicKey), this.#guess(contact, onOpen));
    }
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

  /** Resolves when all guesses have opened or failed. */
  async guessed(): Promise<void> {
    await Promise.all(this.#guesses.values());
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
    const search = { ...this.#quest, signal, guessed: this.#guesses };
    yield* candidatesOf(this.#sources, search);
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

  /** Never rejects: that it cannot be reached says nothing of the content. */
  async #guess(contact: ProviderContact, onOpen?: (guess: OpenProvider) => void): Promise<boolean> {
    const late = new AbortController();
    const cancel = this.#sources.timers.after(guessMs, () => late.abort());
    try {
      const opened = await this.#connect(contact, AbortSignal.any([this.#signal, late.signal]));
      if (this.#stop.signal.aborted) void opened.stream.close();
      else onOpen?.(opened);
      return true;
    } catch {
      return false;
    } finally {
      cancel();
    }
  }

  async #open(contact: ProviderContact): Promise<OpenProvider | undefined> {
    try {
      return await this.#connect(contact, this.#signal);
    } catch (error) {
      if (!this.#signal.aborted) this.#quest.onFailure(error);
      const why: unknown = error instanceof Error ? error.cause : undefined;
      const isKnown = this.#putOff.some((one) => one.contact === contact);
      if (why instanceof DialPutOff && !isKnown) {
        const dueMs = this.#sources.clock.monotonicMs() + why.waitMs;
        this.#putOff.push({ contact, dueMs });
      }
      return undefined;
    }
  }

  async #connect(contact: ProviderContact, signal: AbortSignal): Promise<OpenProvider> {
    const { connections, slots, clock } = this.#sources;
    const give = await slots.take(toHex(contact.publicKey), signal);
    try {
      const stream = await connections.open(contact, syncProtocol, { signal });
      return { contact, stream: endingWith(give, stream), openedMs: clock.monotonicMs() };
    } catch (error) {
      give();
      throw error;
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
    isOutdated: () => stream.isOutdated?.() ?? false,
    write: (bytes) => stream.write(bytes),
    close: () => stream.close().finally(onEnd),
    abort(reason) {
      stream.abort(reason);
      onEnd();
    },
  };
}
