/** What the API answers. */
import type { Progress, ReplicaRefusal } from '../content/types.ts';
import type { FoundLinkLine, LinkEndLine, OwnLink, PutLinkResult } from './ports-links.ts';
import type {
  NameResult,
  OwnName,
  ReleaseResult,
  ResolveResult,
  TransferResult,
} from './ports-names.ts';
import type { DhtInfo, KeyInfo, ModeInfo, PeerLine, StatsResult } from './ports-network.ts';
import type {
  FetchFileResult,
  FetchResult,
  HeldSite,
  PublishResult,
  UnpublishResult,
} from './ports-sites.ts';
import type { RelayLine, RelaysResult } from './ports-relays.ts';
import {
  boolean,
  cid,
  count,
  countedList,
  counts,
  hash,
  list,
  number,
  type Schema,
  shape,
  text,
  unixTime,
} from './schema.ts';
import type { ErrorBody } from './status.ts';

const peer = shape<PeerLine>(
  { id: hash, address: text, via: { enum: ['dht', 'connection'] } },
  { rttMs: number, seenSeconds: number },
);
const serverOrClient: Schema = { enum: ['server', 'client'] };
const modeDetails: Readonly<Record<Exclude<keyof ModeInfo, 'mode'>, Schema>> = {
  reason: text,
  address: text,
  clockOffsetSeconds: number,
  reachability: { enum: ['public', 'mapped', 'punchable', 'relayed', 'unknown'] },
};
const domain = {
  name: text,
  root: hash,
  cid,
  registered_at: unixTime,
  updated_at: unixTime,
  version: count,
} as const;
const certified = {
  zone: hash,
  certified_until: unixTime,
  certificate_ending: { const: true },
} as const;
const ownName = shape<OwnName>({ ...domain, owner: hash }, { registrant: text, ...certified });
const ownerOfDomain: Schema = {
  ...text,
  description: "the text given at the registration, else the ID of this node's author",
};
const refusalWords: Readonly<Record<ReplicaRefusal, string>> = {
  'too-large': 'more than one peer may store there',
  budget: 'no room',
  blocked: 'on a list of that node',
  far: 'others are closer to the root',
  busy: 'too much at once',
  unreachable: 'no connection',
  failed: 'the connection broke off',
  slow: 'it was too slow',
  'too-few': 'not as many storage nodes as copies wanted',
};
const refusal = shape<PublishResult['refused'][number]>(
  {
    why: {
      enum: Object.keys(refusalWords),
      description: Object.entries(refusalWords)
        .map(([why, words]) => `${why}: ${words}`)
        .join('; '),
    },
    nodes: count,
  },
  {},
);
const heldSite = shape<HeldSite>(
  {
    root: hash,
    cid,
    kind: { enum: ['own', 'copy', 'visited'] },
    complete: boolean,
    files: count,
    bytes: count,
    names: list(text),
    added: unixTime,
    used: unixTime,
  },
  { keep: { const: true }, superseded: unixTime, from: hash },
);
const located = shape<{ id: string; address: string }>({ id: hash, address: text }, {});
const foundLink = shape<FoundLinkLine>(
  { url: text, target: text, publisher: hash, issued: unixTime, seconds: number },
  {
    sha256: hash,
    size: count,
    type: text,
    captured: unixTime,
    note: text,
    variant: text,
    stale: { const: true },
  },
);
const linkEnd = shape<LinkEndLine>(
  { done: { const: true }, found: count, asked: count, seconds: number },
  {},
);
const ownLink = shape<OwnLink>(
  { url: text, target: text, issued: unixTime, expires: unixTime },
  {},
);

/** What a name check says: free, or who holds it, or why it cannot be had. */
export interface CheckResult {
  name: string;
  available: boolean;
  owner?: string;
  root?: string;
  /** Unix seconds: given up, and kept from others until then. */
  freeAt?: number;
  error?: string;
}

/** An own name in the form that desktop clients read: these fields and no others. */
export type Domain = Pick<
  OwnName,
  'name' | 'root' | 'cid' | 'owner' | 'registered_at' | 'updated_at' | 'version'
>;

/** What POST /api/publish answers: `entry_count` is `files` under the name that clients know. */
export interface PublishAnswer extends PublishResult {
  entry_count: number;
}

type OutputName =
  | 'keys'
  | 'stats'
  | 'peers'
  | 'dht'
  | 'relays'
  | 'names'
  | 'domains'
  | 'check'
  | 'publish'
  | 'unpublish'
  | 'sites'
  | 'fetch'
  | 'fetchFile'
  | 'name'
  | 'resolve'
  | 'transfer'
  | 'release'
  | 'unregister'
  | 'putLink'
  | 'links'
  | 'linkLine'
  | 'putValue'
  | 'pings'
  | 'nodes'
  | 'bootstrap';

