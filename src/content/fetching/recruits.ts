/**
 * The peers of one fetch: takes providers as they can be reached, and returns to those that were
 * busy, broke off, were left for others, or were let go when there was nothing to ask. It does not
 * know what is fetched.
 */
import type { World } from '../../base/clock.ts';
import type { OpenProvider, ProviderDialer } from './dialer.ts';
import type { ProviderContact } from './providers.ts';

/** Waits before a peer that was busy is asked again; then it is given up. */
export const busyWaitsMs: readonly number[] = [250, 500, 1000, 2000, 4000];
/** Returns to peers that gave something and broke off: maybe only one of them has the rest. */
const brokenReturnsMax = 4;
/** Returns to each peer that was left for a faster one, once nobody else is to be had. */
const leftReturnsMax = 2;

interface Return {
  readonly contact: ProviderContact;
  /** By another way than before. */
  readonly isCut?: boolean;
  readonly atMs: number;
}

export class Recruits {
  readonly #dialer: ProviderDialer;
  readonly #world: World;
  readonly #onOpen: (provider: OpenProvider) => void;
  readonly #onChange: () => void;
  /** Providers that may still be tried. */
  #tries: number;
  #isExhausted = false;
  #reopening = 0;
  #brokenReturns = 0;
  readonly #returns: Return[] = []; // BOUNDED by the peers of the fetch: each is here at most once
  readonly #busy = new Map<string, number>(); // BOUNDED by the providers that are tried
  readonly #left = new Map<string, number>(); // BOUNDED likewise
  readonly #cut = new Set<string>(); // BOUNDED likewise

  constructor(
    dialer: ProviderDialer,
    {
      triesMax,
      world,
      onOpen,
      onChange,
    }: {
      readonly triesMax: number;
      readonly world: World;
      readonly onOpen: (provider: OpenProvider) => void;
      /** There may be nobody left. */
      readonly onChange: () => void;
    },
  ) {
    this.#dialer = dialer;
    this.#world = world;
    this.#tries = triesMax;
    this.#onOpen = onOpen;
    this.#onChange = onChange;
  }

  /** Resolves after `stop`, or when no more providers are to be found. Never rejects. */
  async run(): Promise<void> {
    this.#dialer.start();
    while (this.#tries-- > 0) {
      const provider = await this.#dialer.next();
      if (provider === undefined) break;
      this.#onOpen(provider);
    }
    await this.#dialer.guessed();
    this.#isExhausted = true;
    this.#onChange();
  }

  stop(): void {
    this.#dialer.stop();
  }

  get hasNext(): boolean {
    return this.#dialer.hasNext;
  }

  /** Nobody else is to be had, now or later. */
  get isOver(): boolean {
    return this.#isExhausted && this.#returns.length === 0 && this.#reopening === 0;
  }

  /** So many more peers would be put to use now. */
  want(count: number): void {
    const nowMs = this.#world.clock.monotonicMs();
    let left = count - this.#reopening;
    // Strangers first, but for whom nobody has to look.
    const due = this.#returns.filter(({ atMs }) => atMs <= nowMs);
    for (const one of due) {
      if (left <= 0 || !(this.#isExhausted || one.atMs === 0)) break;
      left--;
      this.#returns.splice(this.#returns.indexOf(one), 1);
      void this.#reopen(one);
    }
    this.#dialer.want(Math.max(left, 0));
  }

  /** It was let go and may be asked again at any time. */
  parked(contact: ProviderContact): void {
    this.#returns.push({ contact, atMs: 0 });
  }

  broken(contact: ProviderContact): void {
    if (this.#brokenReturns++ < brokenReturnsMax) {
      this.#returns.push({ contact, atMs: this.#world.clock.monotonicMs() });
    }
  }

  /** The way to it was lost before it answered: once, another one is tried at once. */
  cut(contact: ProviderContact): void {
    const key = contact.publicKey.join();
    if (this.#cut.has(key) || !this.#dialer.isFound(contact)) return;
    this.#cut.add(key);
    this.#returns.push({ contact, atMs: 0, isCut: true });
  }

  /** Others were faster, and may have nothing more to give: they fetched for somebody else. */
  left(contact: ProviderContact): void {
    const key = contact.publicKey.join();
    const times = (this.#left.get(key) ?? 0) + 1;
    this.#left.set(key, times);
    if (times > leftReturnsMax) return;
    this.#returns.push({ contact, atMs: this.#world.clock.monotonicMs() });
  }

  busy(contact: ProviderContact): void {
    const key = contact.publicKey.join();
    const times = this.#busy.get(key) ?? 0;
    const waitMs = busyWaitsMs[times];
    if (waitMs === undefined) return;
    this.#busy.set(key, times + 1);
    const jitter = 1 + this.#world.random.fraction() / 2;
    this.#returns.push({ contact, atMs: this.#world.clock.monotonicMs() + waitMs * jitter });
  }

  async #reopen({ contact, isCut = false }: Return): Promise<void> {
    this.#reopening++;
    const provider = await (isCut ? this.#dialer.another(contact) : this.#dialer.again(contact));
    this.#reopening--;
    if (provider) this.#onOpen(provider);
    else this.#onChange();
  }
}
