/** What simulated nodes sent, in all and by method; datagrams and octets without UDP/IP headers. */
import type { Method } from '../src/dht/ports.ts';

export interface MethodTraffic {
  /** Requests, without retransmissions. */
  requests: number;
  unanswered: number;
  /** Datagrams, in either direction. */
  packets: number;
  bytes: number;
}

export type TrafficCounts = Readonly<Record<Method, MethodTraffic>>;

const methods: readonly Method[] = [
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
  return { requests: 0, unanswered: 0, packets: 0, bytes: 0 };
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
    for (const what of ['requests', 'unanswered', 'packets', 'bytes'] as const) {
      since[method][what] = now[method][what] - before[method][what];
    }
  }
  return since;
}

export function totalTraffic(counts: TrafficCounts): MethodTraffic {
  const total = nothing();
  for (const method of methods) {
    for (const what of ['requests', 'unanswered', 'packets', 'bytes'] as const) {
      total[what] += counts[method][what];
    }
  }
  return total;
}
