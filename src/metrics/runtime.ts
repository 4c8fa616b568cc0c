/**
 * The process as V8 and the event loop see it: lag, garbage collection, memory. It costs a native
 * timer and one callback for each collection; nothing here runs while nobody wants metrics.
 */
import {
  constants,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
} from 'node:perf_hooks';
import process from 'node:process';
import { Durations, type DurationsSnapshot } from '../base/durations.ts';

export interface RuntimeSnapshot {
  readonly lag: DurationsSnapshot;
  readonly collections: Readonly<Record<string, DurationsSnapshot>>;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  readonly externalBytes: number;
  readonly residentBytes: number;
  readonly cpuSeconds: number;
  readonly startedUnixSeconds: number;
}

type Delays = ReturnType<typeof monitorEventLoopDelay>;
/** What Node.js says of a collection; the type declarations lack it. */
type CollectionEntry = PerformanceEntry & { readonly detail?: { readonly kind?: number } };

const resolutionMs = 20;
const lagBoundsSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const gcBoundsSeconds = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1];
const gcKinds: ReadonlyMap<number, string> = new Map([
  [constants.NODE_PERFORMANCE_GC_MAJOR, 'major'],
  [constants.NODE_PERFORMANCE_GC_MINOR, 'minor'],
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL, 'incremental'],
  [constants.NODE_PERFORMANCE_GC_WEAKCB, 'weakcb'],
]);

export class Runtime {
  #lag: DurationsSnapshot = new Durations(lagBoundsSeconds).snapshot();
  readonly #collections = new Map<string, Durations>(); // BOUNDED by gcKinds
  #delays: Delays | undefined;
  #observer: PerformanceObserver | undefined;

  start(): void {
    if (this.#delays) return;
    for (const kind of gcKinds.values()) {
      this.#collections.set(kind, new Durations(gcBoundsSeconds));
    }
    this.#delays = monitorEventLoopDelay({ resolution: resolutionMs });
    this.#delays.enable();
    this.#observer = new PerformanceObserver((list) => {
      for (const { duration, detail } of list.getEntries() as CollectionEntry[]) {
        this.#collections.get(gcKinds.get(detail?.kind ?? 0) ?? '')?.add(duration / 1000);
      }
    });
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  /** Idempotent. What was counted stays. */
  stop(): void {
    this.snapshot();
    this.#observer?.disconnect();
    this.#delays?.disable();
    this.#observer = undefined;
    this.#delays = undefined;
  }

  snapshot(): RuntimeSnapshot {
    if (this.#delays) this.#lag = lagOf(this.#delays, this.#lag);
    const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
    const { user, system } = process.cpuUsage();
    const collections = [...this.#collections].map(
      ([kind, all]) => [kind, all.snapshot()] as const,
    );
    return {
      lag: this.#lag,
      collections: Object.fromEntries(collections),
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      externalBytes: external,
      residentBytes: rss,
      cpuSeconds: (user + system) / 1e6,
      startedUnixSeconds: Math.round(performance.timeOrigin / 1000),
    };
  }
}

/** All that was recorded, range by range: resetting it would lose what lasts at this moment. */
function lagOf(delays: Delays, before: DurationsSnapshot): DurationsSnapshot {
  const { count, mean } = delays;
  if (count === 0) return before;
  let below = 0;
  const counts = [...lagBoundsSeconds, Infinity].map((bound) => {
    const upTo = countUpTo(delays, bound * 1e9 + resolutionMs * 1e6);
    const within = upTo - below;
    below = upTo;
    return within;
  });
  const sumSeconds = (count * (mean - resolutionMs * 1e6)) / 1e9;
  // A timer may be early by a hair; a sum that sank would look like a restart.
  return { ...before, counts, sumSeconds: Math.max(before.sumSeconds, sumSeconds) };
}

/** How many of the recorded values are at most so many nanoseconds, by halving. */
function countUpTo(delays: Delays, ns: number): number {
  let [low, high] = [0, delays.count];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (delays.percentile((100 * middle) / delays.count) <= ns) low = middle;
    else high = middle - 1;
  }
  return low;
}
