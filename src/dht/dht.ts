/**
 * The distributed hash table as the rest of the program uses it. It only puts the parts together:
 * routing (table, lookup, query), holding records (storage, handler), finding and storing them
 * (gather, storing) and upkeep (maintenance). No sockets, no files: see ports.ts.
 */
import { abortReason } from '../base/abort.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { NetworkProfile } from '../record/network.ts';
import { Caller } from './caller.ts';
import { isAmongClosest, isTooFar } from './closeness.ts';
import { Counters, type DhtCounts } from './counters.ts';
import { compareDistance } from './distance.ts';
import {
  askForContacts,
  askForRecords,
  type Gathered,
  type GatherEnd,
  type GatherOptions,
  getRequest,
  ownAnswer,
} from './gather.ts';
import { Handler } from './handler.ts';
import { Lookup, lookupDefaults, type LookupOptions, type LookupResult } from './lookup.ts';
import { Maintenance, maintenanceDefaults, type MaintenanceOptions } from './maintenance.ts';
import { NetworkSize } from './network-size.ts';
import { newcomerDefaults, type NewcomerOptions, Newcomers } from './newcomers.ts';
import type { RecordStore, RequestHandler, Transport } from './ports.ts';
import { finishQuery, runQuery } from './query.ts';
import { RoundTrips } from './rtt.ts';
import { RecordSieve } from './sieve.ts';
import { Storage, storageDefaults, type StorageOptions } from './storage.ts';
import { storeAt, type StoreResult } from './storing.ts';
import { RoutingTable, tableDefaults, type TableOptions, type TableView } from './table.ts';

export interface DhtOptions
  extends TableOptions, LookupOptions, StorageOptions, MaintenanceOptions, NewcomerOptions {}

export const dhtDefaults: DhtOptions = {
  ...tableDefaults,
  ...lookupDefaults,
  ...storageDefaults,
  ...maintenanceDefaults,
  ...newcomerDefaults,
};

export interface DhtDeps {
  /** Who we are; asked once, by the constructor. */
  readonly self: () => { readonly id: Bytes; readonly publicKey: Bytes };
  readonly transport: Transport;
  readonly records: RecordStore;
  readonly world: World;
  readonly profile: NetworkProfile;
  /** `networkId(profile)`. */
  readonly network: Bytes;
  readonly log: Logger;
  /** Our signed contact record, for PING. */
  readonly contactRecord: () => Bytes | undefined;
  /** Whether others can reach us: only then do we hold records for them. */
  readonly isServer: () => boolean;
}

export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

/** Seeds that are remembered for when the table runs empty. */
const seedsMax = 64;

export class Dht {
  readonly #deps: DhtDeps;
  readonly #options: DhtOptions;
  readonly #self: Bytes;
  readonly #table: RoutingTable;
  readonly #storage: Storage;
  readonly #caller: Caller;
  readonly #handler: Handler;
  readonly #newcomers: Newcomers;
  readonly #maintenance: Maintenance;
  readonly #networkSize: NetworkSize;
  readonly #counters = new Counters();
  readonly #roundTrips = new RoundTrips();
  readonly #lifetime = new AbortController();
  #seeds: readonly Contact[] = []; // BOUNDED by seedsMax
  #upkeep: Promise<void> | undefined;

