/**
 * A running node, spoken to through its API: the same interface as a node in this process. Errors
 * come back as the AltNetErrors that they were over there; where no node answers, as NO_NODE.
 */
import {
  type Call,
  callForBytes,
  callForJson,
  callForLines,
  callForResult,
  parseApiAddress,
  type Target,
} from './call.ts';
import type {
  FoundLinkLine,
  LinkEndLine,
  LinkInput,
  OwnLink,
  PutLinkResult,
} from './ports-links.ts';
import type {
  NameResult,
  OwnName,
  ReleaseResult,
  ResolveOptions,
  ResolveResult,
  TransferResult,
} from './ports-names.ts';
import type { DhtInfo, KeyInfo, PeerLine, StatsResult } from './ports-network.ts';
import type {
  FetchFileInput,
  FetchFileResult,
  FetchResult,
  HeldSite,
  PublishInput,
  PublishResult,
  PublishTarInput,
  UnpublishResult,
} from './ports-sites.ts';
import type { RelaysResult } from './ports-relays.ts';
import type { CallOptions, NodeServices } from './ports.ts';
import type {
  AcceptResult,
  BlockResult,
  BlocklistInfo,
  CertificateInfo,
  RevocationListInfo,
  RevokeResult,
  SiteStatsResult,
} from './ports-trust.ts';
import type { PublishAnswer } from './outputs.ts';

export interface ApiClientOptions {
  /** "host:port" or "http://host:port". */
  readonly address: string;
  readonly token: string;
}

export class ApiClient implements NodeServices {
  readonly #target: Target;
  readonly #keys: KeyInfo;

  private constructor(target: Target, keys: KeyInfo) {
    this.#target = target;
    this.#keys = keys;
  }

  /** Asks the node for its keys, so that a client is one of a node that runs. */
  static async connect(
    { address, token }: ApiClientOptions,
    options?: CallOptions,
  ): Promise<ApiClient> {
    const target = { ...parseApiAddress(address), token };
    const call: Call = { method: 'GET', path: '/api/node' };
    return new ApiClient(target, await callForJson<KeyInfo>(target, call, options));
  }

  keys(): KeyInfo {
    return this.#keys;
  }

  stats(): Promise<StatsResult> {
    return this.#get('/api/stats');
  }

