/**
 * What a node does unasked: keeps its table alive and its place known, and whatever else comes
 * round. When, is here; how, its port does.
 */
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { Nudge, repeat, type Round } from './loops.ts';
import type { Routing } from './lookup/routing.ts';
import { Sweep } from './sweep.ts';

export interface MaintenanceOptions {
  /** The contact that was silent for longest is sent a PING … */
  readonly livenessIntervalMs: number;
  /** … or sooner, so that each gets one within this time … */
  readonly livenessRoundMs: number;
  /** … and so long after one that went unanswered. */
  readonly livenessAgainMs: number;
  /** One of those that were lost is asked: while many are missed that went together … */
  readonly lostIntervalMs: number;
  /** … and else, as who went alone looks for the others itself. */
  readonly lostAloneIntervalMs: number;
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
  /** … up to this … */
  readonly rejoinMaxMs: number;
  /** … and after it was empty for so long … */
  readonly rejoinPatienceMs: number;
  /** … up to this. */
  readonly rejoinLateMs: number;
}

const second = 1000;
const minute = 60 * second;

export const maintenanceDefaults: MaintenanceOptions = {
  livenessIntervalMs: 10 * second,
  // Contacts are handed on when they answered within a quarter of an hour.
  livenessRoundMs: 12 * minute,
  livenessAgainMs: second,
  lostIntervalMs: 30 * second,
  lostAloneIntervalMs: 5 * minute,
  ownLookupMinMs: 2 * second,
  ownLookupIntervalMs: 10 * minute,
  ownLookupsSkippedMax: 5,
  bucketIdleMs: 60 * minute,
  rejoinMinMs: second,
  rejoinMaxMs: 15 * second,
  rejoinPatienceMs: 10 * minute,
  rejoinLateMs: 30 * second,
};

export interface MaintenanceDeps {
  readonly world: World;
  readonly log: Logger;
  readonly routing: Pick<
    Routing,
    | 'table'
    | 'ping'
    | 'lookAround'
    | 'neighboursChanged'
    | 'refresh'
    | 'rejoin'
    | 'loseAll'
    | 'misses'
    | 'probeLost'
    | 'whenSuspicious'
  >;
  /** What comes round besides, see `holding.ts`. */
  readonly others: readonly Round[];
}

/** Rounds differ by up to a tenth, so that nodes started together drift apart. */
const jitter = 0.1;
const lookAroundGrowth = 4;
/** Contacts of old that are asked together when nobody is known: at first … */
const recalledMax = 16;
/** … and when that did not help: one of four is likely to be there as soon as the network is. */
const recalledMin = 4;
/** A round that waits to be asked for. */
const idleMs = 60 * minute;

export class Maintenance {
  readonly #deps: MaintenanceDeps;
  readonly #options: MaintenanceOptions;
  readonly #sweep: Sweep;
  readonly #nudges = { sweep: new Nudge(), rejoin: new Nudge(), look: new Nudge() };
  #rejoinDelayMs: number;
  /** Monotonic: since when nobody is known, and whether an attempt is due at once. */
  #aloneSinceMs: number | undefined;
  #isAwoken = false;
  #lookAroundDelayMs: number;
  /** Rounds of looking around that are skipped when nothing changes, and that are left of them. */
  #skipped = 0;
  #toSkip = 0;

  constructor(deps: MaintenanceDeps, options: MaintenanceOptions = maintenanceDefaults) {
    this.#deps = deps;
    this.#options = options;
    this.#rejoinDelayMs = options.rejoinMinMs;
    this.#lookAroundDelayMs = options.ownLookupMinMs;
    this.#sweep = new Sweep(deps);
    deps.routing.whenSuspicious(() => {
      this.#sweep.suspect();
      this.#nudges.sweep.now();
    });
  }

