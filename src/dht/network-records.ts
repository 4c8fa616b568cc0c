/**
 * The records that the network holds: read from those who should hold them, and stored with them.
 * It brings lookups, the checks of what comes back and the offers together. What this node holds
 * itself is storage's, and whether a record is kept alive the publisher's.
 */
import { type Abortable, abortReason } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Contact } from '../identity/contact.ts';
import type { RecordReader } from '../record/acceptance.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { type RecordKind, storeStatuses } from '../record/kinds.ts';
import type { NetworkProfile } from '../record/network.ts';
import type { Storage } from './holding/storage.ts';
import type { Paths } from './lookup/lookup.ts';
import type { Routing, WalkGoal } from './lookup/routing.ts';
import { placeRecord } from './placing/placing.ts';
import type { StoreResult } from './placing/storing.ts';
import type { RecordDigest } from './ports.ts';
import {
  collect,
  type Gathered,
  type GatherEnd,
  type GatherOptions,
  holdsNothing,
} from './reading/gather.ts';
import {
  askForRecords,
  getRequest,
  ownAnswer,
  readDigests,
  readRecords,
} from './reading/reading.ts';
import { RecordSieve, type Wanted } from './reading/sieve.ts';
import type { RecordDenials } from './rules/denial.ts';

export interface StoreOptions extends Abortable {
  /** Whom to offer it instead of those that a lookup finds. */
  readonly targets?: readonly Contact[] | undefined;
  /** Disjoint paths of the lookup: 1 when left out. */
  readonly paths?: Paths | undefined;
}

/** Those who should hold a record are being found; `place` offers it to them. */
export interface Approach {
  /** Once. Like `store`, with what was found by now. */
  place(record: SignedRecord): Promise<StoreResult>;
  /** There is nothing to place after all; harmless after `place`. */
  abandon(): void;
}

export interface FetchOptions extends Abortable {
  /** Only records of this kind. */
  readonly kind?: RecordKind | undefined;
}

export interface NetworkRecordsDeps {
  /** Our node ID. */
  readonly self: Bytes;
  readonly routing: Routing;
  /** What we hold ourselves. */
  readonly storage: Storage;
  readonly world: World;
  readonly profile: NetworkProfile;
  /** `networkId(profile)`. */
  readonly network: Bytes;
  readonly reader?: RecordReader | undefined;
  /** What is brought to nobody; left out: nothing. */
  readonly denies?: RecordDenials | undefined;
  /** Whether we hold records for others. */
  readonly isServer: () => boolean;
  /** A signal that aborts with this one and with the DHT; throws once either has. */
  readonly scope: (signal: AbortSignal | undefined) => AbortSignal;
}

/** Nobody was asked: this node itself would not take it. */
const refusedHere: StoreResult = {
  stored: 0,
  asked: 1,
  refusals: [{ status: storeStatuses.REVOKED, count: 1, conflicting: [] }],
  holders: [],
};

export class NetworkRecords {
  readonly #deps: NetworkRecordsDeps;
  /** How many holders a search asks, when it is not told. */
  readonly #k: number;

  constructor(deps: NetworkRecordsDeps, { k }: { readonly k: number }) {
    this.#deps = deps;
    this.#k = k;
  }

  /**
   * What those who should hold `key` hold under it, each answer as it comes, our own first. Who
   * stops reading ends all requests; the totals are the generator's return value.
   */
  async *gather(key: Bytes, options: GatherOptions = {}): AsyncGenerator<Gathered, GatherEnd> {
    const { self, routing, storage, isServer, world, scope } = this.#deps;
    const signal = scope(options.signal);
    const request = getRequest(key, options);
    const sieve = this.sieveFor({ ...options, key });
    const nowMs = world.clock.unixMs();
    const own = ownAnswer(storage.list(key), request, { self, nowMs, sieve });
    const counted = isServer();
    const { kind, pagesMax, width = this.#k } = options;
    const asking = { caller: routing.caller, sieve, k: width, kind, pagesMax };
    const ask = askForRecords(request, asking);
    const soFar: Gathered[] = []; // BOUNDED by the requests of one lookup, and ourselves
    const goal: WalkGoal = {
      reach: options.reach ?? 'near',
      width,
      paths: options.paths ?? 1,
      patience: options.patience ?? 'thorough',
      goesOn: () => soFar.every(holdsNothing),
    };
    return yield* collect({
      own: counted || !holdsNothing(own) ? own : undefined,
      counted,
      walk: routing.walk(key, { ask, goal, signal }),
      soFar,
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
    const { routing, scope } = this.#deps;
    const sieve = this.sieveFor({ key, kind, reserved: true });
    const reading = { caller: routing.caller, sieve, signal: scope(signal) };
    return readRecords(from, { key, ids }, reading);
  }

  /** What one holder says it holds under `key`. Rejects as requests do. */
  async fetchDigests(
    from: Contact,
    key: Bytes,
    { signal }: Abortable = {},
  ): Promise<readonly RecordDigest[]> {
    const { routing, scope } = this.#deps;
    return readDigests(from, key, { caller: routing.caller, signal: scope(signal) });
  }

  /**
   * Stores a record with its storage set, this node included when it belongs to it: those of
   * `targets` when there are any, else those that a lookup finds, each as soon as it is found.
   */
  async store(record: SignedRecord, options: StoreOptions = {}): Promise<StoreResult> {
    if (this.#deps.denies?.(record)) return refusedHere;
    return this.#place(record.key, Promise.resolve(record), options);
  }

  /** Begins to find those who should hold a record that is still in the making. */
  approach(key: Bytes, options: StoreOptions = {}): Approach {
    const { promise, resolve, reject } = Promise.withResolvers<SignedRecord>();
    const placed = this.#place(key, promise, options);
    placed.catch(() => undefined); // told to who places
    return {
      place: (record) => {
        if (this.#deps.denies?.(record)) {
          reject(new AltNetError('ABORTED', {}));
          return Promise.resolve(refusedHere);
        }
        resolve(record);
        return placed;
      },
      abandon: () => reject(new AltNetError('ABORTED', {})),
    };
  }

  /** `signal` ends it until there is a result; what goes on after that ends with the DHT. */
  async #place(
    key: Bytes,
    record: Promise<SignedRecord>,
    { targets = [], paths = 1, signal }: StoreOptions,
  ): Promise<StoreResult> {
    const { self, routing, storage, world, isServer, scope } = this.#deps;
    scope(signal); // not aborted yet
    const controller = new AbortController();
    const onAbort = (): void => controller.abort(abortReason(signal));
    signal?.addEventListener('abort', onAbort, { once: true });
    const placement = { key, record, targets, paths };
    record.catch((error: unknown) => controller.abort(error));
    try {
      return await placeRecord(placement, {
        routing,
        world,
        sieve: this.sieveFor({ key, reserved: true }),
        isServer: isServer(),
        storeHere: ({ bytes }) => storage.accept(bytes, { source: '' }),
        self,
        signal: scope(controller.signal),
      });
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  /** For what others hand us. */
  sieveFor(wanted: Wanted): RecordSieve {
    return new RecordSieve({ ...this.#deps, clock: this.#deps.world.clock }, wanted);
  }
}
