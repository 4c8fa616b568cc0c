/**
 * The metrics as text: prom-client registries of this node's own, filled from one snapshot when
 * somebody asks. Between two scrapes nothing is done here.
 */
import type { Metric, OpenMetricsContentType, Registry } from 'prom-client';
import type { DurationsSample, Family } from './family.ts';

export type TextFormat = 'prometheus' | 'openmetrics';

export interface MetricsText {
  readonly contentType: string;
  readonly text: string;
}

/** Families with where their snapshot comes from. */
export interface Collected<S> {
  readonly families: readonly Family<S>[];
  readonly take: () => S;
}

/** A sample as the registry writes it. */
interface Value {
  /** Where it is another than the family's: "…_bucket". */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

type Registries = Readonly<Record<TextFormat, Registry | Registry<OpenMetricsContentType>>>;

export class MetricsRegistry {
  readonly #renewals: (() => void)[] = []; // BOUNDED by the calls of add()
  readonly #metrics: (() => Metric)[] = []; // BOUNDED by the families
  #registries: Promise<Registries> | undefined;

  /** Before the first scrape. */
  add<S>({ families, take }: Collected<S>): void {
    let snapshot = take();
    this.#renewals.push(() => {
      snapshot = take();
    });
    for (const family of families) {
      // The registry asks a metric for no more than this; its type wants all of a counter.
      this.#metrics.push(() => new GivenMetric(family, () => snapshot) as unknown as Metric);
    }
  }

  async text(format: TextFormat): Promise<MetricsText> {
    const registries = await (this.#registries ??= this.#load());
    for (const renew of this.#renewals) renew();
    const registry = registries[format];
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  /** Only now: most nodes are never asked, and need not wait for the package at their start. */
  async #load(): Promise<Registries> {
    const { Registry } = await import('prom-client');
    const openmetrics = new Registry<OpenMetricsContentType>();
    openmetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    const registries = { prometheus: new Registry(), openmetrics };
    for (const registry of Object.values(registries)) {
      for (const make of this.#metrics) registry.registerMetric(make());
    }
    return registries;
  }
}

/** A metric whose numbers are kept elsewhere. */
class GivenMetric<S> {
  /** The registry takes "_total" off the name of a counter where the format wants that. */
  name: string;
  readonly help: string;
  readonly type: Family<S>['type'];
  readonly #values: () => Value[];

  constructor(family: Family<S>, snapshot: () => S) {
    this.name = family.name;
    this.help = family.help;
    this.type = family.type;
    this.#values = () =>
      family.type === 'histogram'
        ? family.read(snapshot()).flatMap((sample) => bucketsOf(family.name, sample))
        : [...family.read(snapshot())];
  }

  async get(): Promise<{ name: string; help: string; type: string; values: Value[] }> {
    return { name: this.name, help: this.help, type: this.type, values: this.#values() };
  }
}

/** Ranges become cumulative: each counts those below it as well. */
function bucketsOf(
  name: string,
  { labels, durations: { bounds, counts, sumSeconds } }: DurationsSample,
): Value[] {
  let sum = 0;
  const buckets = counts.map((count, i) => {
    sum += count;
    const le = bounds[i] ?? '+Inf';
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: sum };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sumSeconds },
    { metricName: `${name}_count`, labels, value: sum },
  ];
}
