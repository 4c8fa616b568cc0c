/**
 * A node's metrics and whether it is well: what the endpoint tells (docs/spec/metrics.md). It takes
 * numbers from the node when somebody asks, and counts nothing of the node's work itself.
 */
import type { CancelTimer, World } from '../base/clock.ts';
import { contentFamilies } from './families-content.ts';
import { dnsFamilies } from './families-dns.ts';
import { networkFamilies } from './families-network.ts';
import { httpFamilies, processFamilies } from './families-process.ts';
import { relayFamilies } from './families-relay.ts';
import type { Family } from './family.ts';
import { type MetricsDocument, metricsDocument } from './json.ts';
import { RateMeter, sampleEveryMs, type Traffic } from './rates.ts';
import { MetricsRegistry, type MetricsText, type TextFormat } from './registry.ts';
import { Runtime, type RuntimeSnapshot } from './runtime.ts';
import type { NodeSnapshot } from './snapshot.ts';

/** starting: it listens, and is not in the network yet. */
export type Health = 'starting' | 'ready' | 'stopping';

export interface MetricsSource {
  /** At any time from now on; cheap. */
  readonly take: () => NodeSnapshot;
  /** Of the exchange of blocks; cheaper still. */
  readonly traffic: () => Traffic;
}

export const nodeFamilies: readonly Family<NodeSnapshot>[] = [
  ...networkFamilies,
  ...relayFamilies,
  ...contentFamilies,
  ...httpFamilies,
  ...dnsFamilies,
];

export class Metrics {
  /** For the node to say. */
  health: Health = 'starting';
  readonly #world: Pick<World, 'clock' | 'timers'>;
  readonly #registry = new MetricsRegistry();
  readonly #runtime = new Runtime();
  readonly #rates: RateMeter;
  #source: MetricsSource | undefined;
  #cancel: CancelTimer | undefined;

  constructor(world: Pick<World, 'clock' | 'timers'>) {
    this.#world = world;
    this.#rates = new RateMeter(world.clock);
  }

  start(): void {
    this.#runtime.start();
    const take = (): RuntimeSnapshot => this.#runtime.snapshot();
    this.#registry.add({ families: processFamilies, take });
  }

  /** Idempotent. */
  stop(): void {
    this.#cancel?.();
    this.#runtime.stop();
  }

  /** Once, when all parts of the node are there. */
  follow(source: MetricsSource): void {
    this.#source = source;
    this.#registry.add({ families: nodeFamilies, take: source.take });
    this.#sampleRates(source);
  }

  /** Undefined before there is a node to tell of. */
  async text(format: TextFormat): Promise<MetricsText | undefined> {
    return this.#source && this.#registry.text(format);
  }

  /** Likewise. */
  document(): MetricsDocument | undefined {
    const source = this.#source;
    if (!source) return undefined;
    const rates = this.#rates.rates(source.traffic());
    return metricsDocument(source.take(), this.#runtime.snapshot(), rates);
  }

  #sampleRates(source: MetricsSource): void {
    this.#rates.sample(source.traffic());
    this.#cancel = this.#world.timers.after(sampleEveryMs, () => this.#sampleRates(source));
  }
}
