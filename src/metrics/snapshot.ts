/**
 * What a node says of itself when somebody reads its metrics: plain numbers of one moment, put
 * together by who knows the parts. Every name in a `Counts` is a constant of the program: no peer,
 * name or address ever becomes a label.
 */
import type { DurationsSnapshot } from '../base/durations.ts';

/** Numbers by name. */
export type Counts = Readonly<Record<string, number>>;

export interface DhtSnapshot {
  readonly table: number;
  readonly networkSize: number;
  /** Requests of others, and our own with and without an answer, by method. */
  readonly received: Counts;
  readonly answered: Counts;
  readonly unanswered: Counts;
  /** Records that were not taken, by status. */
  readonly refused: Counts;
  readonly lookups: Readonly<Record<string, DurationsSnapshot>>;
  /** Records that are held, by kind. */
  readonly records: Counts;
  readonly recordBytes: number;
  /** Datagrams, by "kind.event". */
  readonly packets: Counts;
}

export interface PeersSnapshot {
  readonly inbound: number;
  readonly outbound: number;
  /** Different nodes among them. */
  readonly peers: number;
  readonly streams: number;
  readonly refused: number;
  /** By protocol: "sync". */
  readonly traffic: Readonly<
    Record<string, { readonly receivedBytes: number; readonly sentBytes: number }>
  >;
}

export interface RelaysSnapshot {
  /** Relays at which this node has a place. */
  readonly places: number;
  /** Of a relay: nodes that have a place here, connections, bytes, and refusals by why. */
  readonly served:
    | {
        readonly reservations: number;
        readonly circuits: number;
        readonly bytes: number;
        readonly refused: Counts;
      }
    | undefined;
}

export interface StoreSnapshot {
  readonly blocks: number;
  readonly bytes: number;
  readonly budgetBytes: number;
  readonly evicted: number;
  /** Holdings by kind, and those that are not complete. */
  readonly holdings: Counts;
  readonly incomplete: number;
}

export interface CopiesSnapshot {
  readonly offered: Counts;
  readonly taken: Counts;
  /** Own sites with fewer copies than wanted at the last look. */
  readonly few: number;
  /** Streams of readers that were refused or cut short. */
  readonly unserved: Counts;
}

export interface HttpSnapshot {
  /** Answers by status. */
  readonly answers: Counts;
  readonly bytes: number;
  readonly durations: DurationsSnapshot;
  readonly connections: number;
}

export interface DnsSnapshot {
  /** Messages by transport. */
  readonly received: Counts;
  /** Answers by "kind.RCODE". */
  readonly answered: Counts;
  /** What became of questions to other resolvers. */
  readonly upstream: Counts;
  /** What was turned away, by the limit. */
  readonly limited: Counts;
  /** Searches for names that questions made necessary. */
  readonly lookups: number;
  readonly cacheBytes: number;
}

export interface RevocationsSnapshot {
  readonly lists: readonly {
    readonly state: 'fresh' | 'stale' | 'unknown';
    readonly inForce: number;
    /** Unix seconds. */
    readonly issued: number | undefined;
    readonly equivocated: boolean;
  }[];
  /** Records of lists: passed on, and heard of by so many nodes. */
  readonly passedOn: number;
  readonly told: number;
}

export interface NodeSnapshot {
  readonly nodeId: string;
  readonly shortId: string;
  readonly version: string;
  readonly listen: string;
  readonly advertised: readonly string[];
  readonly isServer: boolean;
  /** 1 under the word that holds, 0 under the others. */
  readonly reachability: Readonly<Record<string, number>>;
  /** What our clock lacks to that of others; undefined while too few can be compared. */
  readonly clockOffsetSeconds: number | undefined;
  readonly uptimeSeconds: number;
  readonly unixSeconds: number;
  readonly dht: DhtSnapshot;
  readonly peers: PeersSnapshot;
  readonly relays: RelaysSnapshot;
  readonly store: StoreSnapshot;
  readonly copies: CopiesSnapshot;
  /** Undefined when switched off. */
  readonly gateway: HttpSnapshot | undefined;
  /** Undefined when switched off. */
  readonly dns: DnsSnapshot | undefined;
  /** Of the API, by status. */
  readonly apiAnswers: Counts;
  readonly revocations: RevocationsSnapshot;
  /** Keys or rules in force, by list. */
  readonly trust: Counts;
  /** What was asked for and is denied here, by "what.why". */
  readonly denied: Counts;
  /** Names that were answered, by state. */
  readonly resolved: Counts;
  /** Searches for links, by what came of them. */
  readonly linkSearches: Counts;
  /** Names whose visits are counted. */
  readonly countedNames: number;
}