  constructor(deps: DhtDeps, options: Partial<DhtOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...dhtDefaults, ...options };
    const { transport, world, log, isServer, contactRecord } = deps;
    const { clock, timers } = world;
    const self = deps.self().id;
    this.#self = self;
    this.#table = new RoutingTable(self, this.#options);
    this.#networkSize = new NetworkSize(this.#options.k);
    const isFar = (key: Bytes): boolean => this.#isTooFar(key);
    this.#storage = new Storage({ ...deps, clock, self, isTooFar: isFar }, this.#options);
    const parts = { table: this.#table, counters: this.#counters, clock };
    this.#caller = new Caller({ ...parts, transport, roundTrips: this.#roundTrips });
    this.#newcomers = new Newcomers(
      {
        timers,
        wants: (id) => this.#table.wants(id),
        ping: async (contact) => {
          await this.#ping(contact, this.#lifetime.signal);
        },
        signal: this.#lifetime.signal,
      },
      this.#options,
    );
    const offer = (contact: Contact): void => this.#newcomers.offer(contact);
    const storage = this.#storage;
    this.#handler = new Handler({ ...parts, self, log, storage, isServer, contactRecord, offer });
    this.#maintenance = this.#makeMaintenance();
  }

  /** Answers one request; set as the transport's handler by `start`. */
  readonly handle: RequestHandler = (from, request) => this.#handler.handle(from, request);

  get table(): TableView {
    return this.#table;
  }

  /** Servers in the network, estimated. */
  networkSize(): number {
    return this.#networkSize.estimate();
  }

  counters(): DhtCounts {
    return this.#counters.snapshot();
  }

  /** Records held for the network, and their bytes. */
  held(): { readonly records: number; readonly bytes: number } {
    return this.#storage.totals;
  }

  /** Begins to answer and to look after table and records. */
  start(): Promise<void> {
    if (this.#lifetime.signal.aborted) {
      return Promise.reject(
        new AltNetError('INTERNAL', { what: 'the DHT was started after stop' }),
      );
    }
    if (this.#upkeep) return Promise.resolve();
    this.#storage.open();
    this.#deps.transport.serve(this.handle);
    this.#upkeep = this.#maintenance.run(this.#lifetime.signal);
    return Promise.resolve();
  }

  /** Ends everything under way, with ABORTED for who waits for it. */
  async stop(): Promise<void> {
    this.#lifetime.abort(new AltNetError('ABORTED', {}));
    await this.#upkeep;
    await this.#newcomers.settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Gets to know the network through `seeds`, which are remembered for when the table runs empty.
   * Resolves with the contacts in the table: 0 when no seed answered.
   */
  async join(seeds: readonly Contact[], options: Abortable = {}): Promise<number> {
    const signal = this.#scope(options.signal);
    const known = new Map([...seeds, ...this.#seeds].map((seed) => [toHex(seed.id), seed]));
    this.#seeds = [...known.values()].slice(0, seedsMax);
    await this.#joinThrough(seeds, signal);
    return this.#table.size;
  }

  /** The k servers nearest to `target` that answer. */
  async lookup(target: Bytes, options: Abortable = {}): Promise<LookupResult> {
    return this.#lookup(target, { seeds: [], signal: this.#scope(options.signal) });
  }

  /**
   * What those who should hold `key` hold under it, each answer as it comes, our own first. Who
   * stops reading ends all requests; `return` gives the totals.
   */
  async *gather(key: Bytes, options: GatherOptions = {}): AsyncGenerator<Gathered, GatherEnd> {
    const signal = this.#scope(options.signal);
    const { isServer, world } = this.#deps;
    const request = getRequest(key, options);
    const sieve = new RecordSieve({ ...this.#deps, clock: world.clock }, { ...options, key });
    const soFar: Gathered[] = []; // BOUNDED by askedMax, plus ourselves
    const lookup = this.#newLookup(key, []);
    const counted = isServer() ? 1 : 0;
    const end = ({ asked, answered, closest }: LookupResult): GatherEnd => ({
      asked: asked + counted,
      answered: answered + counted,
      closest,
    });

    const nowMs = world.clock.unixMs();
    const own = ownAnswer(this.#storage.list(key), request, { self: this.#self, nowMs, sieve });
    if (counted > 0 || own.records.length + own.digests.length > 0) {
      soFar.push(own);
      yield own;
      if (options.enough?.(soFar) === true) return end(lookup.result());
    }
    const { k } = this.#options;
    const ask = askForRecords(request, { caller: this.#caller, sieve, k });
    const query = runQuery({ lookup, ask, ...this.#pacing(), signal });
    try {
      for (let step = await query.next(); step.done !== true; step = await query.next()) {
        soFar.push(step.value);
        yield step.value;
        if (options.enough?.(soFar) === true) return end(lookup.result());
      }
      this.#networkSize.add(key, lookup.result().closest);
      return end(lookup.result());
    } finally {
      // Ends the requests under way; what a query that ends with a value is told does not matter.
      await query.return(lookup.result());
    }
  }

  /** Stores a record with the k nearest servers: `targets` when given, else those of a lookup. */
  async store(
    record: SignedRecord,
    options: Abortable & { readonly targets?: readonly Contact[] | undefined } = {},
  ): Promise<StoreResult> {
    const signal = this.#scope(options.signal);
    const { key } = record;
    const { k } = this.#options;
    const closest = options.targets ?? (await this.#lookup(key, { seeds: [], signal })).closest;
    const nearest = closest.toSorted((a, b) => compareDistance(key, a.id, b.id)).slice(0, k);
    const here = this.#deps.isServer() && isAmongClosest(this.#self, { key, closest: nearest, k });
    const targets = here ? (['self', ...nearest.slice(0, k - 1)] as const) : nearest;
    const sieve = new RecordSieve(
      { ...this.#deps, clock: this.#deps.world.clock },
      { key, reserved: true },
    );
    const storeHere = (): ReturnType<Storage['accept']> =>
      this.#storage.accept(record.bytes, { source: '' });
    return storeAt(targets, { record, caller: this.#caller, sieve, storeHere, signal });
  }

  /** Ends with `signal` or with the DHT, whichever is first. */
  #scope(signal: AbortSignal | undefined): AbortSignal {
    const lifetime = this.#lifetime.signal;
    if (lifetime.aborted) throw abortReason(lifetime);
    signal?.throwIfAborted();
    return signal ? AbortSignal.any([signal, lifetime]) : lifetime;
  }

  #newLookup(target: Bytes, seeds: readonly Contact[]): Lookup {
    this.#table.touch(target, this.#deps.world.clock.monotonicMs());
    const known = this.#table.closest(target, this.#options.k);
    const who = { target, self: this.#self, seeds: [...known, ...seeds] };
    return new Lookup(who, this.#options);
  }

  #pacing(): { readonly timers: World['timers']; readonly slowMs: number } {
    return { timers: this.#deps.world.timers, slowMs: this.#roundTrips.slowMs() };
  }

  async #lookup(
    target: Bytes,
    { seeds, signal }: { seeds: readonly Contact[]; signal: AbortSignal },
  ): Promise<LookupResult> {
    const lookup = this.#newLookup(target, seeds);
    const ask = askForContacts(target, this.#caller);
    const result = await finishQuery({ lookup, ask, ...this.#pacing(), signal });
    this.#networkSize.add(target, result.closest);
    return result;
  }

  /** Whether it answered. */
  async #ping(contact: Contact, signal: AbortSignal): Promise<boolean> {
    const asked = this.#caller.call(contact, { method: 'ping' }, signal);
    return asked.then(
      () => true,
      () => false,
    );
  }

  async #joinThrough(seeds: readonly Contact[], signal: AbortSignal): Promise<void> {
    const answers = await Promise.all(seeds.map((seed) => this.#ping(seed, signal)));
    const living = seeds.filter((_, i) => answers[i] === true);
    if (living.length === 0) return;
    await this.#lookup(this.#self, { seeds: living, signal });
    await this.#maintenance.refresh({ idleMs: 'fill', signal });
  }

  #isTooFar(key: Bytes): boolean {
    return isTooFar(key, {
      self: this.#self,
      contacts: this.#table.contacts(),
      networkSize: this.#networkSize.estimate(),
      k: this.#options.k,
    });
  }

  #makeMaintenance(): Maintenance {
    const { world, log } = this.#deps;
    return new Maintenance(
      {
        self: this.#self,
        world,
        log,
        table: this.#table,
        storage: this.#storage,
        ping: async (contact, signal) => {
          await this.#ping(contact, signal);
        },
        lookup: async (target, signal) => {
          await this.#lookup(target, { seeds: [], signal });
        },
        store: async (record, signal) => {
          await this.store(record, { signal });
        },
        rejoin: (signal) => this.#joinThrough(this.#seeds, signal),
      },
      this.#options,
    );
  }
}
