/**
 * What the API asks of the node, in the shapes that users see as JSON (README, "JSON"). IDs, keys
 * and roots are lower-case hexadecimal; `cid` is the root as CID. The node implements it; the
 * command line uses the same interface whether the node is its own process or another.
 */
import type { ReplicaRefusal } from '../content/types.ts';
import type { NameState } from '../name/types.ts';
import type { CallOptions } from './call-options.ts';
import type { RelayServices } from './ports-relays.ts';
import type {
  BlocklistServices,
  RegistrarServices,
  RevocationServices,
  SiteStatsServices,
} from './ports-trust.ts';

export type { CallOptions } from './call-options.ts';

export interface KeyInfo {
  node: string;
  nodePublicKey: string;
  author: string;
  authorPublicKey: string;
}

export interface PublishInput {
  /** Absolute, on the node's machine. */
  path: string;
  /** Registered or updated, too; no ".alt" needed. */
  name?: string | undefined;
  /** The site stays also when a newer version takes its place. */
  keep?: boolean | undefined;
  /** CID or 64 hex digits: the version before, which goes unless it is named or was kept. */
  replaces?: string | undefined;
  /** A registrar's leave to write the name, as one line of text. */
  certificate?: string | undefined;
}

/** Of a tar archive; what is not said here is like publishing the folder that it would make. */
export type PublishTarInput = Omit<PublishInput, 'path'>;

export interface PublishResult {
  root: string;
  cid: string;
  name?: string;
  version?: number;
  files: number;
  bytes: number;
  /** Nodes that hold a full copy besides this one. */
  replicas: number;
  /** How many of them there are to be. */
  replicasWanted: number;
  /** Why there are not more, most frequent first; at most 8. */
  refused: { why: ReplicaRefusal; nodes: number }[];
  /** Nodes that can tell others where the site is. */
  announced: number;
  /** Where a browser opens it. */
  url: string;
  /** The name is in no zone that this node trusts: `url` opens the root instead. */
  elsewhere?: true;
}

/** own: published here. copy: kept for another node. visited: fetched for a reader. */
export type HeldKind = 'own' | 'copy' | 'visited';

/** A site, file or value that this node holds. */
export interface HeldSite {
  root: string;
  cid: string;
  kind: HeldKind;
  /** All of it is here, and others can have it from here. */
  complete: boolean;
  /** Of the content; 0 while it is not complete. */
  files: number;
  bytes: number;
  /** Names of this node's author that point to it. */
  names: string[];
  /** Unix seconds. */
  added: number;
  /** Unix seconds: read or served last. */
  used: number;
  /** It stays also when a newer version takes its place. */
  keep?: true;
  /** Unix seconds: a newer version stands in its place since then, and it goes soon. */
  superseded?: number;
  /** Of a copy: the ID of the node that it is kept for. */
  from?: string;
}

export interface UnpublishResult {
  root: string;
  cid: string;
  /** Names of this node's author that still point to it. */
  names: string[];
}

export interface FetchResult {
  root: string;
  cid: string;
  files: number;
  bytes: number;
  seconds: number;
  peers: number;
}

export interface FetchFileInput {
  /** Name, CID or 64 hex digits. */
  what: string;
  /** "a/b.html", decoded; a folder stands for its index.html. */
  path: string;
  /** Absolute, on the node's machine; nothing is there. */
  dest: string;
  bytesMax: number;
}

export interface FetchFileResult {
  root: string;
  cid: string;
  bytes: number;
}

export interface NameResult {
  name: string;
  root: string;
  cid: string;
  version: number;
  expires: number;
  /** Public key of the registrar whose zone it is in. */
  zone?: string;
  /** This node does not trust that registrar, or trusts others alone: it does not open here. */
  elsewhere?: true;
  stored: number;
}

export interface ResolveResult {
  name: string;
  state: NameState;
  root?: string;
  cid?: string;
  owner?: string;
  claimants?: string[];
  version?: number;
  issued?: number;
  expires?: number;
  /** Public key of the registrar whose zone it is in. */
  zone?: string;
  /** Public key of the author who may take it over. */
  offeredTo?: string;
  /** Unix seconds: its owner, `previousOwner`, gave it up, and others can take it from then on. */
  freeAt?: number;
  /** Of a name that was not found: this node resolves only names of its registrars. */
  registrarsOnly?: true;
  /** … and this node's author has no certificate with which to take it. */
  needsCertificate?: true;
  /** Lately it had another owner, `previousOwner`, who did not pass it on. */
  warning?: 'owner-changed';
  previousOwner?: string;
  /** An earlier answer: those who would know are silent. */
  stale?: true;
  /** From the node's memory, where it has been for `ageSeconds`; `asked` is of then. */
  cached?: true;
  ageSeconds?: number;
  asked: number;
}

