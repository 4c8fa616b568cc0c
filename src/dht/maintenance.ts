/**
 * What a node does unasked: keeps its table alive and its place known, and whatever else comes
 * round. When, is here; how, its port does.
 */
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { repeat, type Round } from './loops.ts';
import type { Routing } from './lookup/routing.ts';

export interface MaintenanceOptions {
  /** One random contact is sent a PING. */
  readonly livenessIntervalMs: number;
  /** Our own ID is looked up: soon after the start, when others join as well … */
  readonly ownLookupMinMs: number;
  /** … then ever less often, up to this … */
  readonly ownLookupIntervalMs: number;
  /** … and while the same nodes are near, up to so many rounds of it are left out. */
  readonly ownLookupsSkippedMax: number;
  /** A bucket without a lookup for so long gets one. */
  readonly bucketIdleMs: number;
  /** An empty table tries the seeds again, at first after so long, then ever slower … */
  readonly rejoinMinMs: number;
  /** … up to this. */
  readonly rejoinMaxMs: number;
}

const second = 1000;
const minute = 60 * second;

export const maintenanceDefaults: MaintenanceOptions = {
  livenessIntervalMs: 10 * second,
  ownLookupMinMs: 2 * second,
  ownLookupIntervalMs: 10 * minute,
  ownLookupsSkippedMax: 5,
  bucketIdleMs: 60 * minute,
  rejoinMinMs: second,
  rejoinMaxMs: minute,
};

export interface MaintenanceDeps {
  readonly world: World;
  readonly log: Logger;
  readonly routing: Pick<
    Routing,
    'table' | 'ping' | 'lookAround' | 'neighboursChanged' | 'refresh' | 'join'
  >;
  /** What comes round besides, see `holding.ts`. */
  readonly others: readonly Round[];
}

/** Rounds differ by up to a tenth, so that nodes started together drift apart. */
const jitter = 0.1;
const lookAroundGrowth = 4;

export class Maintenance {
  readonly #deps: MaintenanceDeps;
  readonly #options: MaintenanceOptions;
  #rejoinDelayMs: number;
  #lookAroundDelayMs: number;
  /** Rounds of looking around that are skipped when nothing changes, and that are left of them. */
  #skipped = 0;
  #toSkip = 0;

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
    const { livenessIntervalMs, bucketIdleMs } = this.#options;
    const { routing, others } = this.#deps;
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
        run: (signal) => this.#lookAround(signal),
      },
      {
        name: 'refresh',
        delayMs: every(bucketIdleMs / 10),
        run: (signal) => routing.refresh(bucketIdleMs, signal),
      },
      {
        name: 'rejoin',
        delayMs: () => this.#untilRejoin(),
        run: (signal) => this.#rejoinIfAlone(signal),
      },
      ...others,
    ];
  }

  #jittered(ms: number): number {
    return ms * (1 + jitter * (2 * this.#deps.world.random.fraction() - 1));
  }

  async #checkOne(signal: AbortSignal): Promise<void> {
    const { routing, world } = this.#deps;
    const entry = routing.table.pick(world.random.fraction());
    if (entry) await routing.ping(entry.contact, signal);
  }

  /** Where nothing changes there is little to learn: then more and more rounds are skipped. */
  async #lookAround(signal: AbortSignal): Promise<void> {
    const { routing } = this.#deps;
    if (routing.table.size === 0) return;
    if (!routing.neighboursChanged() && this.#toSkip > 0) {
      this.#toSkip--;
      return;
    }
    const changed = await routing.lookAround(signal);
    const isSettled = this.#lookAroundDelayMs >= this.#options.ownLookupIntervalMs;
    const more = Math.min(2 * this.#skipped + 1, this.#options.ownLookupsSkippedMax);
    this.#skipped = changed || !isSettled ? 0 : more;
    this.#toSkip = this.#skipped;
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
