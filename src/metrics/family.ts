/**
 * What a metric is: data, with how to read it from a snapshot. docs/spec/metrics.md lists the same
 * ones; a test keeps both equal. Pure.
 */
import type { DurationsSnapshot } from '../base/durations.ts';
import type { Counts } from './snapshot.ts';

export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface DurationsSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly durations: DurationsSnapshot;
}

interface Described {
  /** With its unit, and "_total" for a counter. */
  readonly name: string;
  /** A sentence. */
  readonly help: string;
  readonly labels: readonly string[];
}

export type Family<S> = Described &
  (
    | {
        readonly type: 'counter' | 'gauge';
        readonly read: (snapshot: S) => readonly Sample[];
      }
    | {
        readonly type: 'histogram';
        readonly read: (snapshot: S) => readonly DurationsSample[];
      }
  );

type Description = Pick<Described, 'name' | 'help'>;

/** Without labels; undefined leaves it out, where there is nothing to tell. */
export function single<S>(
  type: 'counter' | 'gauge',
  description: Description,
  read: (snapshot: S) => number | undefined,
): Family<S> {
  return {
    ...description,
    type,
    labels: [],
    read: (snapshot) => {
      const value = read(snapshot);
      return value === undefined ? [] : [{ labels: {}, value }];
    },
  };
}

/** One sample for each name that there is, under one label. */
export function labelled<S>(
  type: 'counter' | 'gauge',
  description: Description & { readonly label: string },
  read: (snapshot: S) => Counts,
): Family<S> {
  const { label, ...rest } = description;
  return { ...rest, type, labels: [label], read: (snapshot) => samplesOf(label, read(snapshot)) };
}

export function samplesOf(
  label: string,
  counts: Counts,
  others: Readonly<Record<string, string>> = {},
): Sample[] {
  return Object.entries(counts).map(([name, value]) => ({
    labels: { [label]: name, ...others },
    value,
  }));
}
