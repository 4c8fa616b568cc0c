/** A snapshot of a node in which every metric has something to tell. */
import { Durations, type DurationsSnapshot } from '../../src/base/durations.ts';
import type { NodeSnapshot } from '../../src/metrics/snapshot.ts';

function durations(...seconds: number[]): DurationsSnapshot {
  const all = new Durations([0.1, 1]);
  for (const one of seconds) all.add(one);
  return all.snapshot();
}

export const sampleSnapshot: NodeSnapshot = {
  nodeId: '0a'.repeat(32),
  shortId: '0a'.repeat(20),
  version: '1.2.3',
  listen: '127.0.0.1:9000',
  advertised: ['/ip4/127.0.0.1/tcp/9000'],
  isServer: true,
  reachability: { public: 1, mapped: 0, punchable: 0, relayed: 0, unknown: 0 },
  clockOffsetSeconds: -0.5,
  uptimeSeconds: 12.75,
  unixSeconds: 1_800_000_100,
  dht: {
    table: 20,
    networkSize: 123.4,
    received: { ping: 3, find: 4 },
    answered: { get: 5 },
    unanswered: { get: 1, store: 2 },
    refused: { RATE: 7 },
    lookups: { nodes: durations(0.05, 2), records: durations(0.5) },
    records: { name: 1, link: 2, provider: 3, contact: 0, pkName: 0, revocations: 1 },
    recordBytes: 999,
    packets: { 'init.rate': 8, 'cookie.sent': 9, 'call.token-renewed': 1 },
  },
  peers: {
    inbound: 2,
    outbound: 3,
    peers: 4,
    streams: 6,
    refused: 1,
    traffic: {
      sync: { receivedBytes: 1000, sentBytes: 2000 },
      keep: { receivedBytes: 1, sentBytes: 2 },
    },
  },
  relays: {
    places: 2,
    served: { reservations: 3, circuits: 4, bytes: 5000, refused: { full: 1, network: 2 } },
  },
  store: {
    blocks: 10,
    bytes: 11,
    budgetBytes: 12,
    evicted: 13,
    holdings: { own: 1, copy: 2, visited: 3 },
    incomplete: 1,
  },
  copies: {
    offered: { kept: 6, budget: 1 },
    taken: { kept: 2, far: 3 },
    few: 1,
    unserved: { peer: 1, idle: 2 },
  },
  gateway: {
    answers: { 200: 5, 404: 1, none: 1 },
    bytes: 5000,
    durations: durations(0.01),
    connections: 2,
  },
  dns: {
    received: { udp: 10, tcp: 2, https: 1 },
    answered: { 'site.NOERROR': 6, 'foreign.NXDOMAIN': 2 },
    upstream: { cached: 3, answered: 2 },
    limited: { lookups: 1 },
    lookups: 4,
    cacheBytes: 2048,
  },
  apiAnswers: { 200: 3, 401: 1 },
  revocations: {
    lists: [
      { state: 'fresh', inForce: 4, issued: 1_800_000_000, equivocated: false },
      { state: 'stale', inForce: 2, issued: 1_799_999_000, equivocated: true },
      { state: 'unknown', inForce: 0, issued: undefined, equivocated: false },
    ],
    passedOn: 5,
    told: 9,
  },
  trust: { registrars: 1, revokers: 3, blocklist: 100 },
  denied: { 'block.revoked': 4, 'url.blocked': 1 },
  resolved: { ok: 12, new: 1, 'not-found': 3 },
  linkSearches: { found: 2, none: 5, 'broken-off': 1 },
  countedNames: 7,
};
