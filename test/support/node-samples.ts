/**
 * What a node answers in tests: one object of each kind, with every optional field filled, so that
 * a lost one shows.
 */
import type {
  FoundLinkLine,
  LinkEndLine,
  OwnLink,
  PutLinkResult,
} from '../../src/api/ports-links.ts';
import type {
  NameResult,
  OwnName,
  ReleaseResult,
  ResolveResult,
  TransferResult,
} from '../../src/api/ports-names.ts';
import type { DhtInfo, KeyInfo, PeerLine, StatsResult } from '../../src/api/ports-network.ts';
import type {
  FetchFileResult,
  FetchResult,
  HeldSite,
  PublishResult,
  UnpublishResult,
} from '../../src/api/ports-sites.ts';
import type { RelaysResult } from '../../src/api/ports-relays.ts';
import type {
  AcceptResult,
  BlockResult,
  BlocklistInfo,
  CertificateInfo,
  RevocationListInfo,
  RevokeResult,
  SiteStatsResult,
} from '../../src/api/ports-trust.ts';
import type { Progress } from '../../src/content/types.ts';

const hex = (digits: string): string => digits.repeat(64 / digits.length);

export const sampleIds: Readonly<
  Record<'node' | 'nodeKey' | 'author' | 'authorKey' | 'root' | 'value' | 'cid', string>
> = {
  node: hex('0a'),
  nodeKey: hex('0b'),
  author: hex('0c'),
  authorKey: hex('0d'),
  root: hex('0e'),
  value: hex('0f'),
  cid: 'bafkreicysg23kiwv34eg2d7qweipxwosdo2py4ldv42nbauguluen5v6am',
};

const { node, author, root, cid } = sampleIds;

export const sampleProgress: Progress = { bytes: 10, bytesTotal: 20, files: 1, peers: 2 };

interface Samples {
  readonly keys: KeyInfo;
  readonly stats: StatsResult;
  readonly peers: PeerLine[];
  readonly dht: DhtInfo;
  readonly relays: RelaysResult;
  readonly publish: PublishResult;
  readonly unpublish: UnpublishResult;
  readonly sites: HeldSite[];
  readonly fetch: FetchResult;
  readonly fetchFile: FetchFileResult;
  readonly name: NameResult;
  readonly resolve: ResolveResult;
  readonly transfer: TransferResult;
  readonly release: ReleaseResult;
  readonly names: OwnName[];
  readonly putLink: PutLinkResult;
  readonly foundLinks: readonly [FoundLinkLine, LinkEndLine];
  readonly links: OwnLink[];
  readonly putValue: { key: string; stored: number };
  readonly pings: { id: string; address: string; ms?: number; error?: string }[];
  readonly nodes: { id: string; address: string }[];
  readonly bootstrap: { id: string; address: string; table: number };
  readonly block: BlockResult;
  readonly blocklist: BlocklistInfo;
  readonly certificate: CertificateInfo;
  readonly accepted: AcceptResult;
  readonly withdrawn: { name: string; ok: true; stored: number };
  readonly revoke: RevokeResult;
  readonly revocations: RevocationListInfo[];
  readonly siteStats: SiteStatsResult;
}