export const outputs: Readonly<Record<OutputName, Schema>> = {
  keys: shape<KeyInfo>(
    { node: hash, nodePublicKey: hash, author: hash, authorPublicKey: hash },
    {},
  ),
  stats: shape<StatsResult>(
    {
      node: hash,
      author: hash,
      listen: text,
      peers: count,
      table: count,
      records: count,
      blocks: count,
      bytes: count,
      budget: count,
      mode: serverOrClient,
      uptime: number,
      relays: list(text),
      own: count,
      copies: count,
      visited: count,
      fewCopies: count,
      revokers: count,
      staleRevokers: count,
      contradictoryRevokers: count,
    },
    {
      ...modeDetails,
      looked: unixTime,
      revocationsStaleSince: unixTime,
      certificatesEnding: count,
      relayedNodes: count,
    },
  ),
  peers: countedList('peers', peer),
  dht: shape<DhtInfo>(
    {
      mode: serverOrClient,
      table: count,
      buckets: list(
        shape<DhtInfo['buckets'][number]>({ distanceBits: count, contacts: count }, {}),
      ),
      networkSize: number,
      records: count,
      requests: counts,
      refused: counts,
      packets: counts,
    },
    modeDetails,
  ),
  relays: shape<RelaysResult>(
    {
      state: { enum: ['relay', 'reachable', 'searching', 'not-needed'] },
      used: list(
        shape<RelayLine>(
          {
            id: hash,
            address: text,
            since: unixTime,
            state: { enum: ['unproven', 'working', 'useless'] },
            connections: count,
            bytes: count,
          },
          {},
        ),
      ),
    },
    {
      served: shape<NonNullable<RelaysResult['served']>>(
        { reservations: count, connections: count, bytes: count, refused: counts },
        {},
      ),
    },
  ),
  names: countedList('names', ownName),
  domains: countedList('domains', shape<Domain>({ ...domain, owner: ownerOfDomain }, {})),
  check: shape<CheckResult>(
    { name: text, available: boolean },
    { owner: hash, root: hash, freeAt: unixTime, error: text },
  ),
  publish: shape<PublishAnswer>(
    {
      root: hash,
      cid,
      entry_count: count,
      files: count,
      bytes: count,
      replicas: count,
      replicasWanted: count,
      refused: list(refusal),
      announced: count,
      url: text,
    },
    { name: text, version: count, elsewhere: { const: true } },
  ),
  unpublish: shape<UnpublishResult>({ root: hash, cid, names: list(text) }, {}),
  sites: countedList('sites', heldSite),
  fetch: shape<FetchResult>(
    { root: hash, cid, files: count, bytes: count, seconds: number, peers: count },
    {},
  ),
  fetchFile: shape<FetchFileResult>({ root: hash, cid, bytes: count }, {}),
  name: shape<NameResult>(
    { name: text, root: hash, cid, version: count, expires: unixTime, stored: count },
    { zone: hash, elsewhere: { const: true } },
  ),
  resolve: shape<ResolveResult>(
    {
      name: text,
      state: { enum: ['ok', 'new', 'contested', 'expired', 'revoked', 'blocked', 'not-found'] },
      asked: count,
    },
    {
      root: hash,
      cid,
      owner: hash,
      claimants: list(hash),
      version: count,
      issued: unixTime,
      expires: unixTime,
      zone: hash,
      offeredTo: hash,
      freeAt: unixTime,
      registrarsOnly: { const: true },
      needsCertificate: { const: true },
      warning: { const: 'owner-changed' },
      previousOwner: hash,
      stale: { const: true },
      cached: { const: true },
      ageSeconds: count,
    },
  ),
  transfer: shape<TransferResult>(
    { name: text, to: hash, toAuthor: hash, until: unixTime, version: count, stored: count },
    {},
  ),
  release: shape<ReleaseResult>(
    { name: text, ok: { const: true }, stored: count },
    { freeAt: unixTime },
  ),
  unregister: shape<{ name: string; ok: true }>({ name: text, ok: { const: true } }, {}),
  putLink: shape<PutLinkResult>(
    { url: text, canonical: text, target: text, publisher: hash, stored: count, seconds: number },
    {},
  ),
  links: countedList('links', ownLink),
  linkLine: { oneOf: [foundLink, linkEnd] },
  putValue: shape<{ key: string; stored: number }>({ key: hash, stored: count }, {}),
  pings: countedList(
    'results',
    shape<{ id: string; address: string; ms?: number; error?: string }>(
      { id: hash, address: text },
      { ms: number, error: text },
    ),
  ),
  nodes: countedList('nodes', located),
  bootstrap: shape<{ id: string; address: string; table: number }>(
    { id: hash, address: text, table: count },
    {},
  ),
};

export const progressSchema: Schema = shape<Progress>(
  { bytes: count, files: count, peers: count },
  {
    phase: { enum: ['reading', 'announcing', 'naming', 'copying'] },
    root: text,
    bytesTotal: count,
    work: shape<NonNullable<Progress['work']>>({ tried: count, triesExpected: count }, {}),
  },
);

export const errorSchema: Schema = shape<ErrorBody>(
  { error: text, code: text, details: { type: 'object' } },
  {},
);