  /**
   * The node slept, or its network changed: what it knows may be wrong, and what it waits for may
   * be possible now.
   */
  wake(): void {
    this.#sweep.all();
    this.#isAwoken = true;
    this.#rejoinDelayMs = this.#options.rejoinMinMs;
    this.#lookAroundDelayMs = this.#options.ownLookupMinMs;
    for (const nudge of Object.values(this.#nudges)) nudge.now();
  }

  /** Resolves when `signal` has aborted and nothing is under way. */
  async run(signal: AbortSignal): Promise<void> {
    const { log, world } = this.#deps;
    const rounds = this.#rounds();
    await Promise.all(rounds.map((round) => repeat(round, { timers: world.timers, log, signal })));
  }

  #rounds(): readonly Round[] {
    const { bucketIdleMs, lostIntervalMs, lostAloneIntervalMs } = this.#options;
    const { routing, others } = this.#deps;
    const { sweep, rejoin, look } = this.#nudges;
    const every = (ms: number) => (): number => this.#jittered(ms);
    return [
      {
        name: 'liveness',
        delayMs: () => this.#untilLiveness(),
        run: (signal) => this.#checkOne(signal),
      },
      {
        name: 'sweep',
        delayMs: () => this.#sweep.untilDueMs() ?? idleMs,
        run: (signal) => this.#sweepTable(signal),
        nudge: sweep,
      },
      {
        name: 'lost',
        delayMs: () => this.#jittered(routing.misses() ? lostIntervalMs : lostAloneIntervalMs),
        run: (signal) => this.#probeLost(signal),
      },
      {
        name: 'look around',
        delayMs: () => this.#untilLookAround(),
        run: (signal) => this.#lookAround(signal),
        nudge: look,
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
        nudge: rejoin,
      },
      ...others,
    ];
  }

  #jittered(ms: number): number {
    return ms * (1 + jitter * (2 * this.#deps.world.random.fraction() - 1));
  }

  #untilLiveness(): number {
    const { livenessIntervalMs, livenessRoundMs, livenessAgainMs } = this.#options;
    const { table } = this.#deps.routing;
    const inRoundMs = livenessRoundMs / Math.max(1, table.size);
    const isMissed = (table.stalest()?.misses ?? 0) > 0;
    return this.#jittered(isMissed ? livenessAgainMs : Math.min(livenessIntervalMs, inRoundMs));
  }

  async #checkOne(signal: AbortSignal): Promise<void> {
    const { routing } = this.#deps;
    const entry = routing.table.stalest();
    if (entry) await routing.ping(entry.contact, signal);
  }

  async #sweepTable(signal: AbortSignal): Promise<void> {
    if (this.#sweep.untilDueMs() !== 0) return;
    await this.#sweep.round(signal);
    if (this.#deps.routing.table.size === 0) this.#nudges.rejoin.now();
  }

  async #probeLost(signal: AbortSignal): Promise<void> {
    const { routing } = this.#deps;
    if (routing.table.size > 0) await routing.probeLost(signal);
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
    if (this.#deps.routing.table.size > 0) return this.#options.livenessIntervalMs;
    return this.#isAwoken ? 0 : this.#jittered(this.#rejoinDelayMs);
  }

  async #rejoinIfAlone(signal: AbortSignal): Promise<void> {
    const { routing, world } = this.#deps;
    const { rejoinMinMs, rejoinMaxMs, rejoinPatienceMs, rejoinLateMs } = this.#options;
    this.#isAwoken = false;
    if (routing.table.size > 0) {
      this.#rejoinDelayMs = rejoinMinMs;
      this.#aloneSinceMs = undefined;
      return;
    }
    const nowMs = world.clock.monotonicMs();
    this.#aloneSinceMs ??= nowMs;
    const isPatient = nowMs - this.#aloneSinceMs >= rejoinPatienceMs;
    const attempts = this.#rejoinDelayMs / rejoinMinMs;
    this.#rejoinDelayMs = Math.min(2 * this.#rejoinDelayMs, isPatient ? rejoinLateMs : rejoinMaxMs);
    await routing.rejoin(Math.max(recalledMin, recalledMax / attempts), signal);
  }
}
