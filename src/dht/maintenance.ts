/**
 * What a node does unasked: keeps its table alive, its place known, and the records that it holds
 * held by others. When, is here; how, its port does.
 */
import { sleep } from '../base/abort.ts';
import type { World } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import type { Logger } from '../base/logger.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import type { SignedRecord } from '../record/envelope.ts';
import { repushAtMs } from './keeping.ts';
import { repeat, type Round } from './loops.ts';
import type { Routing } from './routing.ts';
import type { Storage } from './storage.ts';

export interface MaintenanceOptions {
  /** One random contact is sent a PING. */
  readonly livenessIntervalMs: number;
  /** Our own ID is looked up: soon after the start, when others join as well … */
  readonly ownLookupMinMs: number;
  /** … then ever less often, up to this. */
  readonly ownLookupIntervalMs: number;
  /** A bucket without a lookup for so long gets one. */
  readonly bucketIdleMs: number;
  /** Held records are looked through. */
  readonly sweepIntervalMs: number;
  /** An empty table tries the seeds again, at first after so long, then ever slower … */
  readonly rejoinMinMs: number;
  /** … up to this. */
  readonly rejoinMaxMs: number;
}

const second = 1000;
const minute = 60 * second;

export const maintenanceDefaults: MaintenanceOptions = {
  livenessIntervalMs: 10 * second,
  ownLookupMinMs: 10 * second,
  ownLookupIntervalMs: 10 * minute,
  bucketIdleMs: 60 * minute,
  sweepIntervalMs: 10 * minute,
  rejoinMinMs: second,
  rejoinMaxMs: minute,
};

export interface MaintenanceDeps {
  /** Our node ID. */
  readonly self: Bytes;
  readonly world: World;
  readonly log: Logger;
  readonly routing: Pick<Routing, 'table' | 'ping' | 'lookAround' | 'refresh' | 'join'>;
  readonly storage: Storage;
  /** Stores a record with those who should hold it. */
  readonly store: (record: SignedRecord, signal: AbortSignal) => Promise<void>;
}

/** Records looked at before others get their turn, and the pause in between. */
const sweepSlice = 256;
const sweepPauseMs = 20;
/** Records stored again after one sweep, and the pause between two of them. */
const repushMax = 1000;
const repushPauseMs = 250;
/** Rounds differ by up to a tenth, so that nodes started together drift apart. */
const jitter = 0.1;
const lookAroundGrowth = 4;

export class Maintenance {
  readonly #deps: MaintenanceDeps;
  readonly #options: MaintenanceOptions;
  /**
   * When each record was last stored again (monotonic): we may no longer be one of its holders,
   * and then our own copy is not refreshed by that.
   */
  readonly #pushedMs = new LruMap<string, number>(10_000);
  #rejoinDelayMs: number;
  #lookAroundDelayMs: number;

  constructor(deps: MaintenanceDeps, options: MaintenanceOptions = maintenanceDefaults) {
    this.#deps = deps;
    this.#options = options;
    this.#rejoinDelayMs = options.rejoinMinMs;
    this.#lookAroundDelayMs = options.ownLookupMinMs;
  }

  /** Resolves when `signal` has aborted and nothing is under way. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, world } = this.#deps;
    const rounds = this.#rounds();
    await Promise.all(rounds.map((round) => repeat(round, { timers: world.timers, log, signal })));
  }

  #rounds(): readonly Round[] {
    const { livenessIntervalMs, bucketIdleMs, sweepIntervalMs } = this.#options;
    const { routing } = this.#deps;
    const every = (ms: number) => (): number => this.#jittered(ms);
    return [
      {
        name: 'liveness',
        delayMs: every(livenessIntervalMs),
        run: (signal) => this.#checkOne(signal),
      },
      {
        name: 'look around',
        delayMs: () => this.#untilLookAround(),
        run: async (signal) => {
          if (routing.table.size > 0) await routing.lookAround(signal);
        },
      },
      {
        name: 'refresh',
        delayMs: every(bucketIdleMs / 10),
        run: (signal) => routing.refresh(bucketIdleMs, signal),
      },
      { name: 'sweep', delayMs: every(sweepIntervalMs), run: (signal) => this.#sweep(signal) },
      {
        name: 'rejoin',
        delayMs: () => this.#untilRejoin(),
        run: (signal) => this.#rejoinIfAlone(signal),
      },
    ];
  }

  #jittered(ms: number): number {
    return ms * (1 + jitter * (2 * this.#deps.world.random.fraction() - 1));
  }

  async #checkOne(signal: AbortSignal): Promise<void> {
    const { routing, world } = this.#deps;
    const contacts = routing.table.contacts();
    const contact = contacts[Math.floor(world.random.fraction() * contacts.length)];
    if (contact) await routing.ping(contact, signal);
  }

  /** Forgets held records that are due, and stores again what nobody refreshed. */
  async #sweep(signal: AbortSignal): Promise<void> {
    const { storage, world, store } = this.#deps;
    const repush: SignedRecord[] = []; // BOUNDED by repushMax
    let looked = 0;
    for (const held of storage.entries()) {
      await storage.dropIfDue(held);
      if (repush.length < repushMax && this.#shouldRepush(held.stored)) {
        repush.push(held.stored.record);
      }
      if (++looked % sweepSlice === 0) await sleep(world.timers, sweepPauseMs, signal);
    }
    for (const record of repush) {
      this.#pushedMs.set(toHex(record.hash), world.clock.monotonicMs());
      await store(record, signal);
      await sleep(world.timers, repushPauseMs, signal);
    }
  }

  #shouldRepush(stored: Parameters<typeof repushAtMs>[0]): boolean {
    const { self, world } = this.#deps;
    const nowMs = world.clock.unixMs();
    const atMs = repushAtMs(stored, self);
    if (atMs === undefined || nowMs < atMs || stored.record.expires * 1000 <= nowMs) return false;
    const pushedMs = this.#pushedMs.get(toHex(stored.record.hash));
    const intervalMs = atMs - stored.refreshedMs;
    return pushedMs === undefined || world.clock.monotonicMs() - pushedMs >= intervalMs;
  }

  #untilLookAround(): number {
    const delayMs = this.#lookAroundDelayMs;
    const longestMs = this.#options.ownLookupIntervalMs;
    this.#lookAroundDelayMs = Math.min(delayMs * lookAroundGrowth, longestMs);
    return this.#jittered(delayMs);
  }

  #untilRejoin(): number {
    return this.#deps.routing.table.size > 0
      ? this.#options.livenessIntervalMs
      : this.#rejoinDelayMs;
  }

  async #rejoinIfAlone(signal: AbortSignal): Promise<void> {
    const { routing } = this.#deps;
    if (routing.table.size === 0) {
      this.#rejoinDelayMs = Math.min(2 * this.#rejoinDelayMs, this.#options.rejoinMaxMs);
      await routing.join([], signal);
    } else {
      this.#rejoinDelayMs = this.#options.rejoinMinMs;
    }
  }
}
