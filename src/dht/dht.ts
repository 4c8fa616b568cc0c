/**
 * The distributed hash table as the rest of the program uses it. It only puts the parts together:
 * finding nodes (routing), holding records (storage, handler), finding and storing them (gather,
 * storing) and upkeep (maintenance). No sockets, no files: see ports.ts.
 */
import { abortReason } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Contact } from '../identity/contact.ts';
import type { SignedRecord } from '../record/envelope.ts';
import type { RecordKind } from '../record/kinds.ts';
import type { NetworkProfile } from '../record/network.ts';
import { isAmongClosest, isTooFar } from './closeness.ts';
import { Counters, type DhtCounts } from './counters.ts';
import { compareDistance } from './distance.ts';
import {
  collect,
  type Gathered,
  type GatherEnd,
  type GatherOptions,
  type Paths,
} from './gather.ts';
import { Handler, handlerDefaults, type HandlerDeps, type HandlerOptions } from './handler.ts';
import { lookupDefaults, type LookupOptions, type LookupResult } from './lookup.ts';
import { Maintenance, maintenanceDefaults, type MaintenanceOptions } from './maintenance.ts';
import { newcomerDefaults, type NewcomerOptions, Newcomers } from './newcomers.ts';
import type { RecordDigest, RecordStore, ReplyInfo, RequestHandler, Transport } from './ports.ts';
import { askForRecords, getRequest, ownAnswer, readDigests, readRecords } from './reading.ts';
import { Routing } from './routing.ts';
import { RecordSieve, type Wanted } from './sieve.ts';
import { Storage, storageDefaults, type StorageOptions } from './storage.ts';
import { storeAt, type StoreResult } from './storing.ts';
import { tableDefaults, type TableOptions, type TableView } from './table.ts';

export interface DhtOptions
  extends
    TableOptions,
    LookupOptions,
    StorageOptions,
    MaintenanceOptions,
    NewcomerOptions,
    HandlerOptions {}

export const dhtDefaults: DhtOptions = {
  ...tableDefaults,
  ...lookupDefaults,
  ...storageDefaults,
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
  /** Our signed contact record, for PING. */
  readonly contactRecord: () => Bytes | undefined;
  /**
   * Whether others can reach us: only then do we hold records for them. With an address, whether
   * who asks from there can.
   */
  readonly isServer: (askerIp?: Bytes) => boolean;
  /** Told of every answer to a request of ours (mode/ learns our address from it). */
  readonly observe?: ((by: Contact, info: ReplyInfo) => void) | undefined;
  readonly reach?: HandlerDeps['reach'];
  readonly onNonce?: HandlerDeps['onNonce'];
}

export interface Abortable {
  readonly signal?: AbortSignal | undefined;
}

export interface StoreOptions extends Abortable {
  /** Whom to offer it instead of those that a lookup finds. */
  readonly targets?: readonly Contact[] | undefined;
  /** Disjoint paths of the lookup: 1 when left out. */
  readonly paths?: Paths | undefined;
}

export interface FetchOptions extends Abortable {
  /** Only records of this kind. */
  readonly kind?: RecordKind | undefined;
}

export class Dht {
  readonly #deps: DhtDeps;
  readonly #options: DhtOptions;
  readonly #self: Bytes;
  readonly #routing: Routing;
  readonly #storage: Storage;
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
    const isFar = (key: Bytes): boolean => this.#isTooFar(key);
    const storage = new Storage({ ...shared, isTooFar: isFar }, this.#options);
    this.#storage = storage;
    this.#newcomers = this.#makeNewcomers();
    const offer = (contact: Contact): void => this.#newcomers.offer(contact);
    const { table } = routing;
    this.#handler = new Handler({ ...shared, table, storage, offer }, this.#options);
    const store = async (record: SignedRecord, signal: AbortSignal): Promise<void> => {
      await this.store(record, { signal });
    };
    this.#maintenance = new Maintenance({ ...shared, routing, storage, store }, this.#options);
  }

  /** Answers one request; `start` gives it to the transport. */
  readonly handle: RequestHandler = (from, request) => this.#handler.handle(from, request);

  get table(): TableView {
    return this.#routing.table;
  }

