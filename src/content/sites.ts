/**
 * Sites as the rest of the program uses them: published, fetched, opened and provided. It puts the
 * parts of this folder together and decides when content counts as held; it knows no formats.
 */
import type { CID } from 'multiformats/cid';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { systemWorld, type World } from '../base/clock.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { LruMap } from '../base/limits.ts';
import { type Logger, silentLogger } from '../base/logger.ts';
import type { Signer } from '../record/stamp.ts';
import { exportSite } from './export.ts';
import { Fetcher, type FetcherOptions } from './fetch.ts';
import { syncProtocol } from './frames.ts';
import { adoptAll } from './adopt.ts';
import { importPath } from './import.ts';
import { measure } from './measure.ts';
import { missingOf } from './missing.ts';
import type { Blocks, Connections, Holding, Holdings, ProviderSearch, Publisher } from './ports.ts';
import { throttled } from './progress.ts';
import { Announcer } from './provide.ts';
import { BadPeers, type ProviderSources } from './providers.ts';
import { cidOf, hashKey, type Link, requireLink } from './root.ts';
import { SharedJobs } from './shared-jobs.ts';
import { SiteFiles } from './site-reader.ts';
import { StreamSlots } from './stream-slots.ts';
import { SyncServer, type SyncServerOptions } from './sync-server.ts';
import type {
  FetchSummary,
  Progress,
  Publication,
  PublishOptions,
  Replication,
  SiteEntry,
  SiteReader,
  WorkOptions,
} from './types.ts';
import type { Want } from './walk.ts';

export const valueBytesMax: number = 64 * 1024;

export interface SitesParts {
  readonly blocks: Blocks;
  readonly holdings: Holdings;
  readonly publisher: Publisher;
  readonly search: ProviderSearch;
  readonly connections: Connections;
  /** The node key: who provides is who is dialled. */
  readonly signer: Signer;
  readonly world?: World | undefined;
  readonly logger?: Logger | undefined;
}

export interface SitesOptions {
  readonly fetch?: FetcherOptions;
  readonly serve?: Pick<SyncServerOptions, 'streamsMax' | 'streamsPerPeerMax' | 'idleMs' | 'pace'>;
}

export interface EnsuredSite {
  readonly files: number;
  readonly bytes: number;
  /** Peers that sent blocks; 0 when all was here already. */
  readonly peers: number;
}

interface SignalOption {
  readonly signal?: AbortSignal | undefined;
}

/** How long a site that could not be completed in the background is left alone. */
const retryBackgroundMs = 60_000;
/** How long a peer that broke the rules is not asked, and one that fell silent only at last. */
const badForMs = 10 * 60_000;
const slowForMs = 60_000;
/** A node serves 8 streams to a peer; one that was closed may count a moment longer over there. */
const streamsToPeerMax = 6;

export class Sites implements SiteReader {
  readonly #parts: SitesParts;
  readonly #world: World;
  readonly #log: Logger;
  readonly #server: SyncServer;
  readonly #fetcher: Fetcher;
  readonly #files: SiteFiles;
  readonly #announcer: Announcer;
  readonly #jobs = new SharedJobs<EnsuredSite, Progress>();
  readonly #background = new Set<Promise<void>>(); // BOUNDED by open sites, see #inBackground()
  readonly #completing = new Set<string>(); // BOUNDED by open sites
  readonly #failedAt = new LruMap<string, number>(1024); // BOUNDED by its size
  readonly #stop = new AbortController();
  #stopping: Promise<void> | undefined;

