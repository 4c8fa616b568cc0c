/**
 * Finding nodes: the table, the lookups that use and fill it, and the ways into a network. It knows
 * nothing of records.
 */
import type { Bytes } from '../base/bytes.ts';
import { toHex } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import type { Contact } from '../identity/contact.ts';
import { Caller, type CallerDeps } from './caller.ts';
import type { Counters } from './counters.ts';
import { randomIdSharing } from './distance.ts';
import { Lookup, type LookupOptions, type LookupResult } from './lookup.ts';
import { NetworkSize } from './network-size.ts';
import type { Transport } from './ports.ts';
import { type Ask, finishQuery, runQuery } from './query.ts';
import { usableContacts } from './received.ts';
import { RoundTrips } from './rtt.ts';
import { RoutingTable, type TableOptions } from './table.ts';

export interface RoutingDeps {
  /** Our node ID. */
  readonly self: Bytes;
  readonly transport: Transport;
  readonly world: World;
  readonly counters: Counters;
  readonly observe?: CallerDeps['observe'];
}

/** Seeds that are remembered for when the table runs empty. */
const seedsMax = 64;

export class Routing {
  readonly table: RoutingTable;
  readonly caller: Caller;
  readonly networkSize: NetworkSize;
  readonly #self: Bytes;
  readonly #world: World;
  readonly #options: TableOptions & LookupOptions;
  readonly #roundTrips = new RoundTrips();
  #seeds: readonly Contact[] = []; // BOUNDED by seedsMax

  constructor(
    { self, transport, world, counters, observe }: RoutingDeps,
    options: TableOptions & LookupOptions,
  ) {
    this.#self = self;
    this.#world = world;
    this.#options = options;
    this.table = new RoutingTable(self, options);
    this.networkSize = new NetworkSize(options.k);
    const { table } = this;
    const roundTrips = this.#roundTrips;
    this.caller = new Caller({
      transport,
      table,
      roundTrips,
      counters,
      clock: world.clock,
      observe,
    });
  }

  /** Whether it answered. */
  async ping(contact: Contact, signal: AbortSignal): Promise<boolean> {
    const asked = this.caller.call(contact, { method: 'ping' }, signal);
    return asked.then(
      () => true,
      () => false,
    );
  }

  /** Walks towards `target`, asking each node on the way `ask`; yields what that emits. */
  async *walk<T>(
    target: Bytes,
    { ask, seeds = [], signal }: { ask: Ask<T>; seeds?: readonly Contact[]; signal: AbortSignal },
  ): AsyncGenerator<T, LookupResult> {
    const { clock, timers } = this.#world;
    this.table.touch(target, clock.monotonicMs());
    const known = this.table.closest(target, this.#options.k);
    const lookup = new Lookup(
      { target, self: this.#self, seeds: [...known, ...seeds] },
      this.#options,
    );
    const slowMs = this.#roundTrips.slowMs();
    const result = yield* runQuery({ lookup, ask, timers, slowMs, signal });
    this.#learnSize(target, result);
    return result;
  }

  lookup(
    target: Bytes,
    { seeds, signal }: { seeds?: readonly Contact[]; signal: AbortSignal },
  ): Promise<LookupResult> {
    const ask = this.#askForContacts(target);
    return finishQuery(this.walk(target, { ask, signal, ...(seeds ? { seeds } : {}) }));
  }

  /** Gets to know the network through `seeds` and those remembered from earlier. */
  async join(seeds: readonly Contact[], signal: AbortSignal): Promise<void> {
    const given = new Map(seeds.map((seed) => [toHex(seed.id), seed])); // BOUNDED by who asks
    // A node may have moved since it was remembered: where it is now counts.
    const earlier = this.#seeds.filter(({ id }) => !given.has(toHex(id)));
    this.#seeds = [...given.values(), ...earlier].slice(0, seedsMax);
    const answers = await Promise.all(this.#seeds.map((seed) => this.ping(seed, signal)));
    const living = this.#seeds.filter((_, i) => answers[i] === true);
    if (living.length === 0) return;
    await this.lookup(this.#self, { seeds: living, signal });
    await this.#fill(({ full }) => !full, signal);
  }

  /**
   * Looks up who is near us, by what we know and by what one of the seeds knows: two parts of a
   * network that lost sight of each other find together again through a seed that they share.
   */
  async lookAround(signal: AbortSignal): Promise<void> {
    const seed = this.#seeds[Math.floor(this.#world.random.fraction() * this.#seeds.length)];
    const answer = seed && (await this.#contactsOf(seed, signal));
    await this.lookup(this.#self, { seeds: answer ?? [], signal });
  }

  /** Looks into each part of the ID space where nothing was looked up for so long. */
  async refresh(idleMs: number, signal: AbortSignal): Promise<void> {
    const nowMs = this.#world.clock.monotonicMs();
    await this.#fill(({ touchedMs }) => nowMs - touchedMs >= idleMs, signal);
  }

  async #fill(
    isDue: (bucket: ReturnType<RoutingTable['refreshable']>[number]) => boolean,
    signal: AbortSignal,
  ): Promise<void> {
    for (const bucket of this.table.refreshable()) {
      if (!isDue(bucket)) continue;
      const target = randomIdSharing(this.#self, bucket.bits, this.#world.random);
      await this.lookup(target, { signal });
    }
  }

  async #contactsOf(contact: Contact, signal: AbortSignal): Promise<readonly Contact[]> {
    const request = { method: 'find', target: this.#self } as const;
    const answered = await this.caller.call(contact, request, signal).catch(() => undefined);
    return answered ? usableContacts(contact, answered.reply.contacts) : [];
  }

  #askForContacts(target: Bytes): Ask<never> {
    return async (contact, { signal }) => {
      const { reply, info } = await this.caller.call(contact, { method: 'find', target }, signal);
      return { contacts: usableContacts(contact, reply.contacts), server: info.server };
    };
  }

  #learnSize(target: Bytes, { closest }: LookupResult): void {
    // Our own ID is looked up most: its surroundings alone say little about the whole.
    if (target === this.#self && closest.length >= this.#options.k) return;
    this.networkSize.add(target, closest);
  }
}
