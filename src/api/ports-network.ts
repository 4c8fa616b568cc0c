/**
 * What the API asks of the node about itself and the network around it, in the shapes that users
 * see as JSON.
 */
import type { CallOptions } from './call-options.ts';

export interface KeyInfo {
  node: string;
  nodePublicKey: string;
  author: string;
  authorPublicKey: string;
}

export interface PeerLine {
  id: string;
  address: string;
  /** dht: in the routing table; connection: an open libp2p connection. */
  via: 'dht' | 'connection';
  rttMs?: number;
  /** Seconds since it last answered. */
  seenSeconds?: number;
}

/** Whether this node holds records for others. */
export interface ModeInfo {
  mode: 'server' | 'client';
  /** Why it is a client. */
  reason?: string;
  /** "ip:port" under which others see it, when enough of them agree. */
  address?: string;
  /** What its clock lacks to that of the others, in seconds; negative when it is ahead. */
  clockOffsetSeconds?: number;
  /** How others connect to it (docs/spec/nat.md, "Reachability"). */
  reachability?: 'public' | 'mapped' | 'punchable' | 'relayed' | 'unknown';
}

export interface DhtInfo extends ModeInfo {
  table: number;
  buckets: { distanceBits: number; contacts: number }[];
  networkSize: number;
  records: number;
  requests: Record<string, number>;
  /** Records of others that were not taken, by status. */
  refused: Record<string, number>;
  /** Datagrams, and why some were dropped (docs/spec/packets.md). */
  packets: Record<string, number>;
}

export interface StatsResult extends ModeInfo {
  node: string;
  author: string;
  listen: string;
  peers: number;
  table: number;
  records: number;
  blocks: number;
  bytes: number;
  budget: number;
  uptime: number;
  /** "host:port" of the relays through which others reach this node, those that work first. */
  relays: string[];
  /** Of a relay: nodes that are reached through it. */
  relayedNodes?: number;
  /** Sites, files and values by why they are here, those that are not complete included. */
  own: number;
  copies: number;
  visited: number;
  /** Lists of revokers that this node goes by, and those of which a newer one should have come. */
  revokers: number;
  staleRevokers: number;
  /** Unix seconds: since when the first of them is stale. */
  revocationsStaleSince?: number;
  /** Those that signed lists that contradict each other. */
  contradictoryRevokers: number;
  /** Own ones that had fewer copies elsewhere than wanted when they were last looked at. */
  fewCopies: number;
  /** Own names whose registrar's certificate ends within 30 days; absent for none. */
  certificatesEnding?: number;
  /** Unix seconds: the latest of these looks; absent before the first. */
  looked?: number;
}

export interface NetworkServices {
  keys(): KeyInfo;
  stats(): Promise<StatsResult>;
  peers(): Promise<PeerLine[]>;
  dht(): Promise<DhtInfo>;
  /** One node by ID (64 or first 40 digits), or every node of the table. */
  ping(
    id: string | undefined,
    options?: CallOptions,
  ): Promise<{ id: string; address: string; ms?: number; error?: string }[]>;
  find(id: string, options?: CallOptions): Promise<{ id: string; address: string }[]>;
  /** "host:port" or "host:port#<node ID>". */
  bootstrap(
    address: string,
    options?: CallOptions,
  ): Promise<{ id: string; address: string; table: number }>;
}
