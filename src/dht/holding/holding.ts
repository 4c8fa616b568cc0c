/**
 * A node as holder of records for others: puts storage, checks of names, hand-off and storing again
 * together, and says what is to be done when. How requests travel and who is near, `dht.ts` knows.
 */
import { sleep } from '../../base/abort.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import type { Logger } from '../../base/logger.ts';
import { reasonOf } from '../../base/reason.ts';
import type { RecordReader } from '../../record/acceptance.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import type { NetworkProfile } from '../../record/network.ts';
import type { Contact } from '../../identity/contact.ts';
import type { Caller } from '../table/caller.ts';
import { isTooFar } from '../lookup/closeness.ts';
import { Copies } from './copies.ts';
import { handOver } from './hand-over.ts';
import { handOffPage } from './hand-off.ts';
import { Nudge, type Round } from '../loops.ts';
import type { RecordStore, StoredRecord, SyncReply } from '../ports.ts';
import { Recheck, recheckDefaults, type RecheckOptions } from './recheck.ts';
import { Repush } from './repush.ts';
import type { RecordSieve } from '../reading/sieve.ts';
import type { RecordDenials } from '../rules/denial.ts';
import { selectSigma, type SigmaSize, sigmaSize } from '../lookup/sigma.ts';
import { Storage, storageDefaults, type StorageOptions } from './storage.ts';
import { Sync, syncDefaults, type SyncOptions } from './sync.ts';
import type { TableView } from '../table/table.ts';

export interface HoldingOptions extends StorageOptions, RecheckOptions, SyncOptions {
  /** Held records are looked through. */
  readonly sweepIntervalMs: number;
  /** A server that has not yet asked its neighbours does so after so long … */
  readonly syncFirstMs: number;
  /** … and then again and again. */
  readonly syncIntervalMs: number;
  /** A neighbour that leaves makes places free: its part is asked for after up to so long. */
  readonly syncAfterLeaveMs: number;
}

const second = 1000;
const minute = 60 * second;

export const holdingDefaults: HoldingOptions = {
  ...storageDefaults,
  ...recheckDefaults,
  ...syncDefaults,
  sweepIntervalMs: 10 * minute,
  syncFirstMs: 30 * second,
  syncIntervalMs: 60 * minute,
  syncAfterLeaveMs: 2 * minute,
};

export interface HoldingDeps {
  /** Our node ID. */
  readonly self: Bytes;
  readonly records: RecordStore;
  readonly world: World;
  readonly log: Logger;
  readonly profile: NetworkProfile;
  readonly network: Bytes;
  readonly reader?: RecordReader | undefined;
  readonly table: TableView;
  readonly caller: Pick<Caller, 'call'>;
  /** Servers in the network, ourselves included. */
  readonly networkSize: () => number;
  readonly isServer: () => boolean;
  readonly earliestUnixMs?: (() => number) | undefined;
  readonly denies?: RecordDenials | undefined;
  readonly sieveFor: (key: Bytes) => Pick<RecordSieve, 'pass'>;
  /** Stores a record with those who should hold it. */
  readonly store: (record: SignedRecord, signal: AbortSignal) => Promise<void>;
  /** Ends checks that are under way. */
  readonly signal: AbortSignal;
}

/** Records looked at before others get their turn, and the pause in between. */
const sweepSlice = 256;
const sweepPauseMs = 20;
/** Between two rounds of asking neighbours, also when some of them leave. */
const syncRestMs = 10 * minute;
/** Records that could not be counted are counted again; twice as late each time. */
const countAgainMs = 1000;
const countAgainMaxMs = 10 * minute;
/** Rounds differ by up to a tenth, so that nodes started together drift apart. */
const jitter = 0.1;

