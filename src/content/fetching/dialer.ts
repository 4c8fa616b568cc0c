/**
 * Connects to several providers at a time, because most addresses in a network of volunteers are
 * dead. Who opened first comes first. It does not know what is fetched from them.
 */
import { toHex } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import { DialPutOff } from '../../peer/dial-budget.ts';
import { type SyncStream, syncProtocol } from '../exchange/frames.ts';
import {
  type CandidateQuest,
  Candidates,
  type Guess,
  isLeftAlone,
  type ProviderContact,
  type ProviderSources,
} from './providers.ts';
import { SearchAgain } from './search-again.ts';
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
/** While another way to a provider is looked for, the search begins anew after so long. */
const searchAgainMs = 2000;
/** An open stream to a provider. */
export interface OpenProvider {
  readonly contact: ProviderContact;
  readonly stream: SyncStream;
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
  readonly #candidates: Candidates;
  readonly #inTurn: AsyncGenerator<ProviderContact, void, undefined>;
  readonly #change = new Tide();
  readonly #ready: OpenProvider[] = []; // BOUNDED by dialsAtOnceMax
  /** To be dialled later, and when. BOUNDED by candidatesMax, as each is dialled or here. */
  readonly #putOff: { readonly contact: ProviderContact; readonly dueMs: number }[] = [];
  #opening = 0;
  /** By key. BOUNDED by the quest's guesses. */
  readonly #guesses = new Map<string, Guess & { readonly isLate: Promise<void> }>();
  /** Keys of those to whom there was a stream. BOUNDED by candidatesMax. */
  readonly #reached = new Set<string>();
  #wanted = 1;
  #dialers = 0;
  /** Dials that run and are not late. */
  #dialing = 0;

  constructor(sources: ProviderSources, quest: ProviderQuest) {
    this.#sources = sources;
    this.#quest = quest;
    this.#signal = AbortSignal.any([this.#stop.signal, quest.signal]);
    const signal = this.#signal;
    this.#candidates = new Candidates(sources, { ...quest, signal, guessed: this.#guesses });
    this.#inTurn = this.#allInTurn();
  }