  constructor(parts: SitesParts, { fetch = {}, serve = {} }: SitesOptions = {}) {
    const { blocks, holdings, search, connections, publisher, signer } = parts;
    this.#parts = parts;
    this.#world = parts.world ?? systemWorld;
    this.#log = parts.logger ?? silentLogger;
    const { clock } = this.#world;
    this.#server = new SyncServer(blocks, { ...serve, world: this.#world, logger: this.#log });
    const sources: ProviderSources = {
      search,
      connections,
      clock,
      bad: new BadPeers(clock, badForMs),
      slow: new BadPeers(clock, slowForMs),
      slots: new StreamSlots(streamsToPeerMax),
      self: signer.key.publicKey,
    };
    const rest = { options: fetch, world: this.#world, logger: this.#log };
    this.#fetcher = new Fetcher(sources, rest);
    this.#files = new SiteFiles(blocks, holdings, this.#fetcher);
    this.#announcer = new Announcer(publisher, connections, { signer, clock });
  }

  /** Begins to serve others. */
  async start(): Promise<void> {
    await this.#parts.connections.handle(syncProtocol, (stream) => this.#server.serve(stream));
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#stop.abort(new AltNetError('ABORTED', {}));
      this.#server.stop();
      await this.#jobs.stop();
      await Promise.allSettled(this.#background);
    })();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Imports the folder or file at `path`, an absolute path, and provides it. Rejects like
   * `importPath`. A network that takes no record is no failure: `announced` is 0 then.
   */
  async publish(
    path: string,
    { signal, onProgress, keep }: PublishOptions = {},
  ): Promise<Publication> {
    const report = throttled(this.#world.clock, onProgress);
    await using holding = await this.#parts.holdings.open({ kind: 'own', keep });
    const imported = await importPath(holding, path, {
      signal,
      onProgress: (done) => report({ ...done, peers: 0 }),
    });
    const { root, files, bytes, entry } = imported;
    await holding.complete({ link: root, files, bytes });
    const announced = await this.#provide(root, signal);
    const replication: Replication = { replicas: 0, wanted: 0, refused: [] };
    return { root: cidOf(root), files, bytes, announced, entry, ...replication };
  }

  /** Fetches a whole site and writes it as the folder `dest`. Rejects like `ensure`, `exportSite`. */
  async fetch(
    root: CID,
    dest: string,
    { signal, onProgress }: WorkOptions = {},
  ): Promise<FetchSummary> {
    const begun = this.#world.clock.monotonicMs();
    const { peers } = await this.ensure(root, { signal, onProgress });
    const { files, bytes } = await exportSite(this.#parts.blocks, requireLink(root), dest, {
      signal,
    });
    const seconds = (this.#world.clock.monotonicMs() - begun) / 1000;
    return { root, files, bytes, seconds, peers };
  }

  async open(root: CID, path: string, { signal }: SignalOption = {}): Promise<SiteEntry> {
    const link = requireLink(root);
    const onServed = (): void => this.#completeInBackground(root, link);
    return this.#files.open(root, path, { signal, onServed });
  }

  /**
   * Resolves when the whole DAG is here, and from then on provides it. Calls for the same root
   * share the work. Rejects with NO_PROVIDERS, CONTENT_UNAVAILABLE, CONTENT_BAD, DISK_FULL …
   */
  async ensure(root: CID, { signal, onProgress }: WorkOptions = {}): Promise<EnsuredSite> {
    const link = requireLink(root);
    const caller = { signal, onProgress };
    return this.#jobs.run(hashKey(link.hash), caller, (jobSignal, report) =>
      this.#complete(link, jobSignal, throttled(this.#world.clock, report)),
    );
  }

  /** Keeps at most 64 KiB under their SHA-256, and provides them. Rejects with VALUE_TOO_BIG. */
  async putValue(
    value: Bytes,
    { signal }: SignalOption = {},
  ): Promise<{ hash: Bytes; stored: number }> {
    if (value.length > valueBytesMax) {
      throw new AltNetError('VALUE_TOO_BIG', { bytes: value.length, bytesMax: valueBytesMax });
    }
    signal?.throwIfAborted();
    const bytes = value.slice();
    const link: Link = { codec: 'raw', hash: sha256(bytes) };
    await using holding = await this.#parts.holdings.open({ kind: 'own', root: link });
    await holding.putAll([{ hash: link.hash, bytes }]);
    await holding.complete({ link, files: 1, bytes: bytes.length });
    return { hash: link.hash, stored: await this.#provide(link, signal) };
  }

  /** The value of this SHA-256. Rejects with NO_PROVIDERS, CONTENT_UNAVAILABLE or VALUE_TOO_BIG. */
  async getValue(hash: Bytes, { signal }: SignalOption = {}): Promise<Bytes> {
    const link: Link = { codec: 'raw', hash };
    await this.ensure(cidOf(link), { signal });
    const bytes = this.#parts.blocks.get(hash) ?? new Uint8Array();
    if (!equalBytes(sha256(bytes), hash))
      throw new AltNetError('INTERNAL', { what: 'a lost value' });
    if (bytes.length <= valueBytesMax) return bytes;
    throw new AltNetError('VALUE_TOO_BIG', { bytes: bytes.length, bytesMax: valueBytesMax });
  }

  /** Announces everything that is held once more: for when this node's addresses have changed. */
  async reprovide({ signal }: SignalOption = {}): Promise<void> {
    for (const { codec, hash, complete } of this.#parts.holdings.list()) {
      signal?.throwIfAborted();
      if (complete) await this.#provide({ codec, hash }, signal);
    }
  }

  async #complete(
    link: Link,
    signal: AbortSignal,
    report: (progress: Progress) => void,
  ): Promise<EnsuredSite> {
    const { blocks, holdings } = this.#parts;
    const want: Want = { link, level: 0, path: [], scope: 'all' };
    // Who holds other sites may hold an earlier version of this one.
    const mayShare = holdings.list()[Symbol.iterator]().next().done !== true;
    const into = (): Promise<Holding> => holdings.open({ kind: 'visited', root: link });
    const { peers } = await this.#fetcher.fetch({
      root: link,
      missing: () => missingOf(blocks, want, { mayShare }),
      into,
      signal,
      onProgress: ({ bytes, peers: count }) => report({ bytes, files: 0, peers: count }),
    });
    const before = holdings.get(link.hash);
    if (before?.complete) return { files: before.files, bytes: before.bytes, peers };
    await using holding = await into();
    await adoptAll(blocks, link, holding);
    const { files, bytes } = measure(blocks, link);
    await holding.complete({ link, files, bytes });
    this.#inBackground(this.#provide(link, this.#stop.signal));
    return { files, bytes, peers };
  }

  async #provide(link: Link, signal: AbortSignal | undefined): Promise<number> {
    try {
      return await this.#announcer.provide(link, { signal });
    } catch (error) {
      // The publisher keeps the record and brings it out as soon as there is somebody to take it.
      if (isAltNetError(error, 'NO_PEERS')) return 0;
      throw error;
    }
  }

  #completeInBackground(root: CID, link: Link): void {
    const key = hashKey(link.hash);
    const failedAt = this.#failedAt.get(key);
    const now = this.#world.clock.monotonicMs();
    const tooSoon = failedAt !== undefined && now - failedAt < retryBackgroundMs;
    // One page asks for a hundred files, and each of them says so.
    if (this.#completing.has(key) || this.#stop.signal.aborted || tooSoon) return;
    if (this.#parts.holdings.get(link.hash)?.complete) return;
    this.#completing.add(key);
    this.#inBackground(
      this.ensure(root, { signal: this.#stop.signal })
        .catch((error: unknown) => {
          this.#failedAt.set(key, this.#world.clock.monotonicMs());
          throw error;
        })
        .finally(() => this.#completing.delete(key)),
    );
  }

  /** Work that nobody waits for; its failure is only worth a line in the log. */
  #inBackground(work: Promise<unknown>): void {
    const task = work
      .then(
        () => undefined,
        (error: unknown) => this.#log.debug('background work failed', { error: String(error) }),
      )
      .finally(() => this.#background.delete(task));
    this.#background.add(task);
  }
}