export class Holding {
  readonly storage: Storage;
  readonly #deps: HoldingDeps;
  readonly #options: HoldingOptions & { readonly k: number };
  readonly #recheck: Recheck;
  readonly #sync: Sync;
  readonly #repush: Repush;
  readonly #handOver: (signal: AbortSignal) => Promise<void>;
  #opened: Promise<void> | undefined;
  readonly #syncNudge = new Nudge();
  readonly #sweepNudge = new Nudge();
  #isSweepDue = false;
  /** Monotonic. */
  #syncDueMs: number;
  #syncedMs = Number.NEGATIVE_INFINITY;
  /** Unix milliseconds. */
  #sweptMs: number;

  constructor(deps: HoldingDeps, options: HoldingOptions & { readonly k: number }) {
    this.#deps = deps;
    this.#options = options;
    const { self, world, table } = deps;
    const copies = new Copies();
    this.#sweptMs = world.clock.unixMs();
    this.#syncDueMs = world.clock.monotonicMs() + this.#jittered(options.syncFirstMs);
    this.storage = new Storage(
      {
        ...deps,
        clock: world.clock,
        isTooFar: (key) => this.#isTooFar(key),
        onClaim: (claim) => this.#recheck.claimed(claim),
      },
      options,
    );
    const { storage } = this;
    const voters = (key: Bytes): ReturnType<typeof selectSigma> =>
      selectSigma(key, this.#closest(key), this.#sigmaSize());
    this.#recheck = new Recheck({ ...deps, storage, voters }, options);
    const neighbours = (count: number): ReturnType<TableView['closest']> =>
      table.closest(self, count);
    this.#sync = new Sync({ ...deps, storage, neighbours, copies }, options);
    const closest = (key: Bytes, count: number): ReturnType<TableView['closest']> =>
      table.closest(key, count);
    const lookAgain = (record: SignedRecord, signal: AbortSignal): Promise<void> =>
      this.#recheck.lookAgain(record, signal);
    this.#repush = new Repush({ ...deps, storage, copies, closest, lookAgain });
    this.#handOver = (signal) => handOver({ ...deps, storage, copies, closest }, signal);
  }

  /** Begins to count what an earlier run left; nothing is taken until that is done. */
  open(): void {
    this.#opened ??= this.#count();
  }

  /** Until it succeeds: what kept the disk from being read may pass. Never rejects. */
  async #count(): Promise<void> {
    const { world, log, signal } = this.#deps;
    for (let waitMs = countAgainMs; ; waitMs = Math.min(2 * waitMs, countAgainMaxMs)) {
      try {
        return await this.storage.open(world.timers, signal);
      } catch (error) {
        if (signal.aborted) return;
        log.error('cannot read the held records', { why: reasonOf(error), againInMs: waitMs });
      }
      await sleep(world.timers, waitMs, signal).catch(() => undefined);
      if (signal.aborted) return;
    }
  }

  /** Resolves when nothing is under way; after an abort, soon. */
  async settled(): Promise<void> {
    await this.#opened;
    await this.#recheck.settled();
  }

  /** What `asker` should hold and we do, after `after`; nothing while we hold for nobody. */
  handOff(asker: Bytes, after: Bytes): SyncReply {
    const { storage } = this;
    const isAmongNearest: TableView['isAmongNearest'] = (...about) =>
      this.#deps.table.isAmongNearest(...about);
    const sigma = (): SigmaSize => this.#sigmaSize();
    return handOffPage(asker, after, { storage, isAmongNearest, sigmaSize: sigma });
  }

