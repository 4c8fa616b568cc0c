/**
 * The distributed hash table as the rest of the program uses it. It only puts the parts together:
 * finding nodes (routing), holding records (holding, handler), finding and storing them
 * (network-records) and upkeep (maintenance). No sockets, no files: see ports.ts.
 */
import { type Abortable, abortReason } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Contact } from '../identity/contact.ts';
import type { RecordReader } from '../record/acceptance.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { RecordKindName } from '../record/kinds.ts';
import type { NetworkProfile } from '../record/network.ts';
import { announceRecord } from './announcing.ts';
import { Counters, type DhtCounts } from './counters.ts';
import {
  Handler,
  handlerDefaults,
  type HandlerDeps,
  type HandlerOptions,
} from './holding/handler.ts';
import { Holding, holdingDefaults, type HoldingOptions } from './holding/holding.ts';
import { lookupDefaults, type LookupOptions, type LookupResult } from './lookup/lookup.ts';
import { Maintenance, maintenanceDefaults, type MaintenanceOptions } from './maintenance.ts';
import { newcomerDefaults, type NewcomerOptions, Newcomers } from './table/newcomers.ts';
import {
  type Approach,
  type FetchOptions,
  NetworkRecords,
  type StoreOptions,
} from './network-records.ts';
import type { RecordDigest, RecordStore, ReplyInfo, RequestHandler, Transport } from './ports.ts';
import type { Gathered, GatherEnd, GatherOptions } from './reading/gather.ts';
import { Routing } from './lookup/routing.ts';
import type { RecordDenials } from './rules/denial.ts';
import type { StoreResult } from './placing/storing.ts';
import { tableDefaults, type TableOptions, type TableView } from './table/table.ts';

export interface DhtOptions
  extends
    TableOptions,
    LookupOptions,
    HoldingOptions,
    MaintenanceOptions,
    NewcomerOptions,
    HandlerOptions {}

export const dhtDefaults: DhtOptions = {
  ...tableDefaults,
  ...lookupDefaults,
  ...holdingDefaults,
  ...maintenanceDefaults,
  ...newcomerDefaults,
  ...handlerDefaults,
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
  /** Reads and verifies records; left out: each by itself. */
  readonly reader?: RecordReader | undefined;
  /** Our signed contact record, for PING. */
  readonly contactRecord: () => Bytes | undefined;
  /**
   * Whether others can reach us: only then do we hold records for them. With an address, whether
   * who asks from there can.
   */
  readonly isServer: (askerIp?: Bytes) => boolean;
  /** The earliest that it may be, see mode/network-clock.ts; our clock's word when left out. */
  readonly earliestUnixMs?: (() => number) | undefined;
  /** Told of every answer to a request of ours (mode/ learns our address from it). */
  readonly observe?: ((by: Contact, info: ReplyInfo) => void) | undefined;
  /** Records that are neither taken nor handed out; call `reconsider` when that changes. */
  readonly denies?: RecordDenials | undefined;
  readonly reach?: HandlerDeps['reach'];
  readonly onNonce?: HandlerDeps['onNonce'];
  readonly onAnnounce?: HandlerDeps['onAnnounce'];
}

/** Nodes that start look around after 2 and 10 s: by then they know who is near, and are known. */
const settledMs = 15_000;
/** Those nearest to us are told that we leave; who is farther lists few of our neighbourhood. */
const toldMax = 64;

export class Dht {
  readonly #deps: DhtDeps;
  readonly #options: DhtOptions;
  readonly #self: Bytes;
  readonly #routing: Routing;
  readonly #holding: Holding;
  readonly #records: NetworkRecords;
  readonly #handler: Handler;
  readonly #newcomers: Newcomers;
  readonly #maintenance: Maintenance;
  readonly #counters = new Counters();
  readonly #lifetime = new AbortController();
  #upkeep: Promise<void> | undefined;

