/** What the parts of a node say of themselves, gathered when somebody reads the metrics. */
import type { Api } from '../api/api.ts';
import { formatEndpoint } from '../base/address.ts';
import { toHex } from '../base/bytes.ts';
import { unixSeconds } from '../base/clock.ts';
import type { DnsService } from '../dns/dns-service.ts';
import type { Gateway } from '../gateway/gateway.ts';
import { shortId } from '../identity/contact.ts';
import type { MetricsSource } from '../metrics/metrics.ts';
import type {
  DhtSnapshot,
  NodeSnapshot,
  PeersSnapshot,
  StoreSnapshot,
} from '../metrics/snapshot.ts';
import { programName } from './own-contact.ts';
import type { Parts } from './parts.ts';
import { reachabilities } from './reachability.ts';
import type { NetworkContext } from './services-network.ts';

export interface SnapshotContext extends NetworkContext {
  /** Undefined without one. */
  readonly gateway: Pick<Gateway, 'counts'> | undefined;
  readonly dns: Pick<DnsService, 'counts'> | undefined;
  readonly api: Pick<Api, 'answers'> | undefined;
}

const noTraffic = { receivedBytes: 0, sentBytes: 0 };

export function metricsSource(parts: Parts, context: SnapshotContext): MetricsSource {
  return {
    take: () => snapshotOf(parts, context),
    traffic: () => trafficOf(parts.peers)['sync'] ?? noTraffic,
  };
}

function snapshotOf(
  parts: Parts,
  { startedMs, gateway, dns, api, ...context }: SnapshotContext,
): NodeSnapshot {
  const {
    identity,
    transport,
    peers,
    mode,
    sites,
    trust,
    revocations,
    names,
    links,
    stats,
    world,
  } = parts;
  const [listen] = transport.address();
  const { copies, unserved } = sites.counts();
  return {
    nodeId: toHex(identity.node.id),
    shortId: shortId(identity.node.id),
    version: programName.replace(/^.*\//, ''),
    listen: listen ? formatEndpoint(listen) : '',
    advertised: peers.addresses(),
    isServer: mode.isServer(),
    reachability: reachabilityIn(parts),
    clockOffsetSeconds: mode.status().clockOffsetSeconds,
    uptimeSeconds: (world.clock.monotonicMs() - startedMs) / 1000,
    unixSeconds: unixSeconds(world.clock),
    dht: dhtOf(parts),
    peers: peersOf(parts),
    relays: { places: parts.relays.used().length, served: parts.relays.served() },
    store: storeOf(parts, context),
    copies: { ...copies, few: sites.copiesHealth().few, unserved },
    gateway: gateway?.counts(),
    dns: dns?.counts(),
    apiAnswers: api?.answers() ?? {},
    revocations: revocations.freshness(),
    trust: {
      registrars: trust.registrars.list().length,
      revokers: trust.revokers.list().length,
      blocklist: trust.blocklist.count,
    },
    denied: trust.denials.counts(),
    resolved: names.counts(),
    linkSearches: links.counts(),
    countedNames: stats.size,
  };
}

function reachabilityIn({ waysIn }: Parts): NodeSnapshot['reachability'] {
  const holds = waysIn.reachability();
  return Object.fromEntries(reachabilities.map((word) => [word, Number(word === holds)]));
}

function dhtOf({ dht, transport }: Parts): DhtSnapshot {
  return {
    ...dht.counters(),
    table: dht.table.size,
    networkSize: dht.networkSize(),
    records: dht.heldKinds(),
    recordBytes: dht.held().bytes,
    packets: transport.counters(),
  };
}

function peersOf({ peers, reception }: Parts): PeersSnapshot {
  const connections = peers.connections();
  const received = reception.streams; // each has a connection to itself, and the peer has another
  const inbound = connections.filter(({ direction }) => direction === 'inbound').length;
  return {
    inbound,
    outbound: connections.length - inbound + received,
    peers: new Set(connections.map(({ publicKey }) => toHex(publicKey))).size,
    streams: connections.reduce((sum, { streams }) => sum + streams, received),
    refused: peers.refusedConnections,
    traffic: trafficOf(peers),
  };
}

/** "/altnet/sync/1" becomes "sync"; what a relay passes on, by two protocols, "circuit". */
function trafficOf(peers: Parts['peers']): PeersSnapshot['traffic'] {
  const sums: Record<string, { receivedBytes: number; sentBytes: number }> = {};
  for (const [protocol, { receivedBytes, sentBytes }] of Object.entries(peers.traffic())) {
    const name = protocol.split('/')[2] ?? protocol;
    const before = sums[name] ?? noTraffic;
    sums[name] = {
      receivedBytes: before.receivedBytes + receivedBytes,
      sentBytes: before.sentBytes + sentBytes,
    };
  }
  return sums;
}

function storeOf(
  { store }: Parts,
  { storeBudgetBytes }: Pick<SnapshotContext, 'storeBudgetBytes'>,
): StoreSnapshot {
  const { own, replica: copy, visited, incomplete } = store.counted();
  return {
    blocks: store.blocks.stats().blocks,
    bytes: store.holdings.usage().bytes,
    budgetBytes: storeBudgetBytes,
    evicted: store.evicted(),
    holdings: { own, copy, visited },
    incomplete,
  };
}
