/**
 * Sites as the gateway reads them: what stands at a path, and files as streams that begin before
 * everything is here. Fetches just what the reader needs.
 */
import type { CID } from 'multiformats/cid';
import { type Bytes, toHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { Fetcher, FetchJob } from './fetch.ts';
import { type ByteRange, missingOfFile, readFile } from './file.ts';
import { listFolder, readNode } from './folder.ts';
import { fitsWant } from './frames.ts';
import { missingOf } from './missing.ts';
import type { Blocks, Holding, Holdings } from './ports.ts';
import { cidOf, type Link, requireLink } from './root.ts';
import { Tide } from './tide.ts';
import type { SiteEntry, SiteFile, SiteFolder } from './types.ts';
import type { FilePart } from './unixfs.ts';
import { DagWalk, type Want, type WantScope } from './walk.ts';

const entriesMax = 10_000;

export interface OpenSiteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once, when what the reader waited for has come and the rest of the site may follow. */
  readonly onServed: () => void;
}

export class SiteFiles {
  readonly #blocks: Blocks;
  readonly #holdings: Pick<Holdings, 'open'>;
  readonly #fetcher: Fetcher;

  constructor(blocks: Blocks, holdings: Pick<Holdings, 'open'>, fetcher: Fetcher) {
    this.#blocks = blocks;
    this.#holdings = holdings;
    this.#fetcher = fetcher;
  }

  async open(root: CID, path: string, { signal, onServed }: OpenSiteOptions): Promise<SiteEntry> {
    const link = requireLink(root);
    const names = path.split('/').filter((name) => name !== '');
    if (!fitsWant(names)) {
      throw new AltNetError('CONTENT_NO_PATH', { root: toHex(link.hash), path: `/${path}` });
    }
    const target = await this.#bring(link, { path: names, scope: 'block', signal });
    const node = readNode(this.#blocks, target);
    if (node.kind === 'file') {
      return this.#file(link, { part: { ...target, size: node.size }, onServed });
    }
    if (node.kind === 'shard') await this.#bring(link, { path: names, scope: 'entity', signal });
    onServed();
    const entries = listFolder(this.#blocks, node, entriesMax);
    const folder: SiteFolder = {
      type: 'folder',
      cid: cidOf(target),
      entries: entries.map(({ name, size }) => ({ name, size })),
    };
    return folder;
  }

  /** Fetches what is missing of a path; what stands at its end. */
  async #bring(
    root: Link,
    {
      path,
      scope,
      signal,
    }: { path: readonly string[]; scope: WantScope; signal: AbortSignal | undefined },
  ): Promise<Link> {
    const want: Want = { link: root, level: 0, path, scope };
    const missing: FetchJob['missing'] = () => missingOf(this.#blocks, want);
    const into = (): Promise<Holding> => this.#holdings.open({ kind: 'visited', root });
    await this.#fetcher.fetch({ root, missing, into, signal });
    const walk = new DagWalk({ ...want, scope: 'block' });
    for (let link = walk.next(); link !== undefined; link = walk.next()) {
      const bytes = this.#blocks.get(link.hash);
      if (bytes === undefined) break;
      walk.accept(bytes);
    }
    if (walk.target) return walk.target;
    const why = 'a block was lost meanwhile';
    throw new AltNetError('CONTENT_UNAVAILABLE', { root: toHex(root.hash), why });
  }

  #file(root: Link, { part, onServed }: { part: FilePart; onServed: () => void }): SiteFile {
    const files = {
      blocks: this.#blocks,
      fetcher: this.#fetcher,
      into: (): Promise<Holding> => this.#holdings.open({ kind: 'visited', root }),
    };
    if (part.codec === 'raw') onServed();
    return {
      type: 'file',
      cid: cidOf(part),
      size: part.size,
      async *read({ from = 0, to = part.size, signal } = {}) {
        signal?.throwIfAborted();
        const range = { from: Math.max(from, 0), to: Math.min(to, part.size) };
        const source = new FileSource(files, { root, part, range, signal });
        try {
          yield* readFile(part, range, (link) => source.block(link));
          onServed();
        } finally {
          source.stop();
        }
      },
    };
  }
}

interface FileWanted {
  readonly root: Link;
  readonly part: FilePart;
  readonly range: ByteRange;
  readonly signal: AbortSignal | undefined;
}

/** The blocks of one range of a file, fetched ahead of the reader once one is missing. */
class FileSource {
  readonly #blocks: Blocks;
  readonly #fetcher: Fetcher;
  readonly #into: () => Promise<Holding>;
  readonly #what: FileWanted;
  readonly #stop = new AbortController();
  readonly #arrivals = new Tide();
  #begun = false;
  #outcome: { readonly error: unknown } | undefined;

  constructor(
    { blocks, fetcher, into }: { blocks: Blocks; fetcher: Fetcher; into: () => Promise<Holding> },
    what: FileWanted,
  ) {
    this.#blocks = blocks;
    this.#fetcher = fetcher;
    this.#into = into;
    this.#what = what;
  }

  block(link: Link): Bytes | Promise<Bytes> {
    this.#what.signal?.throwIfAborted();
    return this.#blocks.get(link.hash) ?? this.#await(link);
  }

  stop(): void {
    this.#stop.abort(new AltNetError('ABORTED', {}));
  }

  async #await(link: Link): Promise<Bytes> {
    if (!this.#begun) {
      this.#begun = true;
      void this.#fetch(); // it never rejects: the outcome is kept
    }
    for (;;) {
      const arrival = this.#arrivals.next();
      const bytes = this.#blocks.get(link.hash);
      if (bytes) return bytes;
      if (this.#outcome) throw this.#outcome.error;
      await arrival;
    }
  }

  async #fetch(): Promise<void> {
    const { root, part, range, signal } = this.#what;
    const signals = signal ? [signal, this.#stop.signal] : [this.#stop.signal];
    let error: unknown = new AltNetError('CONTENT_UNAVAILABLE', {
      root: toHex(root.hash),
      why: 'a block was lost meanwhile',
    });
    try {
      await this.#fetcher.fetch({
        root,
        missing: () => missingOfFile(this.#blocks, part, range),
        into: this.#into,
        signal: AbortSignal.any(signals),
        onStored: () => this.#arrivals.rise(),
      });
    } catch (failure) {
      error = failure;
    }
    this.#outcome = { error };
    this.#arrivals.rise();
  }
}