  async peers(): Promise<PeerLine[]> {
    return (await this.#get<{ peers: PeerLine[] }>('/api/peers')).peers;
  }

  dht(): Promise<DhtInfo> {
    return this.#get('/api/dht');
  }

  relays(): Promise<RelaysResult> {
    return this.#get('/api/relays');
  }

  async publish(input: PublishInput, options?: CallOptions): Promise<PublishResult> {
    const answer = await this.#work<PublishAnswer>('/api/publish', input, options);
    const { entry_count: _entries, ...result } = answer;
    return result;
  }

  async publishTar(
    input: PublishTarInput,
    body: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<PublishResult> {
    const query = new URLSearchParams();
    if (input.name !== undefined) query.set('name', input.name);
    if (input.keep === true) query.set('keep', 'true');
    if (input.replaces !== undefined) query.set('replaces', input.replaces);
    if (input.certificate !== undefined) query.set('certificate', input.certificate);
    const path = query.size === 0 ? '/api/publish' : `/api/publish?${query.toString()}`;
    const call: Call = { method: 'POST', path, tar: body };
    const answer = await callForResult<PublishAnswer>(this.#target, call, options);
    const { entry_count: _entries, ...result } = answer;
    return result;
  }

  unpublish(input: { what: string }, options?: CallOptions): Promise<UnpublishResult> {
    return this.#work('/api/unpublish', input, options);
  }

  async sites({ own }: { own?: boolean | undefined } = {}): Promise<HeldSite[]> {
    const query = own === true ? '?own=true' : '';
    return (await this.#get<{ sites: HeldSite[] }>(`/api/sites${query}`)).sites;
  }

  fetch(input: { what: string; dest: string }, options?: CallOptions): Promise<FetchResult> {
    return this.#work('/api/fetch', input, options);
  }

  fetchFile(input: FetchFileInput, options?: CallOptions): Promise<FetchFileResult> {
    const call: Call = { method: 'POST', path: '/api/fetch-file', json: input };
    return callForJson(this.#target, call, options);
  }

  register(
    input: Parameters<NodeServices['register']>[0],
    options?: CallOptions,
  ): Promise<NameResult> {
    return this.#work('/api/register', input, options);
  }

  update(input: { name: string; root: string }, options?: CallOptions): Promise<NameResult> {
    return this.#work('/api/update', input, options);
  }

  transfer(
    input: { name: string; author: string },
    options?: CallOptions,
  ): Promise<TransferResult> {
    return this.#work('/api/transfer', input, options);
  }

  release(input: { name: string }, options?: CallOptions): Promise<ReleaseResult> {
    return this.#work('/api/release', input, options);
  }

  resolve(name: string, options?: ResolveOptions): Promise<ResolveResult> {
    const query = options?.fresh === true ? '?fresh=true' : '';
    return this.#get(`/api/resolve/${encodeURIComponent(name)}${query}`, options);
  }

  async names(): Promise<OwnName[]> {
    return (await this.#get<{ names: OwnName[] }>('/api/names')).names;
  }

  putLink(input: LinkInput, options?: CallOptions): Promise<PutLinkResult> {
    return this.#work('/api/links', input, options);
  }

  getLinks(url: string, options?: CallOptions): AsyncIterable<FoundLinkLine | LinkEndLine> {
    const path = `/api/links?url=${encodeURIComponent(url)}`;
    return callForLines(this.#target, { method: 'GET', path }, options);
  }

  removeLink(
    input: { url: string; target: string },
    options?: CallOptions,
  ): Promise<PutLinkResult> {
    const call: Call = { method: 'DELETE', path: '/api/links', json: input };
    return callForJson(this.#target, call, options);
  }

  async links(): Promise<OwnLink[]> {
    return (await this.#get<{ links: OwnLink[] }>('/api/links')).links;
  }

  putValue(value: Uint8Array, options?: CallOptions): Promise<{ key: string; stored: number }> {
    const call: Call = { method: 'POST', path: '/api/values', octets: value };
    return callForJson(this.#target, call, options);
  }

  async getValue(key: string, options?: CallOptions): Promise<{ key: string; value: Uint8Array }> {
    const call: Call = { method: 'GET', path: `/api/values/${encodeURIComponent(key)}` };
    return { key: key.toLowerCase(), value: await callForBytes(this.#target, call, options) };
  }

  async ping(
    id: string | undefined,
    options?: CallOptions,
  ): Promise<{ id: string; address: string; ms?: number; error?: string }[]> {
    type Pings = { results: { id: string; address: string; ms?: number; error?: string }[] };
    const call: Call = { method: 'POST', path: '/api/ping', json: { id } };
    return (await callForJson<Pings>(this.#target, call, options)).results;
  }

  async find(id: string, options?: CallOptions): Promise<{ id: string; address: string }[]> {
    type Nodes = { nodes: { id: string; address: string }[] };
    return (await this.#get<Nodes>(`/api/find/${encodeURIComponent(id)}`, options)).nodes;
  }

  bootstrap(
    address: string,
    options?: CallOptions,
  ): Promise<{ id: string; address: string; table: number }> {
    const call: Call = { method: 'POST', path: '/api/bootstrap', json: { address } };
    return callForJson(this.#target, call, options);
  }

  block(input: { what: string; note?: string | undefined }): Promise<BlockResult> {
    return callForJson(this.#target, { method: 'POST', path: '/api/block', json: input });
  }

  unblock(input: { what: string }): Promise<BlockResult> {
    return callForJson(this.#target, { method: 'POST', path: '/api/unblock', json: input });
  }

  blocklist(): Promise<BlocklistInfo> {
    return this.#get('/api/blocklist');
  }

  certify(
    input: { name: string; owner: string; days?: number | undefined },
    options?: CallOptions,
  ): Promise<CertificateInfo> {
    const call: Call = { method: 'POST', path: '/api/registrar/certify', json: input };
    return callForJson(this.#target, call, options);
  }

  async certificates(): Promise<CertificateInfo[]> {
    type Listed = { certificates: CertificateInfo[] };
    return (await this.#get<Listed>('/api/registrar/certificates')).certificates;
  }

  withdraw(
    input: { name: string },
    options?: CallOptions,
  ): Promise<{ name: string; ok: true; stored: number }> {
    const call: Call = { method: 'POST', path: '/api/registrar/withdraw', json: input };
    return callForJson(this.#target, call, options);
  }

  accept(input: { certificate: string }, options?: CallOptions): Promise<AcceptResult> {
    const call: Call = { method: 'POST', path: '/api/registrar/accept', json: input };
    return callForJson(this.#target, call, options);
  }

  revoke(
    { what, undo }: { what: string; undo?: boolean | undefined },
    options?: CallOptions,
  ): Promise<RevokeResult> {
    const call: Call = { method: 'POST', path: '/api/revoke', json: { name: what, undo } };
    return callForJson(this.#target, call, options);
  }

  async revocations(): Promise<RevocationListInfo[]> {
    type Lists = { revocations: RevocationListInfo[] };
    return (await this.#get<Lists>('/api/revocations')).revocations;
  }

  siteStats(name: string): Promise<SiteStatsResult> {
    return this.#get(`/api/stats/${encodeURIComponent(name)}`);
  }

  #get<T>(path: string, options?: CallOptions): Promise<T> {
    return callForJson<T>(this.#target, { method: 'GET', path }, options);
  }

  #work<T>(path: string, json: object, options?: CallOptions): Promise<T> {
    return callForResult<T>(this.#target, { method: 'POST', path, json }, options);
  }
}
