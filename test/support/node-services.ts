/**
 * A node that answers with fixed results and remembers what it was asked: for tests of what stands
 * between a caller and a node.
 */
import { once } from 'node:events';
import { abortReason } from '../../src/base/abort.ts';
import type {
  FoundLinkLine,
  LinkEndLine,
  LinkInput,
  OwnLink,
  PutLinkResult,
} from '../../src/api/ports-links.ts';
import type {
  NameResult,
  OwnName,
  ReleaseResult,
  ResolveOptions,
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
import type { CallOptions, NodeServices } from '../../src/api/ports.ts';
import type {
  AcceptResult,
  BlockResult,
  BlocklistInfo,
  CertificateInfo,
  RevocationListInfo,
  RevokeResult,
  SiteStatsResult,
} from '../../src/api/ports-trust.ts';
import type { AltNetError } from '../../src/base/errors.ts';
import { sampleProgress, samples } from './node-samples.ts';

export { sampleIds, sampleProgress, samples } from './node-samples.ts';

export class FixedServices implements NodeServices {
  /** [method, input] of each call, in order. */
  readonly asked: [string, unknown][] = [];
  /** What every call rejects with. */
  failure: AltNetError | Error | undefined;
  /** Keeps work and searches from ending until the caller gives up. */
  endless = false;
  /** Resolves with each method whose caller gave up. */
  readonly givenUp: PromiseWithResolvers<string> = Promise.withResolvers<string>();

  keys(): KeyInfo {
    return samples.keys;
  }

  stats(): Promise<StatsResult> {
    return this.#answer('stats', undefined, samples.stats);
  }

  peers(): Promise<PeerLine[]> {
    return this.#answer('peers', undefined, samples.peers);
  }

  dht(): Promise<DhtInfo> {
    return this.#answer('dht', undefined, samples.dht);
  }
  relays(): Promise<RelaysResult> {
    return this.#answer('relays', undefined, samples.relays);
  }

  publish(input: object, options?: CallOptions): Promise<PublishResult> {
    return this.#work('publish', input, samples.publish, options);
  }

  /** Remembers the number of bytes beside the input once all have come. */
  async publishTar(
    input: object,
    body: AsyncIterable<Uint8Array>,
    options?: CallOptions,
  ): Promise<PublishResult> {
    let bytes = 0;
    for await (const { length } of body) bytes += length;
    return this.#work('publishTar', { ...input, bytes }, samples.publish, options);
  }

  unpublish(input: object, options?: CallOptions): Promise<UnpublishResult> {
    return this.#work('unpublish', input, samples.unpublish, options);
  }

  sites(input?: object): Promise<HeldSite[]> {
    return this.#answer('sites', input, samples.sites);
  }

  fetch(input: object, options?: CallOptions): Promise<FetchResult> {
    return this.#work('fetch', input, samples.fetch, options);
  }

  fetchFile(input: object, options?: CallOptions): Promise<FetchFileResult> {
    return this.#work('fetchFile', input, samples.fetchFile, options);
  }

  register(input: object, options?: CallOptions): Promise<NameResult> {
    return this.#work('register', input, samples.name, options);
  }

  update(input: object, options?: CallOptions): Promise<NameResult> {
    return this.#work('update', input, samples.name, options);
  }

  transfer(input: object, options?: CallOptions): Promise<TransferResult> {
    return this.#work('transfer', input, samples.transfer, options);
  }

  release(input: object, options?: CallOptions): Promise<ReleaseResult> {
    return this.#work('release', input, samples.release, options);
  }

  resolve(name: string, options?: ResolveOptions): Promise<ResolveResult> {
    const input = options?.fresh === true ? [name, 'fresh'] : name;
    return this.#work('resolve', input, this.resolved, options);
  }

  /** What `resolve` answers. */
  resolved: ResolveResult = samples.resolve;

  names(): Promise<OwnName[]> {
    return this.#answer('names', undefined, samples.names);
  }

  putLink(input: LinkInput, options?: CallOptions): Promise<PutLinkResult> {
    return this.#work('putLink', input, samples.putLink, options);
  }

  async *getLinks(
    url: string,
    { signal }: CallOptions = {},
  ): AsyncGenerator<FoundLinkLine | LinkEndLine> {
    this.asked.push(['getLinks', url]);
    const [found, end] = samples.foundLinks;
    yield found;
    if (this.failure) throw this.failure;
    if (this.endless) await this.#untilGivenUp('getLinks', signal);
    yield end;
  }

  removeLink(input: object, options?: CallOptions): Promise<PutLinkResult> {
    return this.#work('removeLink', input, samples.putLink, options);
  }

  links(): Promise<OwnLink[]> {
    return this.#answer('links', undefined, samples.links);
  }

  putValue(value: Uint8Array, options?: CallOptions): Promise<{ key: string; stored: number }> {
    return this.#work('putValue', new Uint8Array(value), samples.putValue, options);
  }

  async getValue(key: string, options?: CallOptions): Promise<{ key: string; value: Uint8Array }> {
    return this.#work('getValue', key, { key, value: Uint8Array.of(0, 255, 10, 13) }, options);
  }

  ping(
    id: string | undefined,
    options?: CallOptions,
  ): Promise<{ id: string; address: string; ms?: number; error?: string }[]> {
    return this.#work('ping', id, samples.pings, options);
  }

  find(id: string, options?: CallOptions): Promise<{ id: string; address: string }[]> {
    return this.#work('find', id, samples.nodes, options);
  }

  bootstrap(
    address: string,
    options?: CallOptions,
  ): Promise<{ id: string; address: string; table: number }> {
    return this.#work('bootstrap', address, samples.bootstrap, options);
  }

  block(input: object): Promise<BlockResult> {
    return this.#answer('block', input, samples.block);
  }

  unblock(input: object): Promise<BlockResult> {
    return this.#answer('unblock', input, samples.block);
  }

  blocklist(): Promise<BlocklistInfo> {
    return this.#answer('blocklist', undefined, samples.blocklist);
  }

  certify(input: object, options?: CallOptions): Promise<CertificateInfo> {
    return this.#work('certify', input, samples.certificate, options);
  }

  certificates(): Promise<CertificateInfo[]> {
    return this.#answer('certificates', undefined, [samples.certificate]);
  }

  withdraw(
    input: object,
    options?: CallOptions,
  ): Promise<{ name: string; ok: true; stored: number }> {
    return this.#work('withdraw', input, samples.withdrawn, options);
  }

  accept(input: object, options?: CallOptions): Promise<AcceptResult> {
    return this.#work('accept', input, samples.accepted, options);
  }

  revoke(input: object, options?: CallOptions): Promise<RevokeResult> {
    return this.#work('revoke', input, samples.revoke, options);
  }

  revocations(): Promise<RevocationListInfo[]> {
    return this.#answer('revocations', undefined, samples.revocations);
  }

  siteStats(name: string): Promise<SiteStatsResult> {
    return this.#answer('siteStats', name, samples.siteStats);
  }

  async #answer<T>(method: string, input: unknown, result: T): Promise<T> {
    this.asked.push([method, input]);
    if (this.failure) throw this.failure;
    return result;
  }

  async #work<T>(method: string, input: unknown, result: T, options?: CallOptions): Promise<T> {
    options?.onProgress?.(sampleProgress);
    await this.#answer(method, input, result);
    if (this.endless) await this.#untilGivenUp(method, options?.signal);
    return result;
  }

  async #untilGivenUp(method: string, signal: AbortSignal | undefined): Promise<never> {
    if (!signal) throw new Error(`${method} was called without a signal`);
    if (!signal.aborted) await once(signal, 'abort');
    this.givenUp.resolve(method);
    throw abortReason(signal);
  }
}