export interface ResolveOptions extends CallOptions {
  /** Asks the network again, whatever the node remembers. */
  readonly fresh?: boolean | undefined;
}

export interface TransferResult {
  name: string;
  /** Public key of the author who can take it now. */
  to: string;
  /** The ID of that author, for both sides to compare. */
  toAuthor: string;
  /** Unix seconds: after that the offer is void. */
  until: number;
  version: number;
  stored: number;
}

export interface ReleaseResult {
  name: string;
  ok: true;
  /** Unix seconds from when on anybody may take it; absent for a name below another. */
  freeAt?: number;
  stored: number;
}

export interface OwnName {
  name: string;
  root: string;
  cid: string;
  /** Public key. */
  owner: string;
  /** For whom it was registered, as `register` was told. */
  registrant?: string;
  registered_at: number;
  updated_at: number;
  version: number;
  /** Public key of the registrar whose zone it is in. */
  zone?: string;
  /** Unix seconds: when its registrar's certificate ends, and the name with it. */
  certified_until?: number;
  /** That is within 30 days: its registrar is to be asked for a new one. */
  certificate_ending?: true;
}

export interface LinkInput {
  url: string;
  target: string;
  sha256?: string | undefined;
  /** Unix seconds. */
  captured?: number | undefined;
  type?: string | undefined;
  note?: string | undefined;
}

export interface PutLinkResult {
  url: string;
  canonical: string;
  target: string;
  publisher: string;
  stored: number;
  seconds: number;
}

export interface FoundLinkLine {
  url: string;
  target: string;
  publisher: string;
  issued: number;
  sha256?: string;
  size?: number;
  type?: string;
  captured?: number;
  note?: string;
  seconds: number;
  /** The spelling of the URL under which it was found, when that is another than asked for. */
  variant?: string;
  /** From an earlier search: nobody could be asked. */
  stale?: true;
}

export interface LinkEndLine {
  done: true;
  found: number;
  asked: number;
  seconds: number;
}

export interface OwnLink {
  url: string;
  target: string;
  issued: number;
  expires: number;
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

/** Rejects with an AltNetError: the API and the command line turn its code into a status. */
export interface NodeServices
  extends
    BlocklistServices,
    RegistrarServices,
    RelayServices,
    RevocationServices,
    SiteStatsServices {
  keys(): KeyInfo;
  stats(): Promise<StatsResult>;
  peers(): Promise<PeerLine[]>;
  dht(): Promise<DhtInfo>;
  publish(input: PublishInput, options?: CallOptions): Promise<PublishResult>;
  /** The archive is read as it arrives. Rejects also with what `body` rejects with. */
  publishTar(
    input: PublishTarInput,
    body: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<PublishResult>;
  /** `what`: name, CID or 64 hex digits. Rejects with NOT_PUBLISHED. */
  unpublish(input: { what: string }, options?: CallOptions): Promise<UnpublishResult>;
  /** What this node holds, or only its own; at most 10,000, what was used last first. */
  sites(input?: { own?: boolean | undefined }): Promise<HeldSite[]>;
  /** `what`: name, CID or 64 hex digits. `dest` is absolute; created when missing. */
  fetch(input: { what: string; dest: string }, options?: CallOptions): Promise<FetchResult>;
  /** One file of a site. */
  fetchFile(input: FetchFileInput, options?: CallOptions): Promise<FetchFileResult>;
  register(
    input: {
      name: string;
      root: string;
      owner?: string | undefined;
      /** A registrar's leave to write the name, as one line of text. */
      certificate?: string | undefined;
    },
    options?: CallOptions,
  ): Promise<NameResult>;
  update(input: { name: string; root: string }, options?: CallOptions): Promise<NameResult>;
  /** `author`: who gets the name, as key name or 64 hex digits of the public key. */
  transfer(input: { name: string; author: string }, options?: CallOptions): Promise<TransferResult>;
  release(input: { name: string }, options?: CallOptions): Promise<ReleaseResult>;
  resolve(name: string, options?: ResolveOptions): Promise<ResolveResult>;
  names(): Promise<OwnName[]>;
  putLink(input: LinkInput, options?: CallOptions): Promise<PutLinkResult>;
  /** Each alternative as it is found, then the end line. */
  getLinks(url: string, options?: CallOptions): AsyncIterable<FoundLinkLine | LinkEndLine>;
  removeLink(input: { url: string; target: string }, options?: CallOptions): Promise<PutLinkResult>;
  links(): Promise<OwnLink[]>;
  /** At most 64 KiB; the key is the value's SHA-256. */
  putValue(value: Uint8Array, options?: CallOptions): Promise<{ key: string; stored: number }>;
  getValue(key: string, options?: CallOptions): Promise<{ key: string; value: Uint8Array }>;
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