  /** Servers in the network, ourselves included: an estimate, and at least those we know. */
  networkSize(): number {
    return Math.max(this.#routing.networkSize.estimate(), this.#routing.table.size + 1);
  }

  counters(): DhtCounts {
    return this.#counters.snapshot();
  }

  /** Records held for the network, and their bytes. */
  held(): { readonly records: number; readonly bytes: number } {
    return this.#storage.totals;
  }

  /** Begins to answer and to look after table and records. */
  async start(): Promise<void> {
    this.#lifetime.signal.throwIfAborted();
    if (this.#upkeep) return;
    this.#storage.open();
    this.#deps.transport.serve(this.handle);
    this.#upkeep = this.#maintenance.run(this.#lifetime.signal);
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
    await this.#routing.join(seeds, this.#scope(options.signal));
    return this.#routing.table.size;
  }

  /** The k servers nearest to `target` that answer. */
  async lookup(target: Bytes, options: Abortable = {}): Promise<LookupResult> {
    return this.#routing.lookup(target, { signal: this.#scope(options.signal) });
  }

  /**
   * What those who should hold `key` hold under it, each answer as it comes, our own first. Who
   * stops reading ends all requests; the totals are the generator's return value.
   */
  async *gather(key: Bytes, options: GatherOptions = {}): AsyncGenerator<Gathered, GatherEnd> {
    const signal = this.#scope(options.signal);
    const { isServer, world } = this.#deps;
    const request = getRequest(key, options);
    const sieve = this.#sieveFor({ ...options, key });
    const self = this.#self;
    const nowMs = world.clock.unixMs();
    const own = ownAnswer(this.#storage.list(key), request, { self, nowMs, sieve });
    const counted = isServer();
    const { caller } = this.#routing;
    const { kind, pagesMax, width: k = this.#options.k } = options;
    const ask = askForRecords(request, { caller, sieve, k, kind, pagesMax });
    const holdsSome = own.records.length + own.digests.length > 0;
    return yield* collect({
      own: counted || holdsSome ? own : undefined,
      counted,
      walk: this.#routing.walk(key, { ask, signal }),
      enough: options.enough,
    });
  }

  /**
   * The records under `key` that one holder announced by digest: those whose hashes start with
   * `ids`, verified, asked for two at a time. Rejects as requests do when it answers none of them.
   */
  async fetchRecords(
    from: Contact,
    key: Bytes,
    ids: readonly Bytes[],
    { kind, signal }: FetchOptions = {},
  ): Promise<readonly SignedRecord[]> {
    const sieve = this.#sieveFor({ key, kind, reserved: true });
    const reading = { caller: this.#routing.caller, sieve, signal: this.#scope(signal) };
    return readRecords(from, { key, ids }, reading);
  }

  /** What one holder says it holds under `key`. Rejects as requests do. */
  async fetchDigests(
    from: Contact,
    key: Bytes,
    { signal }: Abortable = {},
  ): Promise<readonly RecordDigest[]> {
    return readDigests(from, key, { caller: this.#routing.caller, signal: this.#scope(signal) });
  }

  /**
   * Stores a record with the k nearest servers, this one included when it is one of them: those of
   * `targets` when there are any, else those that a lookup finds.
   */
  async store(record: SignedRecord, options: StoreOptions = {}): Promise<StoreResult> {
    const signal = this.#scope(options.signal);
    const { key } = record;
    const { k } = this.#options;
    const { targets = [] } = options;
    const closest =
      targets.length > 0 ? targets : (await this.#routing.lookup(key, { signal })).closest;
    const nearest = closest.toSorted((a, b) => compareDistance(key, a.id, b.id)).slice(0, k);
    const here = this.#deps.isServer() && isAmongClosest(this.#self, { key, closest: nearest, k });
    return storeAt(here ? ['self', ...nearest.slice(0, k - 1)] : nearest, {
      record,
      caller: this.#routing.caller,
      sieve: this.#sieveFor({ key, reserved: true }),
      storeHere: () => this.#storage.accept(record.bytes, { source: '' }),
      signal,
    });
  }

  /** Ends with `signal` or with the DHT, whichever is first. */
  #scope(signal: AbortSignal | undefined): AbortSignal {
    const lifetime = this.#lifetime.signal;
    if (lifetime.aborted) throw abortReason(lifetime);
    signal?.throwIfAborted();
    return signal ? AbortSignal.any([signal, lifetime]) : lifetime;
  }

  #sieveFor(wanted: Wanted): RecordSieve {
    return new RecordSieve({ ...this.#deps, clock: this.#deps.world.clock }, wanted);
  }

  #isTooFar(key: Bytes): boolean {
    return isTooFar(key, {
      self: this.#self,
      contacts: this.#routing.table.contacts(),
      networkSize: this.networkSize(),
      k: this.#options.k,
    });
  }

  #makeNewcomers(): Newcomers {
    const { signal } = this.#lifetime;
    const wants = (id: Bytes): boolean => this.#routing.table.wants(id);
    const ping = async (contact: Contact): Promise<void> => {
      await this.#routing.ping(contact, signal);
    };
    const { timers } = this.#deps.world;
    return new Newcomers({ timers, wants, ping, signal }, this.#options);
  }
}
