/**
 * Stores one record at its storage set while a lookup is still finding it: a node is offered the
 * record as soon as it has answered from within the set, so that the last one found is all that is
 * waited for. What the answers say, `storing.ts` adds up.
 */
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { CancelTimer, World } from '../../base/clock.ts';
import type { Contact } from '../../identity/contact.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { Lookup, Paths } from '../lookup/lookup.ts';
import { finishQuery } from '../lookup/query.ts';
import type { Routing } from '../lookup/routing.ts';
import type { RecordSieve } from '../reading/sieve.ts';
import { isInSigma, selectSigma } from '../lookup/sigma.ts';
import type { Outcome } from '../holding/storage.ts';
import { offerRecord, type Said, storeResult, type StoreResult } from './storing.ts';

export interface PlacingDeps {
  readonly routing: Routing;
  readonly world: World;
  /** For the records that others show as reason for a refusal. */
  readonly sieve: RecordSieve;
  /** Whether we hold records for others, and so are offered it too. */
  readonly isServer: boolean;
  readonly storeHere: (record: SignedRecord) => Promise<Outcome | undefined>;
  /** Our node ID. */
  readonly self: Bytes;
  readonly signal: AbortSignal;
}

export interface Placement {
  readonly key: Bytes;
  /** Of that key. It may still be in the making: those who should hold it are found meanwhile. */
  readonly record: Promise<SignedRecord>;
  /** Whom to offer it instead of those that a lookup finds. */
  readonly targets: readonly Contact[];
  readonly paths: Paths;
}

/** Who is slow is overdue after so many times as long, within bounds. */
const overdueTimes = 3;
const overdueMaxMs = 1000;
/** One of so many may be slow without holding up the others' result. */
const slowShare = 1 / 10;
/**
 * A node that answered lately gave us a token then, so it is offered the record at once. Should the
 * token have aged, the refusal brings a new one: no later than a question first would have.
 */
const tokenFreshMs = 10 * 60_000;

/**
 * Resolves when each of the storage set answered, failed or let us wait for too long. Region
 * queries go on after that, and so do the offers that they lead to: they matter where somebody
 * crowds the key, and need not hold up everybody else. Rejects as `record` does.
 */
export async function placeRecord(
  { key, record, targets, paths }: Placement,
  deps: PlacingDeps,
): Promise<StoreResult> {
  const { routing, self, isServer } = deps;
  const size = routing.sigma();
  const offers = new Offers(record, deps);
  const offerHereAmong = (others: readonly Contact[]): void => {
    if (isServer && isInSigma(self, { key, others, size })) offers.make('self');
  };
  if (targets.length > 0) {
    const chosen = selectSigma(key, targets, { ...size, least: size.most });
    offerHereAmong(chosen);
    for (const target of chosen) offers.make(target);
    return offers.result();
  }
  offerHereAmong(selectSigma(key, routing.table.closest(key, size.most), size));
  await new Promise<void>((resolve, reject) => {
    const onProgress = (lookup: Lookup): void => {
      for (const contact of lookup.living()) offers.make(contact);
      for (const contact of lookup.expected()) if (isFresh(contact, deps)) offers.make(contact);
      if (!lookup.isComplete) return;
      // They may be no more than slow, and the offer is all that they need.
      for (const contact of lookup.late()) offers.make(contact);
      offerHereAmong(lookup.result().closest);
      resolve();
    };
    const ask = routing.askForContacts(key);
    // Nobody waits for looks at regions here, and a storer that is missed misses every vote.
    const goal = { reach: 'whole', paths, patience: 'hasty', densityLimit: 1 } as const;
    const { signal } = deps;
    record.catch(reject);
    finishQuery(routing.walk(key, { ask, goal, onProgress, signal })).then(() => resolve(), reject);
  });
  return offers.result();
}

function isFresh(contact: Contact, { routing, world }: PlacingDeps): boolean {
  const seenMs = routing.table.entryOf(contact)?.seenMs;
  return seenMs !== undefined && world.clock.monotonicMs() - seenMs < tokenFreshMs;
}

/** How long an offer has been waited for, and that it no longer is. */
type Wait = 'short' | 'slow' | 'overdue' | 'over';

interface Offer {
  readonly by: Contact | 'self';
  wait: Wait;
  outcome: Outcome | undefined;
}

/** Offers of one record, each node getting one. */
class Offers {
  readonly #record: Promise<SignedRecord>;
  readonly #deps: PlacingDeps;
  readonly #offers = new Map<string, Offer>(); // BOUNDED by the requests of a lookup
  #wake: (() => void) | undefined;

  constructor(record: Promise<SignedRecord>, deps: PlacingDeps) {
    this.#record = record;
    this.#deps = deps;
  }

  make(by: Contact | 'self'): void {
    const name = by === 'self' ? by : toHex(by.id);
    if (this.#offers.has(name)) return;
    const offer: Offer = { by, wait: 'short', outcome: undefined };
    this.#offers.set(name, offer);
    const end = (outcome: Outcome | undefined): void => {
      offer.outcome = outcome;
      this.#set(offer, 'over');
    };
    this.#record.then((record) => this.#give(record, offer)).then(end, () => end(undefined));
  }

  async #give(record: SignedRecord, offer: Offer): Promise<Outcome | undefined> {
    const { routing, sieve, storeHere, signal } = this.#deps;
    const { by } = offer;
    if (by === 'self') return storeHere(record);
    const cancels = this.#watch(offer, by);
    try {
      return await offerRecord(by, record, { caller: routing.caller, sieve, signal });
    } finally {
      for (const cancel of cancels) cancel();
    }
  }

  /** Rejects with the signal's reason when it aborts. */
  async result(): Promise<StoreResult> {
    const { signal } = this.#deps;
    const wake = (): void => this.#wake?.();
    signal.addEventListener('abort', wake, { once: true });
    try {
      while (!signal.aborted && !this.#isSettled()) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#wake = resolve;
        await promise;
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
    signal.throwIfAborted();
    const said = [...this.#offers.values()].filter(({ wait }) => wait === 'over');
    return storeResult(this.#offers.size, said satisfies readonly Said[]);
  }

  #isSettled(): boolean {
    const offers = [...this.#offers.values()];
    if (offers.some(({ wait }) => wait === 'short')) return false;
    const slow = offers.filter(({ wait }) => wait === 'slow').length;
    return slow <= offers.length * slowShare;
  }

  #watch(offer: Offer, to: Contact): readonly CancelTimer[] {
    const { routing, world } = this.#deps;
    const slowMs = routing.slowMs(to);
    // Who is known to take longer than most is slow from the start.
    if ((routing.table.entryOf(to)?.rttMs ?? 0) > slowMs) offer.wait = 'slow';
    const overdueMs = Math.min(overdueMaxMs, overdueTimes * slowMs);
    return [
      world.timers.after(slowMs, () => this.#set(offer, 'slow')),
      world.timers.after(overdueMs, () => this.#set(offer, 'overdue')),
    ];
  }

  #set(offer: Offer, wait: Wait): void {
    if (offer.wait === 'over') return;
    offer.wait = wait;
    this.#wake?.();
  }
}