export const samples: Samples = {
  keys: {
    node,
    nodePublicKey: sampleIds.nodeKey,
    author,
    authorPublicKey: sampleIds.authorKey,
  },
  stats: {
    node,
    author,
    listen: '127.0.0.1:9000',
    peers: 3,
    table: 20,
    records: 5,
    blocks: 7,
    bytes: 1024,
    budget: 4096,
    mode: 'server',
    reason: 'a reason',
    address: '51.0.0.1:9000',
    clockOffsetSeconds: -0.5,
    uptime: 1.5,
    relays: ['51.0.0.2:9000'],
    relayedNodes: 3,
    own: 2,
    copies: 3,
    visited: 4,
    fewCopies: 1,
    revokers: 3,
    staleRevokers: 1,
    revocationsStaleSince: 1_767_225_600,
    contradictoryRevokers: 1,
    certificatesEnding: 1,
    looked: 1_767_225_600,
  },
  peers: [
    { id: node, address: '127.0.0.1:9001', via: 'dht', rttMs: 1.25, seenSeconds: 3 },
    { id: author, address: '[::1]:9002', via: 'connection' },
  ],
  dht: {
    mode: 'client',
    reason: 'a reason',
    address: '51.0.0.1:9000',
    clockOffsetSeconds: 400,
    table: 20,
    buckets: [{ distanceBits: 255, contacts: 16 }],
    networkSize: 1000.5,
    records: 9,
    requests: { ping: 4 },
    refused: { NOT_CLOSE: 1 },
    packets: { 'init.sent': 2 },
  },
  relays: {
    state: 'relay',
    used: [
      {
        id: node,
        address: '51.0.0.2:9000',
        since: 1_767_225_600,
        state: 'working',
        connections: 2,
        bytes: 9,
      },
    ],
    served: { reservations: 3, connections: 4, bytes: 1024, refused: { full: 1 } },
  },
  publish: {
    root,
    cid,
    name: 'alice.alt',
    version: 2,
    files: 3,
    bytes: 4096,
    replicas: 2,
    replicasWanted: 6,
    refused: [
      { why: 'budget', nodes: 3 },
      { why: 'unreachable', nodes: 1 },
    ],
    announced: 5,
    url: 'http://alice.localhost:8080/',
  },
  unpublish: { root, cid, names: ['alice.alt'] },
  sites: [
    {
      root,
      cid,
      kind: 'own',
      complete: true,
      files: 3,
      bytes: 4096,
      names: ['alice.alt', 'blog.alice.alt'],
      added: 1_700_000_000,
      used: 1_700_000_060,
      keep: true,
      superseded: 1_700_000_120,
      from: node,
    },
    {
      root: sampleIds.value,
      cid,
      kind: 'visited',
      complete: false,
      files: 0,
      bytes: 0,
      names: [],
      added: 1_700_000_000,
      used: 1_700_000_000,
    },
  ],
  fetch: { root, cid, files: 3, bytes: 4096, seconds: 0.25, peers: 1 },
  fetchFile: { root, cid, bytes: 4096 },
  name: {
    name: 'alice.alt',
    root,
    cid,
    version: 1,
    expires: 1_800_000_000,
    stored: 20,
  },
  resolve: {
    name: 'alice.alt',
    state: 'ok',
    root,
    cid,
    owner: author,
    claimants: [author, node],
    version: 1,
    issued: 1_700_000_000,
    expires: 1_800_000_000,
    zone: node,
    offeredTo: sampleIds.nodeKey,
    freeAt: 1_700_604_800,
    registrarsOnly: true,
    needsCertificate: true,
    warning: 'owner-changed',
    previousOwner: sampleIds.authorKey,
    stale: true,
    cached: true,
    ageSeconds: 40,
    asked: 20,
  },
  transfer: {
    name: 'alice.alt',
    to: sampleIds.nodeKey,
    toAuthor: sampleIds.author,
    until: 1_800_000_000,
    version: 3,
    stored: 20,
  },
  release: { name: 'alice.alt', ok: true, freeAt: 1_700_604_800, stored: 20 },
  names: [
    {
      name: 'alice.alt',
      root,
      cid,
      owner: author,
      registrant: 'Bob & Söhne',
      registered_at: 1_700_000_000,
      updated_at: 1_700_000_001,
      version: 2,
      zone: sampleIds.nodeKey,
      certified_until: 1_800_000_000,
      certificate_ending: true,
    },
  ],
  putLink: {
    url: 'http://dead.example/a',
    canonical: '//dead.example/a',
    target: 'https://mirror.example/a',
    publisher: author,
    stored: 8,
    seconds: 0.5,
  },
  foundLinks: [
    {
      url: 'http://dead.example/a',
      target: 'https://mirror.example/a',
      publisher: author,
      issued: 1_700_000_000,
      sha256: root,
      size: 12,
      type: 'text/html',
      captured: 1_600_000_000,
      note: 'a "copy"\nwith Ünïcödé',
      seconds: 0.05,
      variant: 'http://www.dead.example/a',
      stale: true,
    },
    { done: true, found: 1, asked: 8, seconds: 0.06 },
  ],
  links: [{ url: 'http://dead.example/a', target: 'magnet:?x', issued: 1, expires: 2 }],
  putValue: { key: sampleIds.value, stored: 4 },
  pings: [
    { id: node, address: '127.0.0.1:9001', ms: 0.5 },
    { id: author, address: '127.0.0.1:9002', error: 'no answer within 2 s' },
  ],
  nodes: [{ id: node, address: '127.0.0.1:9001' }],
  bootstrap: { id: node, address: '127.0.0.1:9001', table: 4 },
  block: { entry: `/ipfs/${cid}`, changed: true, chunk_count: 3 },
  revoke: {
    name: 'alice.alt',
    root,
    chunk_count: 12,
    ok: true,
    changed: 2,
    entries: 5,
    stored: 9,
    wait_seconds: 30,
  },
  revocations: [
    {
      revoker: sampleIds.authorKey,
      entries: 5,
      issued: 1_800_000_000,
      next_update: 1_800_043_200,
      state: 'stale',
      equivocated: true,
      lacking: true,
    },
  ],
  siteStats: {
    name: 'alice.alt',
    requests: 1234,
    bytes: 5_678_901,
    unique_ips: 87,
    last_seen_unix: 1_767_225_600,
    days: [
      { date: '2025-12-31', requests: 1000, bytes: 5_000_000, unique_ips: 80 },
      { date: '2026-01-01', requests: 200, bytes: 600_000, unique_ips: 6 },
    ],
  },
  certificate: {
    name: 'alice.alt',
    zone: sampleIds.authorKey,
    owner: sampleIds.nodeKey,
    serial: 7,
    not_before: 1_767_225_600,
    not_after: 1_798_761_600,
    state: 'valid',
    certificate: 'altcert1aaaa',
  },
  accepted: {
    name: 'alice.alt',
    zone: sampleIds.authorKey,
    serial: 7,
    not_after: 1_798_761_600,
    version: 3,
    stored: 9,
  },
  withdrawn: { name: 'alice.alt', ok: true, stored: 9 },
  blocklist: {
    file: '/data/blocklist.txt',
    entries: [`/ipfs/${cid} note:a%20"hint"`, '!/name/alice.alt'],
    count: 2,
    bad: [{ line: 3, why: 'it is not UTF-8' }],
    bad_count: 1,
    foreign_count: 4,
  },
};
