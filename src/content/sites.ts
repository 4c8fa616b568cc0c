/**
 * Sites as the rest of the program uses them: published, fetched, opened and provided. It puts the
 * parts of this folder together and decides when content counts as held; it knows no formats.
 */
import type { CID } from 'multiformats/cid';
import type { Abortable } from '../base/abort.ts';
import type { Bytes } from '../base/bytes.ts';
import { type Denials, noDenials } from '../base/denial.ts';
import { systemWorld, type World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { type Logger, silentLogger } from '../base/logger.ts';
import { SharedWork, type Work } from '../base/shared-work.ts';
import { networkOf } from '../peer/address.ts';
import type { Signer } from '../record/stamp.ts';
import { Background } from './background.ts';
import { Custody } from './custody.ts';
import { exportSite } from './export.ts';
import { guardedStore, requirePath } from './guarded-store.ts';
import { Fetcher } from './fetching/fetch.ts';
import type { FetcherOptions, FetchProgress } from './fetching/fetch-job.ts';
import { syncProtocol } from './exchange/frames.ts';
import { ImportMemory, type ImportNotes } from './import/import-memory.ts';
import type {
  Blocks,
  Connections,
  HeldRoot,
  Holding,
  Holdings,
  KeeperSearch,
  ProviderSearch,
  Publisher,
  Verifier,
} from './ports.ts';
import { throttled } from './progress.ts';
import { type Announced, Announcer } from './provide.ts';
import { announceAll } from './reprovide.ts';
import { BadPeers, type ProviderSources } from './fetching/providers.ts';
import { noCopies, Publishing } from './publishing.ts';
import { type CopiesCounted, noCopiesCounted } from './replication/copy-counts.ts';
import type { CopiesHealth } from './replication/looks.ts';
import type { Reception } from './reception/reception.ts';
import { type ReplicationOptions, Replicator } from './replication/replicator.ts';
import { cidOf, hashKey, type Link, requireLink } from './dag/root.ts';
import { SiteDags } from './reading/dag-reader.ts';
import { SiteFiles } from './reading/site-reader.ts';
import { StreamSlots } from './exchange/stream-slots.ts';
import type { PlacesOptions } from './exchange/serving-places.ts';
import { SyncServer, type SyncServerOptions } from './exchange/sync-server.ts';
import type {
  AddedSite,
  AddOptions,
  DagReader,
  FetchSummary,
  OpenedDag,
  OpenOptions,
  Progress,
  Publication,
  PublishOptions,
  ReplicateOptions,
  Replication,
  SiteEntry,
  SiteReader,
  WorkOptions,
} from './types.ts';
import { Unpublished, type UnpublishedNotes } from './unpublished.ts';
import { Values } from './values.ts';
import { Visits } from './reading/visits.ts';

export interface SitesParts {
  readonly blocks: Blocks;
  readonly holdings: Holdings;
  /** Left out: all that comes is hashed by this thread. */
  readonly verifier?: Verifier | undefined;
  /** Of folders, and of what was unpublished; left out, nothing is remembered. */
  readonly notes?: (ImportNotes & UnpublishedNotes) | undefined;
  readonly publisher: Publisher;
  readonly search: ProviderSearch;
  readonly connections: Connections;
  /** Of large fetches; left out: this thread receives all. */
  readonly reception?: Pick<Reception, 'open'> | undefined;
  /** Left out: nothing is copied to others or kept for them. */
  readonly keepers?: KeeperSearch | undefined;
  /** The node key: who provides is who is dialled. */
  readonly signer: Signer;
  readonly world?: World | undefined;
  readonly logger?: Logger | undefined;
  /** What is neither taken nor given here; left out: nothing. */
  readonly denials?: Denials | undefined;
}

export interface SitesOptions {
  readonly fetch?: FetcherOptions;
  readonly serve?: PlacesOptions & Pick<SyncServerOptions, 'idleMs' | 'pace'>;
  /** Left out: nothing is copied to others or kept for them. */
  readonly replication?: ReplicationOptions | undefined;
}

export interface SitesCounts {
  readonly copies: CopiesCounted;
  /** Streams of readers that were refused or cut short, by reason. */
  readonly unserved: Readonly<Record<string, number>>;
}

export interface EnsuredSite {
  readonly files: number;
  readonly bytes: number;
  /** Peers that sent blocks; 0 when all was here already. */
  readonly peers: number;
}

/** How long a peer that broke the rules is not asked, and one that fell silent only at last. */
const badForMs = 10 * 60_000;
const slowForMs = 60_000;
/** A node serves 8 streams to a peer; one that was closed may count a moment longer over there. */
const streamsToPeerMax = 6;

export class Sites implements SiteReader, DagReader {
  readonly #parts: SitesParts;
  readonly #world: World;
  readonly #denials: Denials;
  readonly #unpublished: Unpublished | undefined;
  readonly #server: SyncServer;
  readonly #custody: Custody;
  readonly #files: SiteFiles;
  readonly #dags: SiteDags;
  readonly #announcer: Announcer;
  readonly #replicator: Replicator | undefined;
  readonly #publishing: Publishing;
  readonly #values: Values;
  readonly #visits: Visits;
  readonly #jobs = new SharedWork<EnsuredSite, Progress>();
  readonly #background: Background;
  readonly #stop = new AbortController();
  #stopping: Promise<void> | undefined;

  constructor(parts: SitesParts, { fetch = {}, serve = {}, replication }: SitesOptions = {}) {
    const { search, connections, keepers, signer, verifier } = parts;
    const { world = systemWorld, logger: log = silentLogger, denials = noDenials } = parts;
    const { clock } = world;
    const store = guardedStore(parts, denials);
    const { blocks, holdings } = store;
    this.#parts = { ...parts, ...store };
    this.#denials = denials;
    this.#world = world;
    const onAsked = (root: Bytes): void => holdings.touch(root);
    this.#server = new SyncServer(blocks, {
      networkOf: (peer) => networkOf(connections.remoteAddress(peer)),
      ...serve,
      denials,
      onAsked,
      world,
      logger: log,
    });
    const fetcher = new Fetcher(sourcesOf(parts, world), {
      blocks,
      options: fetch,
      world,
      logger: log,
      verifier,
      denials,
    });
    this.#files = new SiteFiles(holdings, fetcher, denials);
    this.#dags = new SiteDags(holdings, fetcher, denials);
    const custody = new Custody(blocks, holdings, fetcher);
    this.#custody = custody;
    const isHeld = (hash: Bytes): boolean => holdings.get(hash)?.complete === true;
    const announcer = new Announcer({ ...parts, clock, isHeld });
    this.#announcer = announcer;
    const unpublished = parts.notes && new Unpublished(parts.notes, clock);
    this.#unpublished = unpublished;
    const common = { blocks, holdings, search, connections, announcer, denials, world, log };
    const declines = (hash: Bytes): boolean => unpublished?.has(hash) === true;
    const copying = { ...common, custody, declines, self: signer.key.publicKey };
    const replicator =
      keepers && replication && new Replicator({ ...copying, keepers }, replication);
    this.#replicator = replicator;
    const memory = parts.notes && new ImportMemory(parts.notes, clock);
    const publishing = new Publishing({ ...common, unpublished, clock, replicator, memory });
    this.#publishing = publishing;
    const background = new Background(log);
    this.#background = background;
    const ensure = (link: Link, signal: AbortSignal | undefined): Promise<unknown> =>
      this.ensure(cidOf(link), { signal });
    this.#values = new Values({ ...common, publishing, background, ensure });
    const visit = (link: Link): Promise<unknown> => ensure(link, this.#stop.signal);
    this.#visits = new Visits({ ...common, background, ensure: visit });
  }

  /** Begins to serve others, and to look after what is held. */
  async start(): Promise<void> {
    await this.#parts.connections.handle(syncProtocol, (stream) => this.#server.serve(stream));
    await this.#replicator?.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#stop.abort(new AltNetError('ABORTED', {}));
      await this.#server.stop();
      await this.#publishing.stop();
      await this.#replicator?.stop();
      await this.#jobs.stop();
      await this.#background.settled();
    })();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Imports the folder or file at `path`, an absolute path, and provides it. Rejects like
   * `importPath`. That nobody takes the record is no failure: `announced` says so.
   */
  add(path: string, options: AddOptions = {}): Promise<AddedSite> {
    return this.#publishing.add(path, options);
  }

  /**
   * The same for the files of a tar archive, which is read as it arrives: the root is that of the
   * folder that they would make. Rejects like `importTar`, and with what `body` rejects with.
   */
  addTar(body: AsyncIterable<Bytes>, options: AddOptions = {}): Promise<AddedSite> {
    return this.#publishing.addTar(body, options);
  }

  /**
   * Has other nodes copy what is held here completely. That nobody does is no failure: `replicas`
   * says so, and while this node runs it goes on looking for those that are missing.
   */
  replicate(root: CID, options: ReplicateOptions = {}): Promise<Replication> {
    return this.#publishing.replicate(requireLink(root), options);
  }

  /** Both, for what has no name. */
  async publish(
    path: string,
    { keep, replaces, awaitCopies = true, ...options }: PublishOptions = {},
  ): Promise<Publication> {
    const added = await this.add(path, { ...options, keep });
    const { signal } = awaitCopies ? options : { signal: undefined };
    const copying = this.replicate(added.root, { ...options, replaces, signal });
    this.#background.add(copying);
    return { ...added, ...(awaitCopies ? await copying : noCopies) };
  }

  /** Fetches a whole site and writes it as the folder `dest`. Rejects like `ensure`, `exportSite`. */
  async fetch(
    root: CID,
    dest: string,
    { signal, onProgress }: WorkOptions = {},
  ): Promise<FetchSummary> {
    const begun = this.#world.clock.monotonicMs();
    const link = requireLink(root);
    await using stack = new AsyncDisposableStack();
    // What is open is not evicted: nothing of it may go before its last byte is written.
    stack.use(await this.#parts.holdings.open({ kind: 'visited', root: link }));
    const { peers } = await this.ensure(root, { signal, onProgress });
    const check = (path: string): void => requirePath(this.#denials, link, path);
    const mend = (): Promise<unknown> => this.ensure(root, { signal });
    const exporting = { signal, check, mend };
    const { files, bytes } = await exportSite(this.#parts.blocks, link, dest, exporting);
    const seconds = (this.#world.clock.monotonicMs() - begun) / 1000;
    return { root, files, bytes, seconds, peers };
  }

  async open(root: CID, path: string, { signal, range }: OpenOptions = {}): Promise<SiteEntry> {
    const link = requireLink(root);
    const onServed = (): void => {
      if (!this.#stop.signal.aborted) this.#visits.served(link);
    };
    return this.#files.open(root, path, { signal, range, onServed });
  }

  openDag(root: CID, path: string, options?: Abortable): Promise<OpenedDag> {
    return this.#dags.open(root, path, options);
  }

  /**
   * Resolves when the whole DAG is here, and from then on provides it. Calls for the same root
   * share the work. Rejects with NO_PROVIDERS, CONTENT_UNAVAILABLE, CONTENT_BAD, DISK_FULL …
   */
  async ensure(root: CID, { signal, onProgress }: WorkOptions = {}): Promise<EnsuredSite> {
    const link = requireLink(root);
    const complete: Work<EnsuredSite, Progress> = (ended, report) =>
      this.#complete(link, ended, throttled(this.#world.clock, report));
    return this.#jobs.run(hashKey(link.hash), complete, { signal, onProgress });
  }

  /**
   * Keeps at most 64 KiB under their SHA-256, provides them, and has them copied to other nodes,
   * for which the caller waits only a moment. Rejects with VALUE_TOO_BIG.
   */
  putValue(value: Bytes, options?: Abortable): Promise<{ hash: Bytes; stored: number }> {
    return this.#values.put(value, options);
  }

  /** Keeps and provides a file that is made here, as `chunkBytes` of it at a time. */
  async addFile(chunks: Iterable<Bytes>, options: Abortable = {}): Promise<CID> {
    return cidOf(await this.#publishing.addFile(chunks, options));
  }

  /** The value of this SHA-256. Rejects with NO_PROVIDERS, CONTENT_UNAVAILABLE or VALUE_TOO_BIG. */
  getValue(hash: Bytes, options?: Abortable): Promise<Bytes> {
    return this.#values.get(hash, options);
  }

  /** All that is held, whole or in part. */
  list(): readonly HeldRoot[] {
    return [...this.#parts.holdings.list()];
  }

  /** How the copies of this user's own sites were doing when they were last looked at. */
  copiesHealth(): CopiesHealth {
    return this.#replicator?.health() ?? { few: 0, lookedMs: undefined };
  }

  /** Since the start, for the operator. */
  counts(): SitesCounts {
    return {
      copies: this.#replicator?.counts() ?? noCopiesCounted,
      unserved: { ...this.#server.refusals },
    };
  }

  /** A newer version stands in its place: unless it is to be kept, it goes after a while. */
  async supersede(root: CID, { signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted();
    const { holdings } = this.#parts;
    const { hash } = requireLink(root);
    const held = holdings.get(hash);
    if (held?.kind !== 'own' || held.keep || held.supersededMs !== undefined) return;
    await holdings.change(hash, { supersededMs: this.#world.clock.unixMs() });
  }

  /**
   * No longer this node's own: it is removed and no longer provided. Others may go on keeping it,
   * and do not get it stored here again for a week.
   */
  async unpublish(root: CID, { signal }: Abortable = {}): Promise<void> {
    signal?.throwIfAborted();
    const { hash } = requireLink(root);
    if (this.#parts.holdings.get(hash)?.kind !== 'own') return;
    await this.#unpublished?.add(hash);
    await this.#parts.holdings.remove(hash);
  }

  /** Announces everything that is held once more: for when this node's addresses have changed. */
  async reprovide({ signal }: Abortable = {}): Promise<void> {
    this.#replicator?.hasten();
    const announce = ({ hash }: HeldRoot): Promise<Announced> =>
      this.#announcer.announce({ hash }, { signal });
    const { timers } = this.#world;
    await announceAll([...this.#parts.holdings.list()], announce, { timers, signal });
  }

  async #complete(
    link: Link,
    signal: AbortSignal,
    report: (progress: Progress) => void,
  ): Promise<EnsuredSite> {
    const { holdings } = this.#parts;
    const what = {
      link,
      into: (): Promise<Holding> => holdings.open({ kind: 'visited', root: link }),
      signal,
      onProgress: (got: FetchProgress): void => report({ ...got, files: 0 }),
    };
    const before = holdings.get(link.hash);
    if (before?.complete) {
      const peers = await this.#custody.fetch(what);
      return { files: before.files, bytes: before.bytes, peers };
    }
    const brought = await this.#custody.bring(what);
    this.#background.add(this.#announcer.provide(link, { signal: this.#stop.signal }));
    return brought;
  }
}

function sourcesOf(
  { search, connections, reception, signer }: SitesParts,
  { clock, timers }: World,
): ProviderSources {
  return {
    search,
    connections,
    reception,
    clock,
    timers,
    bad: new BadPeers(clock, badForMs),
    slow: new BadPeers(clock, slowForMs),
    slots: new StreamSlots(streamsToPeerMax),
    self: signer.key.publicKey,
  };
}