  rounds(): readonly Round[] {
    const { sweepIntervalMs } = this.#options;
    const { clock } = this.#deps.world;
    return [
      {
        name: 'sweep',
        delayMs: () => (this.#isSweepDue ? 0 : this.#jittered(sweepIntervalMs)),
        run: (signal) => this.#sweep(signal),
        nudge: this.#sweepNudge,
      },
      {
        name: 'sync',
        delayMs: () => Math.max(0, this.#syncDueMs - clock.monotonicMs()),
        run: (signal) => this.#syncIfServer(signal),
        nudge: this.#syncNudge,
      },
    ];
  }

  /** What is denied has changed: what must go goes now, and what was refused may come again. */
  reconsider(): void {
    this.#sync.reconsider();
    this.#isSweepDue = true;
    this.#sweepNudge.now();
  }

  /** We leave: what others may not have yet is offered to them. Ends when `signal` aborts. */
  async handOver(signal: AbortSignal): Promise<void> {
    const { table, isServer } = this.#deps;
    if (isServer() && table.size < this.#options.k) await this.#handOver(signal);
  }

  /**
   * A node leaves. Of what it held, others have as many copies but one; who takes its place fetches
   * them from those. Neighbours share the work by asking at times of their own.
   */
  neighbourLeft({ id }: Contact): void {
    const { self, table, world } = this.#deps;
    const { syncNeighbours, syncAfterLeaveMs } = this.#options;
    if (!table.isAmongNearest(id, self, syncNeighbours)) return;
    const nowMs = world.clock.monotonicMs();
    // Whoever comes and goes all the time does not make us ask all the time.
    const soonestMs = Math.max(nowMs, this.#syncedMs + syncRestMs);
    const dueMs = soonestMs + syncAfterLeaveMs * world.random.fraction();
    if (dueMs >= this.#syncDueMs) return;
    this.#syncDueMs = dueMs;
    this.#syncNudge.now();
  }

  /** Forgets held records that are due, and stores again what nobody refreshed. */
  async #sweep(signal: AbortSignal): Promise<void> {
    const { world } = this.#deps;
    const { settleAfterMs } = this.#options;
    const [sinceMs, nowMs] = [this.#sweptMs, world.clock.unixMs()];
    this.#sweptMs = nowMs;
    this.#isSweepDue = false;
    let looked = 0;
    for (const held of this.storage.entries()) {
      const { stored } = held;
      if (this.storage.isDue(held)) await this.storage.dropIfDue(held);
      const settledMs = stored.heldSinceMs + settleAfterMs;
      const isSettling = settledMs > sinceMs && settledMs <= nowMs;
      // What is taken up to be stored again is looked at again then.
      if (!this.#repush.consider(stored)) {
        if (isSettling) this.#recheck.again(stored);
        else if (this.#isOverdue(stored))
          this.#recheck.claimed({ key: stored.record.key, source: stored.source });
      }
      if (++looked % sweepSlice === 0) await sleep(world.timers, sweepPauseMs, signal);
    }
    await this.#repush.work(signal);
  }

  /** It found no place among those that wait for a check; withdrawals wait for none. */
  #isOverdue({ provisional, heldSinceMs, record }: StoredRecord): boolean {
    const waitedMs = this.#deps.world.clock.unixMs() - heldSinceMs;
    return provisional && !record.tombstone && waitedMs >= this.#options.confirmAfterMs;
  }

  async #syncIfServer(signal: AbortSignal): Promise<void> {
    const { isServer, table, log, world } = this.#deps;
    const { syncFirstMs, syncIntervalMs } = this.#options;
    const nowMs = world.clock.monotonicMs();
    const isAble = isServer() && table.size > 0;
    const hasSynced = isAble || this.#syncedMs > Number.NEGATIVE_INFINITY;
    this.#syncDueMs = nowMs + this.#jittered(hasSynced ? syncIntervalMs : syncFirstMs);
    if (!isAble) return;
    this.#syncedMs = nowMs;
    const { taken, fetched, pages } = await this.#sync.round(signal);
    if (taken > 0) log.info('took over records from neighbours', { taken, fetched, pages });
  }

  #closest(key: Bytes): ReturnType<TableView['closest']> {
    return this.#deps.table.closest(key, this.#sigmaSize().most);
  }

  #sigmaSize(): SigmaSize {
    return sigmaSize(this.#deps.networkSize(), this.#options.k);
  }

  #isTooFar(key: Bytes): boolean {
    const { self, table, networkSize } = this.#deps;
    const { k } = this.#options;
    const contacts = (): ReturnType<TableView['contacts']> => table.contacts();
    return isTooFar(key, { self, contacts, networkSize: networkSize(), k });
  }

  #jittered(ms: number): number {
    return ms * (1 + jitter * (2 * this.#deps.world.random.fraction() - 1));
  }
}
