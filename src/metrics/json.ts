/**
 * The metrics as one object of JSON, in the words that existing clients read (docs/spec/metrics.md,
 * "JSON"). Pure.
 */
import type { Rates } from './rates.ts';
import type { RuntimeSnapshot } from './runtime.ts';
import type { Counts, NodeSnapshot } from './snapshot.ts';

export interface MetricsDocument {
  peer_id: string;
  short_id: string;
  listen_address: string;
  advertised_addresses: string[];
  is_public: boolean;
  /** Of a relay, nodes that have a place there; else relays at which this node has one. */
  relay_registrations: number;
  connected_peers: number;
  unique_conns: number;
  routing_table_size: number;
  store_entries: number;
  store_bytes: number;
  store_budget: number;
  uptime_sec: number;
  /** Always 0, for clients that expect it: there are no such routines here. */
  num_goroutine: 0;
  version: string;
  network_size: number;
  records: Record<string, number>;
  record_bytes: number;
  holdings: Record<string, number>;
  evictions: number;
  copies_few: number;
  exchange: {
    received_bytes: number;
    sent_bytes: number;
    received_bytes_per_sec: number;
    sent_bytes_per_sec: number;
  };
  gateway: { responses: Record<string, number>; bytes: number; connections: number } | null;
  revocations: { fresh: number; stale: number; unknown: number; contradictions: number };
  trust: Record<string, number>;
  heap_bytes: number;
  rss_bytes: number;
  cpu_sec: number;
}

export function metricsDocument(
  node: NodeSnapshot,
  own: RuntimeSnapshot,
  rates: Rates,
): MetricsDocument {
  const { dht, peers, relays, store, copies, gateway, revocations } = node;
  const { receivedBytes = 0, sentBytes = 0 } = peers.traffic['sync'] ?? {};
  const lists = { fresh: 0, stale: 0, unknown: 0 };
  for (const { state } of revocations.lists) lists[state]++;
  return {
    peer_id: node.nodeId,
    short_id: node.shortId,
    listen_address: node.listen,
    advertised_addresses: [...node.advertised],
    is_public: node.isServer,
    relay_registrations: relays.served?.reservations ?? relays.places,
    connected_peers: peers.peers,
    unique_conns: peers.inbound + peers.outbound,
    routing_table_size: dht.table,
    store_entries: store.blocks,
    store_bytes: store.bytes,
    store_budget: store.budgetBytes,
    uptime_sec: Math.floor(node.uptimeSeconds),
    num_goroutine: 0,
    version: node.version,
    network_size: Math.round(dht.networkSize),
    records: copyOf(dht.records),
    record_bytes: dht.recordBytes,
    holdings: copyOf(store.holdings),
    evictions: store.evicted,
    copies_few: copies.few,
    exchange: {
      received_bytes: receivedBytes,
      sent_bytes: sentBytes,
      received_bytes_per_sec: rates.receivedPerSecond,
      sent_bytes_per_sec: rates.sentPerSecond,
    },
    gateway: gateway
      ? {
          responses: copyOf(gateway.answers),
          bytes: gateway.bytes,
          connections: gateway.connections,
        }
      : null,
    revocations: {
      ...lists,
      contradictions: revocations.lists.filter(({ equivocated }) => equivocated).length,
    },
    trust: copyOf(node.trust),
    heap_bytes: own.heapUsedBytes,
    rss_bytes: own.residentBytes,
    cpu_sec: own.cpuSeconds,
  };
}

function copyOf(counts: Counts): Record<string, number> {
  return { ...counts };
}
