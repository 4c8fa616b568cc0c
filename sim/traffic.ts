/** What simulated nodes sent, in all and by method; datagrams and octets without UDP/IP headers. */
import type { Method } from '../src/dht/ports.ts';

export interface MethodTraffic {
  /** Requests, without retransmissions. */
  requests: number;
  unanswered: number;
  /** Of those: by nodes that were cut off themselves. */
  unansweredCutOff: number;
  /** Datagrams, in either direction. */
  packets: number;
  bytes: number;
  /** Of those: requests of nodes that were cut off. */
  bytesCutOff: number;
}

export type TrafficCounts = Readonly<Record<Method, MethodTraffic>>;

const counted = [
  'requests',
  'unanswered',
  'unansweredCutOff',
  'packets',
  'bytes',
  'bytesCutOff',
] as const;

export const methods: readonly Method[] = [
  'ping',
  'find',
  'get',
  'store',
  'sync',
  'announce',
  'reach',
  'leave',
];

function nothing(): MethodTraffic {
  return {
    requests: 0,
    unanswered: 0,
    unansweredCutOff: 0,
    packets: 0,
    bytes: 0,
    bytesCutOff: 0,
  };
}

export function noTraffic(): TrafficCounts {
  return {
    ping: nothing(),
    find: nothing(),
    get: nothing(),
    store: nothing(),
    sync: nothing(),
    announce: nothing(),
    reach: nothing(),
    leave: nothing(),
  };
}

/** A copy, or what came since an earlier copy. */
export function trafficSince(
  now: TrafficCounts,
  before: TrafficCounts = noTraffic(),
): TrafficCounts {
  const since = noTraffic();
  for (const method of methods) {
    for (const what of counted) {
      since[method][what] = now[method][what] - before[method][what];
    }
  }
  return since;
}

export function trafficSum(a: TrafficCounts, b: TrafficCounts): TrafficCounts {
  const sum = noTraffic();
  for (const method of methods) {
    for (const what of counted) sum[method][what] = a[method][what] + b[method][what];
  }
  return sum;
}

export function totalTraffic(counts: TrafficCounts): MethodTraffic {
  const total = nothing();
  for (const method of methods) {
    for (const what of counted) {
      total[what] += counts[method][what];
    }
  }
  return total;
}