  constructor(deps: DhtDeps, options: Partial<DhtOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...dhtDefaults, ...options };
    const { world } = deps;
    const self = deps.self().id;
    this.#self = self;
    const shared = { ...deps, self, clock: world.clock, counters: this.#counters };
    const routing = new Routing(shared, this.#options);
    this.#routing = routing;
    const holding = this.#makeHolding(shared);
    this.#holding = holding;
    const { table } = routing;
    const { storage } = holding;
    const scope = (signal: AbortSignal | undefined): AbortSignal => this.#scope(signal);
    this.#records = new NetworkRecords({ ...shared, routing, storage, scope }, this.#options);
    this.#newcomers = this.#makeNewcomers();
    const offer: HandlerDeps['offer'] = (...newcomer) => this.#newcomers.offer(...newcomer);
    const handOff: HandlerDeps['handOff'] = (asker, after) => holding.handOff(asker, after);
    const onLeave = (contact: Contact): void => this.#forget(contact);
    const handling = { table, storage, offer, handOff, onLeave };
    this.#handler = new Handler({ ...shared, ...handling }, this.#options);
    const others = holding.rounds();
    this.#maintenance = new Maintenance({ ...shared, routing, others }, this.#options);
  }

  /** Answers one request; `start` gives it to the transport. */
  readonly handle: RequestHandler = (from, request) => this.#handler.handle(from, request);

  get table(): TableView {
    return this.#routing.table;
  }

  /** Servers in the network, ourselves included: an estimate, and at least those we know. */
  networkSize(): number {
    return this.#routing.networkSize();
  }

  /** Whether somebody was known for long enough that those who are near should be known as well. */
  isSettled(): boolean {
    const sinceMs = this.#routing.table.knownSinceMs;
    const nowMs = this.#deps.world.clock.monotonicMs();
    return sinceMs !== undefined && nowMs - sinceMs >= settledMs;
  }

  /** Nobody was ever named to this node, so nobody can be asked. */
  isAlone(): boolean {
    return this.#routing.isAlone;
  }

  counters(): DhtCounts {
    return this.#counters.snapshot();
  }

  /** Records held for the network, and their bytes. */
  held(): { readonly records: number; readonly bytes: number } {
    return this.#holding.storage.totals;
  }

  /** The same records by kind. */
  heldKinds(): Readonly<Record<RecordKindName, number>> {
    return this.#holding.storage.kinds;
  }

  /** Begins to answer and to look after table and records. */
  async start(): Promise<void> {
    this.#lifetime.signal.throwIfAborted();
    if (this.#upkeep) return;
    this.#holding.open();
    this.#deps.transport.serve(this.handle);
    this.#upkeep = this.#maintenance.run(this.#lifetime.signal);
  }

  /**
   * The machine slept, its clock jumped or its network changed: everybody known is asked whether
   * they are there, and what waits for its turn is tried at once.
   */
  wake(): void {
    this.#maintenance.wake();
  }

  /** What is denied has changed: held records that must go are dropped now. */
  reconsider(): void {
    this.#holding.reconsider();
  }

  /**
   * Says to those who list us that we leave, and offers what few others hold. Resolves when that is
   * done or `signal` aborts; `stop` comes after it.
   */
  async leave({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { table, caller } = this.#routing;
    const { isServer } = this.#deps;
    // Who cannot be reached is listed by nobody.
    const told = table
      .closest(this.#self, toldMax)
      .filter(({ endpoint }) => isServer(endpoint.ip))
      .map((contact) => caller.call(contact, { method: 'leave' }, signal));
    await Promise.allSettled([...told, this.#holding.handOver(signal)]);
  }

  /** Contacts that were lost sight of, see `table/lost.ts`. */
  lost(): readonly Contact[] {
    return this.#routing.lost();
  }

  #forget(contact: Contact): void {
    this.#holding.neighbourLeft(contact);
    this.#routing.left(contact);
    this.#newcomers.withdraw(contact);
  }

  /** Ends everything under way, with ABORTED for who waits for it. */
  async stop(): Promise<void> {
    this.#lifetime.abort(new AltNetError('ABORTED', {}));
    await this.#upkeep;
    await this.#newcomers.settled();
    await this.#holding.settled();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Gets to know the network through `seeds`, which are remembered for when the table runs empty.
   * Resolves with the contacts in the table: 0 when no seed answered.
   */
  async join(seeds: readonly Contact[], options: Abortable = {}): Promise<number> {
    await this.#routing.join(seeds, this.#scope(options.signal));
    return this.#routing.table.size;
  }

  /** The k servers nearest to `target` that answer. */
  async lookup(target: Bytes, options: Abortable = {}): Promise<LookupResult> {
    return this.#routing.lookup(target, this.#scope(options.signal));
  }

  /** See `NetworkRecords`, as for all that follow. */
  gather(key: Bytes, options?: GatherOptions): AsyncGenerator<Gathered, GatherEnd> {
    return this.#records.gather(key, options);
  }

  fetchRecords(
    from: Contact,
    key: Bytes,
    ids: readonly Bytes[],
    options?: FetchOptions,
  ): Promise<readonly SignedRecord[]> {
    return this.#records.fetchRecords(from, key, ids, options);
  }

  fetchDigests(from: Contact, key: Bytes, options?: Abortable): Promise<readonly RecordDigest[]> {
    return this.#records.fetchDigests(from, key, options);
  }

  store(record: SignedRecord, options?: StoreOptions): Promise<StoreResult> {
    return this.#records.store(record, options);
  }

  approach(key: Bytes, options?: StoreOptions): Approach {
    return this.#records.approach(key, options);
  }

  /** See `announceRecord`. */
  announce(
    record: SignedRecord,
    { except = [], signal }: Abortable & { readonly except?: readonly Bytes[] | undefined } = {},
  ): Promise<number> {
    const { table, caller } = this.#routing;
    const { random } = this.#deps.world;
    return announceRecord(record, except, { table, caller, random, signal: this.#scope(signal) });
  }

  /** Ends with `signal` or with the DHT, whichever is first. */
  #scope(signal: AbortSignal | undefined): AbortSignal {
    const lifetime = this.#lifetime.signal;
    if (lifetime.aborted) throw abortReason(lifetime);
    signal?.throwIfAborted();
    return signal ? AbortSignal.any([signal, lifetime]) : lifetime;
  }

  #makeHolding(shared: Omit<DhtDeps, 'self'> & { readonly self: Bytes }): Holding {
    const { table, caller } = this.#routing;
    const deps = {
      ...shared,
      table,
      caller,
      networkSize: () => this.networkSize(),
      sieveFor: (key: Bytes) => this.#records.sieveFor({ key, reserved: true }),
      store: async (record: SignedRecord, signal: AbortSignal): Promise<void> => {
        await this.store(record, { signal });
      },
      signal: this.#lifetime.signal,
    };
    return new Holding(deps, this.#options);
  }

  #makeNewcomers(): Newcomers {
    const { signal } = this.#lifetime;
    const wants = (contact: Contact): boolean => this.#routing.table.wants(contact);
    const ping = async (contact: Contact): Promise<void> => {
      await this.#routing.ping(contact, signal);
    };
    const { timers } = this.#deps.world;
    return new Newcomers({ timers, wants, ping, signal }, this.#options);
  }
}