  start(): void {
    const { contacts, onOpen } = this.#quest.guess ?? { contacts: [] };
    for (const contact of contacts) {
      if (isLeftAlone(this.#sources, contact)) continue;
      const isReached = this.#guess(contact, onOpen);
      const { promise: isLate, resolve } = Promise.withResolvers<void>();
      const cancel = this.#sources.timers.after(lateMs, resolve);
      void isReached.then(cancel);
      this.#guesses.set(toHex(contact.publicKey), { contact, isReached, isLate });
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
    await Promise.all([...this.#guesses.values()].map(({ isReached }) => isReached));
  }

  /** Whether the search told of it: one that was only guessed may have nothing. */
  isFound(contact: ProviderContact): boolean {
    return this.#candidates.found(contact) !== undefined;
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
    return this.#open(this.#candidates.found(contact) ?? contact);
  }

  /**
   * The same for one that a thread of its own receives; undefined where there is none, or no way
   * to it. It is dialled where it is known to be, as nobody counts what that thread dials.
   */
  received(contact: ProviderContact): Promise<OpenProvider | undefined> | undefined {
    const { reception, connections } = this.#sources;
    const addresses = connections.provenAddresses(contact);
    if (!reception || addresses.length === 0) return undefined;
    const target = { ...contact, addresses };
    const open = (signal: AbortSignal): Promise<SyncStream> => reception.open(target, { signal });
    return this.#connect(contact, this.#signal, open).catch(() => undefined);
  }

  /**
   * The same where the way that there was is lost: the search may know of another one by now, or
   * before a dial to the old ones has failed.
   */
  async another(contact: ProviderContact): Promise<OpenProvider | undefined> {
    this.#reached.delete(toHex(contact.publicKey));
    const known = this.#open(this.#candidates.found(contact) ?? contact);
    const news = this.#openNews(known);
    const first = await Promise.race([
      known.then((opened) => opened ?? news),
      news.then((opened) => opened ?? known),
    ]);
    for (const each of [known, news]) void closeUnless(first, each);
    return first;
  }

  stop(): void {
    this.#stop.abort(new AltNetError('ABORTED', {}));
    for (const { stream } of this.#ready.splice(0)) void stream.close();
    this.#change.rise();
  }

  async *#allInTurn(): AsyncGenerator<ProviderContact, void, undefined> {
    for await (const contact of this.#candidates.all()) yield this.#handedOut(contact);
    for await (const contact of this.#laterInTurn()) yield this.#handedOut(contact);
  }

  /** It will be dialled; who asks for the next one at the same time must know. */
  #handedOut(contact: ProviderContact): ProviderContact {
    this.#opening++;
    return contact;
  }

  /**
   * Whoever names the address of an honest provider under other keys must not end the search for
   * it: those that could not be dialled have their turn when the others have had theirs. And one
   * whose relays fail says elsewhere where it is reached now, while it is dialled in vain. Where
   * nobody is to be dialled, and too few have answered, whoever holds it may only be unheard.
   */
  async *#laterInTurn(): AsyncGenerator<ProviderContact, void, undefined> {
    const { clock, timers } = this.#sources;
    let leftMs = putOffMsMax;
    const again = new SearchAgain(clock);
    while (!this.#signal.aborted) {
      const nowMs = clock.monotonicMs();
      const [first] = this.#putOff.toSorted((a, b) => a.dueMs - b.dueMs);
      const isDialling = first !== undefined || this.#opening > 0;
      const { isConclusive } = this.#candidates;
      const searchMs = this.#isStuck ? again.dueMs({ isDialling, isConclusive }) : Infinity;
      if (!isDialling && searchMs === Infinity) return;
      const waitMs = first ? first.dueMs - nowMs : Infinity;
      if (first && waitMs > leftMs) return;
      if (first && waitMs <= 0) {
        this.#putOff.splice(this.#putOff.indexOf(first), 1);
        yield first.contact;
        continue;
      }
      if (searchMs <= nowMs) {
        yield* this.#candidates.again({ isPatient: !isDialling });
        again.searched();
        continue;
      }
      const untilMs = Math.min(waitMs, searchMs - nowMs);
      const rise = (): void => this.#change.rise();
      const cancel = Number.isFinite(untilMs) ? timers.after(untilMs, rise) : undefined;
      await this.#change.next();
      cancel?.();
      if (first) leftMs -= clock.monotonicMs() - nowMs;
    }
  }

  /** Nobody of whom the search told was reached; a guess may have nothing. */
  get #isStuck(): boolean {
    const isGuess = (key: string): boolean => {
      const guess = this.#guesses.get(key);
      return guess !== undefined && !this.isFound(guess.contact);
    };
    return [...this.#reached].every(isGuess);
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
      const { value } = await this.#inTurn.next();
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
    try {
      if (!contact || (await this.#wasReached(contact))) return undefined;
      return await this.#open(contact);
    } finally {
      if (contact) this.#opening--;
      cancel();
      uncount();
    }
  }

  /** Searches until `known` has ended, and dials what no search before has told. */
  async #openNews(known: Promise<unknown>): Promise<OpenProvider | undefined> {
    const end = new AbortController();
    const over = known.then(() => end.abort());
    while (!end.signal.aborted && !this.#signal.aborted) {
      for await (const contact of this.#candidates.again()) {
        const opened = await this.#open(contact);
        if (opened) return opened;
      }
      const { promise: waited, resolve } = Promise.withResolvers<void>();
      const cancel = this.#sources.timers.after(searchAgainMs, resolve);
      await Promise.race([over, waited]);
      cancel();
    }
    return undefined;
  }

  /** One that has moved comes twice; a guess is given a moment. */
  async #wasReached({ publicKey }: ProviderContact): Promise<boolean> {
    const key = toHex(publicKey);
    const guess = this.#guesses.get(key);
    if (guess) await Promise.race([guess.isReached, guess.isLate]);
    return this.#reached.has(key);
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

  async #connect(
    contact: ProviderContact,
    signal: AbortSignal,
    open = (until: AbortSignal): Promise<SyncStream> =>
      this.#sources.connections.open(contact, syncProtocol, { signal: until }),
  ): Promise<OpenProvider> {
    const { slots, clock } = this.#sources;
    const key = toHex(contact.publicKey);
    const give = await slots.take(key, signal);
    try {
      const stream = await open(signal);
      this.#reached.add(key);
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

/** Of two that were dialled, one is used. */
async function closeUnless(
  used: OpenProvider | undefined,
  dialled: Promise<OpenProvider | undefined>,
): Promise<void> {
  const opened = await dialled;
  if (opened !== used) await opened?.stream.close();
}

/** The same stream; `onEnd` is called when it is closed or aborted, maybe twice. */
function endingWith(onEnd: () => void, stream: SyncStream): SyncStream {
  return {
    remote: stream.remote,
    get read() {
      return stream.read;
    },
    ...(stream.frames && { frames: stream.frames }),
    isOutdated: () => stream.isOutdated?.() ?? false,
    write: (bytes) => stream.write(bytes),
    close: () => stream.close().finally(onEnd),
    abort(reason) {
      stream.abort(reason);
      onEnd();
    },
  };
}
