/** What a node is started with. The command line fills it in; nothing below `node/` sees it whole. */
import type { ModeOptions } from '../dht/mode/mode.ts';
import type { NetworkProfileName } from '../record/network.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

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
  /** Here for one task: it asks and publishes, but holds and provides nothing for others. */
  readonly guest: boolean;
  /** How it learns whether it is a server; for tests, which have less time and fewer networks. */
  readonly mode?: Partial<Omit<ModeOptions, 'role'>> | undefined;
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
  readonly dns: null;
  /** Where a browser opens the example site, when it was published. */
  readonly guide?: string;
  /** Sentences for the user, such as a default port that was taken. */
  readonly notes: readonly string[];
}
