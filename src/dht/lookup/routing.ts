/**
 * Finding nodes: the table, the lookups that use and fill it, and the ways into a network. It knows
 * nothing of records.
 */
import type { Bytes } from '../../base/bytes.ts';
import { equalBytes, toHex } from '../../base/bytes.ts';
import type { CancelTimer, World } from '../../base/clock.ts';
import { forEachOf } from '../../base/parallel.ts';
import { SharedWork } from '../../base/shared-work.ts';
import type { Contact } from '../../identity/contact.ts';
import { Caller, type CallerDeps } from '../table/caller.ts';
import type { Counters } from '../counters.ts';
import { randomIdSharing } from '../distance.ts';
import { Lookup, type LookupGoal, type LookupOptions, type LookupResult } from './lookup.ts';
import { NetworkSize } from './network-size.ts';
import type { CallOptions, Transport } from '../ports.ts';
import { type Answer, type Ask, finishQuery, runQuery } from './query.ts';
import { LostContacts } from '../table/lost.ts';
import { usableContacts } from '../table/received.ts';
import type { Probe } from './regions.ts';
import { RoundTrips, slowForMs } from '../table/rtt.ts';
import { type SigmaSize, sigmaSize } from './sigma.ts';
import type { TableOptions } from '../table/table.ts';
import { type Refreshable, RoutingTables } from '../table/tables.ts';

export interface RoutingDeps {
  /** Our node ID. */
  readonly self: Bytes;
  readonly transport: Transport;
  readonly world: World;
  readonly counters: Counters;
  readonly observe?: CallerDeps['observe'];
}

/** How far a walk goes; near, patiently and on one path where left out. */
export type WalkGoal = Partial<Omit<LookupGoal, 'sigma' | 'isDoubtful'>>;

export interface WalkOptions<T> {
  readonly ask: Ask<T>;
  readonly goal?: WalkGoal | undefined;
  /** Contacts to begin with besides those in the table. */
  readonly seeds?: readonly Contact[] | undefined;
  /** Called whenever the lookup knows more. */
  readonly onProgress?: ((lookup: Lookup) => void) | undefined;
  readonly signal: AbortSignal;
}

/**
 * So many times k contacts of the table does a search for records start from: enough for two paths,
 * and for a look around where a crowd and its neighbours are all that the nearest ones name.
 */
const startTimes = 3;
/** After the first seed answered, others have so long to do so before the search begins. */
const graceMs = 250;
/** Lost contacts that are asked together when one of them answered. */
const recallsAtOnce = 8;
/** Seeds that are remembered for when the table runs empty. */
const seedsMax = 64;

export class Routing {
  readonly table: RoutingTables;
  readonly caller: Caller;
  readonly #networkSize: NetworkSize;
  readonly #self: Bytes;
  readonly #world: World;
  readonly #counters: Counters;
  readonly #options: TableOptions & LookupOptions;
  readonly #roundTrips = new RoundTrips();
  readonly #lookups = new SharedWork<LookupResult>();
  readonly #lost: LostContacts;
  #onSuspicion: () => void = () => undefined;
  /** Who was near when we last looked around. */
  #neighbours = '';
  #seeds: readonly Contact[] = []; // BOUNDED by seedsMax

  constructor(
    { self, transport, world, counters, observe }: RoutingDeps,
    options: TableOptions & LookupOptions,
  ) {
    this.#self = self;
    this.#world = world;
    this.#counters = counters;
    this.#options = options;
    this.table = new RoutingTables(self, options);
    this.#networkSize = new NetworkSize(options.k);
    const { table } = this;
    const roundTrips = this.#roundTrips;
    const lost = new LostContacts(world.random);
    this.#lost = lost;
    this.caller = new Caller({
      lost,
      onSuspicion: () => this.#onSuspicion(),
      transport,
      table,
      roundTrips,
      counters,
      clock: world.clock,
      observe,
    });
  }

  /** `listener` is told when so many contacts failed that the others should be asked as well. */
  whenSuspicious(listener: () => void): void {
    this.#onSuspicion = listener;
  }

  /** Those that answered once and left the table because they no longer did. */
  lost(): readonly Contact[] {
    return this.#lost.contacts();
  }

  /** Nobody is known, and there is nobody of whom more could be learned. */
  get isAlone(): boolean {
    return this.table.size + this.#seeds.length + this.#lost.size === 0;
  }

  /** Whether it answered. */
  async ping(
    contact: Contact,
    signal: AbortSignal,
    options: Pick<CallOptions, 'known'> = {},
  ): Promise<boolean> {
    const asked = this.caller.call(contact, { method: 'ping' }, signal, options);
    return asked.then(
      () => true,
      () => false,
    );
  }

