/** What a node is started with. The command line fills it in; nothing below `node/` sees it whole. */
import type { ModeOptions } from '../dht/mode/mode.ts';
import type { NetworkProfileName } from '../record/network.ts';
import type { TcpProofOptions } from './tcp-proof.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** A service at an address; one that the user did not choose moves to the next free port. */
export interface ServiceAddress {
  /** host:port. */
  readonly address: string;
  readonly explicit: boolean;
}

export interface TlsOptions extends ServiceAddress {
  /** Folder of the certificate authority of this installation, absolute. */
  readonly caDir: string;
}

export interface DnsOptions extends ServiceAddress {
  /** What names resolve to: at most one IPv4 and one IPv6 address. */
  readonly ips: readonly string[];
  /** host:port of resolvers for all other names; empty: those of the system. */
  readonly upstream: readonly string[];
}

export interface RelayOptions {
  /** host:port where this node serves as a relay; undefined: it does not. */
  readonly listen: string | undefined;
  /** "host:port" or "host:port#<node ID>" of relays to use; empty: found by itself when needed. */
  readonly via: readonly string[];
  /** Whether relays are looked for by itself while others cannot reach this node. */
  readonly search: boolean;
  /** What one relayed connection may carry in each direction. */
  readonly connectionBytesMax: number;
  readonly connectionMs: number;
  /** Nodes that may be reached through this relay at a time. */
  readonly slotsMax: number;
}

export const relayDefaults: RelayOptions = {
  listen: undefined,
  via: [],
  search: true,
  connectionBytesMax: 2 ** 30,
  connectionMs: 3_600_000,
  slotsMax: 1000,
};

export interface NodeOptions {
  /** UDP (DHT) and TCP (connections) on this host:port. */
  readonly listen: string;
  /** A port that the user chose is an error when taken; a default one moves to the next free. */
  readonly listenExplicit: boolean;
  /** "host:port" or "host:port#<node ID>". */
  readonly bootstrap: readonly string[];
  /** host:port; undefined: no gateway. */
  readonly gateway: string | undefined;
  readonly gatewayExplicit: boolean;
  /** The HTTPS gateway; undefined: none. */
  readonly gatewayTls: TlsOptions | undefined;
  /** The authority that tunnels use where there is no HTTPS gateway; else "ca" in the data folder. */
  readonly caDir?: string | undefined;
  /** undefined: no DNS service. */
  readonly dns: DnsOptions | undefined;
  /** The ending of names in hosts and in DNS: "alt". */
  readonly tld: string;
  /** host:port of the HTTP API; undefined: none. */
  readonly registrar: string | undefined;
  readonly registrarExplicit: boolean;
  /** host:port of metrics and health; undefined: none. */
  readonly metrics: string | undefined;
  readonly metricsExplicit: boolean;
  /** Else made once and kept in the data folder. */
  readonly registrarToken?: string | undefined;
  /** Directly reachable from the whole Internet, so a server for everybody at once. */
  readonly public: boolean;
  readonly relay: RelayOptions;
  /** Find nodes of the same local network, and be found there (mDNS). */
  readonly mdns: boolean;
  /** Ask the router to let others in (UPnP, NAT-PMP). */
  readonly portMapping: boolean;
  /** Here for one task: it asks and publishes, but holds and provides nothing for others. */
  readonly guest: boolean;
  /** How it learns whether it is a server; for tests, which have less time and fewer networks. */
  readonly mode?: Partial<Omit<ModeOptions, 'role'>> | undefined;
  /** How often it is tested whether others connect to it; for tests as well. */
  readonly tcpProof?: Partial<TcpProofOptions> | undefined;
  readonly network: NetworkProfileName;
  /** Data folder, absolute. */
  readonly data: string;
  /** Where the lists are of whom to trust and what to deny, absolute; else the data folder. */
  readonly trustFolder?: string | undefined;
  /** Key folder, absolute. */
  readonly keydir: string;
  readonly logLevel: LogLevel;
  readonly logFormat: 'text' | 'json';
  readonly storeBudgetBytes: number;
  readonly perPeerBudgetBytes: number;
  readonly replicas: number;
  /** How often a node looks whether what it holds has enough other holders; at most an hour. */
  readonly repairIntervalMs: number;
  /** Publish the example site at first start. */
  readonly publishGuide: boolean;
}

/** What a started node says of itself: the ready line. Addresses are the real ones. */
export interface ReadyInfo {
  readonly node: string;
  readonly author: string;
  readonly authorPublicKey: string;
  readonly listen: string;
  readonly gateway: string | null;
  readonly registrar: string | null;
  readonly metrics: string | null;
  readonly gatewayTls: string | null;
  readonly dns: string | null;
  /** Where this node is a relay. */
  readonly relay: string | null;
  /** Relays through which others reach it by now. */
  readonly relays: readonly string[];
  /** Where a browser opens the example site, when it was published. */
  readonly guide?: string;
  /** Sentences for the user, such as a default port that was taken. */
  readonly notes: readonly string[];
}