  /** Servers in the network, ourselves included: an estimate, and at least those we know. */
  networkSize(): number {
    return Math.max(this.#networkSize.estimate() ?? 1, this.table.size + 1);
  }

  /** How large storage sets are. As long as the network was not measured, k nodes. */
  sigma(): SigmaSize {
    const { k } = this.#options;
    const isKnown = this.#networkSize.estimate() !== undefined;
    return sigmaSize(isKnown ? this.networkSize() : Number.POSITIVE_INFINITY, k);
  }

  /** Walks towards `target`, asking each node on the way `ask`; yields what that emits. */
  async *walk<T>(
    target: Bytes,
    { ask, goal, seeds = [], onProgress, signal }: WalkOptions<T>,
  ): AsyncGenerator<T, LookupResult> {
    const { clock, timers } = this.#world;
    const { caller, table } = this;
    const begunMs = clock.monotonicMs();
    table.touch(target, begunMs);
    const known = table.closest(target, this.#options.k * (goal ? startTimes : 1));
    const isDoubtful = (contact: Contact): boolean => caller.isDoubtful(contact);
    const lookup = new Lookup(
      { target, self: this.#self, seeds: [...known, ...seeds] },
      { ...goal, sigma: this.sigma(), isDoubtful },
      this.#options,
    );
    const slowMs = (to: Contact): number => this.slowMs(to);
    const probe = async (
      { contact, point }: Probe,
      until: AbortSignal,
    ): Promise<readonly Contact[]> => (await this.#find(contact, point, until)).contacts;
    try {
      const result = yield* runQuery({ lookup, ask, probe, timers, slowMs, onProgress, signal });
      // Who hurries leaves out who is slow, and finds the network thinner than it is. Where records
      // are kept, others choose the target: who crowds their keys must not shrink all storage sets.
      if (goal === undefined) this.#networkSize.add(target, result.closest);
      return result;
    } finally {
      const purpose = goal === undefined ? 'nodes' : 'records';
      this.#counters.lookup(purpose, clock.monotonicMs() - begunMs);
    }
  }

  /** A request to this contact that takes longer is slow. */
  slowMs(contact: Contact): number {
    return slowForMs(this.#roundTrips.slowMs(), this.table.entryOf(contact)?.rttMs);
  }

  /** The k nearest that answer; equal lookups under way are done once. */
  lookup(target: Bytes, signal: AbortSignal): Promise<LookupResult> {
    const look = (until: AbortSignal): Promise<LookupResult> => this.#lookUp(target, [], until);
    return this.#lookups.run(toHex(target), look, { signal });
  }

  /** Asks one node for those that it knows nearest to `target`. */
  async #find(
    contact: Contact,
    target: Bytes,
    signal: AbortSignal,
    options: Pick<CallOptions, 'known'> = {},
  ): Promise<Answer> {
    const request = { method: 'find', target } as const;
    const { reply, info } = await this.caller.call(contact, request, signal, options);
    return { contacts: usableContacts(contact, reply.contacts), server: info.server };
  }

  /** For a walk that only looks for nodes. */
  askForContacts(target: Bytes): Ask<never> {
    return (contact, { signal }) => this.#find(contact, target, signal);
  }

  #lookUp(target: Bytes, seeds: readonly Contact[], signal: AbortSignal): Promise<LookupResult> {
    return finishQuery(this.walk(target, { ask: this.askForContacts(target), seeds, signal }));
  }

  /** Gets to know the network through `seeds`, which are remembered for `rejoin`. */
  async join(seeds: readonly Contact[], signal: AbortSignal): Promise<void> {
    const given = new Map(seeds.map((seed) => [toHex(seed.id), seed])); // BOUNDED by who asks
    // A node may have moved since it was remembered: where it is now counts.
    const earlier = this.#seeds.filter(({ id }) => !given.has(toHex(id)));
    this.#seeds = [...given.values(), ...earlier].slice(0, seedsMax);
    await this.#joinBy(this.#seeds.slice(0, given.size), signal);
  }

  /** The same through `count` of those that were known before, drawn by lot. */
  async rejoin(count: number, signal: AbortSignal): Promise<void> {
    const { random } = this.#world;
    const seeds = new Map(this.#seeds.map((seed) => [toHex(seed.id), seed])); // BOUNDED by seedsMax
    const lost = this.#lost.contacts().filter(({ id }) => !seeds.has(toHex(id)));
    const known = [...seeds.values(), ...lost]
      .map((contact) => ({ contact, lot: random.fraction() }))
      .toSorted((a, b) => a.lot - b.lot)
      .map(({ contact }) => contact);
    if (!(await this.#joinBy(known.slice(0, count), signal))) return;
    // Those that the first ones to answer know may not be all that there is.
    const missing = known.filter((contact) => this.table.entryOf(contact) === undefined);
    await this.#recall(missing, signal);
  }

  /** Whether anybody answered. */
  async #joinBy(seeds: readonly Contact[], signal: AbortSignal): Promise<boolean> {
    const living = await this.#firstToAnswer(seeds, signal);
    if (living.length === 0) return false;
    await this.#lookUp(this.#self, living, signal);
    await this.#fill(({ full }) => !full, signal);
    return true;
  }

  /** Those that answer soon: one that is gone must not hold up a start. */
  async #firstToAnswer(
    seeds: readonly Contact[],
    signal: AbortSignal,
  ): Promise<readonly Contact[]> {
    const living: Contact[] = []; // BOUNDED by seeds
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    let cancel: CancelTimer | undefined;
    const asked = seeds.map(async (seed) => {
      if (!(await this.ping(seed, signal, { known: true }))) return;
      living.push(seed);
      cancel ??= this.#world.timers.after(graceMs, resolve);
    });
    await Promise.race([Promise.all(asked), enough]);
    cancel?.();
    signal.throwIfAborted();
    return [...living];
  }

  /** Whether a part of the network went at once, and may come back so. */
  misses(): boolean {
    return this.#lost.hasCrowd(this.table.size);
  }

  /**
   * Asks one of those that were lost. If it is there, a part of the network that was out of reach
   * may be there again: then those that were lost with it are asked, and our place among them is
   * looked up. One that went alone comes alone, as nodes do all the time.
   */
  async probeLost(signal: AbortSignal): Promise<boolean> {
    const lost = this.#lost.next(this.#world.clock.monotonicMs());
    if (!lost) return false;
    const crowd = this.#lost.crowdOf(lost, this.table.size);
    const answered = await this.ping(lost.contact, signal, { known: true });
    signal.throwIfAborted();
    if (!answered) return false;
    const others = crowd.filter(({ id }) => !equalBytes(id, lost.contact.id));
    if (others.length === 0) return true;
    await this.#recall(others, signal);
    await this.#lookUp(this.#self, [lost.contact], signal);
    return true;
  }

  async #recall(lost: readonly Contact[], signal: AbortSignal): Promise<void> {
    await forEachOf(lost, recallsAtOnce, async (contact) => {
      signal.throwIfAborted();
      await this.ping(contact, signal, { known: true });
    });
  }

  /** None of those known is heard of any more: they are lost together, and looked for as such. */
  loseAll(): void {
    const nowMs = this.#world.clock.monotonicMs();
    for (const contact of this.table.clear()) this.#lost.add(contact, nowMs);
  }

  /** It said that it leaves: nobody needs to find that out. */
  left(contact: Contact): void {
    this.table.remove(contact);
    this.#lost.forget(contact);
  }

  /**
   * Looks up who is near us, by what we know and by what one of the seeds knows: two parts of a
   * network that lost sight of each other find together again through a seed that they share.
   * As long as too little is known of the network's size, a lookup elsewhere follows.
   * Whether somebody else is near now than after the last time.
   */
  async lookAround(signal: AbortSignal): Promise<boolean> {
    const seed = this.#seeds[Math.floor(this.#world.random.fraction() * this.#seeds.length)];
    const answer = seed && (await this.#find(seed, this.#self, signal).catch(() => undefined));
    signal.throwIfAborted();
    await this.#lookUp(this.#self, answer?.contacts ?? [], signal);
    if (this.#networkSize.isVague) {
      await this.#lookUp(this.#world.random.bytes(this.#self.length), [], signal);
    }
    const changed = this.neighboursChanged();
    this.#neighbours = this.#nearest();
    return changed;
  }

  /** Whether the table has others near us than after we last looked around. */
  neighboursChanged(): boolean {
    return this.#nearest() !== this.#neighbours;
  }

  /** Looks into each part of the ID space where nothing was looked up for so long. */
  async refresh(idleMs: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#world.clock.monotonicMs();
    await this.#fill(({ touchedMs }) => nowMs - touchedMs >= idleMs, signal);
  }

  async #fill(isDue: (part: Refreshable) => boolean, signal: AbortSignal): Promise<void> {
    for (const part of this.table.refreshable()) {
      if (!isDue(part)) continue;
      const target = randomIdSharing(this.#self, part.bits, this.#world.random);
      await this.#lookUp(target, [], signal);
    }
  }

  #nearest(): string {
    const near = this.table.closest(this.#self, this.#options.k);
    return near.map(({ id }) => toHex(id)).join();
  }
}
