/**
 * What this node's user publishes: read into an own holding, announced, and copied to other nodes.
 * The same folder is read by one at a time, and the same root is copied once, whoever wants it at
 * the same time. It knows no names: what points to a root is its callers' concern.
 */
import path from 'node:path';
import type { Abortable } from '../base/abort.ts';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import type { Denials } from '../base/denial.ts';
import { isAltNetError } from '../base/errors.ts';
import { sha256 } from '../base/hash.ts';
import { KeyedTurns } from '../base/keyed-turns.ts';
import { LruMap } from '../base/limits.ts';
import { SharedWork, type Work } from '../base/shared-work.ts';
import { BlockWriter } from './block-writer.ts';
import { FileBuilder } from './dag/build.ts';
import { adoptAll } from './dag/adopt.ts';
import { cidOf, hashKey, type Link, requireLink } from './dag/root.ts';
import { type Imported, importPath, type ImportProgress } from './import/import.ts';
import type { ImportMemory } from './import/import-memory.ts';
import type { Blocks, Holding, Holdings } from './ports.ts';
import { throttled } from './progress.ts';
import type { Announcer } from './provide.ts';
import type { CopyProgress } from './replication/recruit.ts';
import type { Replicator } from './replication/replicator.ts';
import type { TarImportOptions } from './tar/import-tar.ts';
import type { AddedSite, AddOptions, ReplicateOptions, Replication, WorkOptions } from './types.ts';
import type { Unpublished } from './unpublished.ts';

export interface PublishingDeps {
  readonly blocks: Blocks;
  readonly holdings: Holdings;
  readonly announcer: Announcer;
  /** Left out: nothing is copied to others. */
  readonly replicator: Replicator | undefined;
  /** Left out: each folder is read anew. */
  readonly memory: ImportMemory | undefined;
  readonly unpublished: Unpublished | undefined;
  /** What is not published; `holdings` take none of it. */
  readonly denials: Denials;
  readonly clock: Clock;
}

/** Folders that were read since the start. */
const readMax = 64;
/** Who publishes more at the same time than a person does is told to wait. */
const importsMax = 256;
/** Roots of which copies are being made: values come faster than sites. */
const copiedMax = 4096;
export const noCopies: Replication = { replicas: 0, wanted: 0, refused: [] };

export class Publishing {
  readonly #deps: PublishingDeps;
  readonly #imports = new KeyedTurns({ pendingMax: importsMax, what: 'publishing' });
  readonly #offers = new KeyedTurns({ pendingMax: copiedMax, what: 'copying' });
  /** By path, the hash of what was read there last. */
  readonly #read = new LruMap<string, Bytes>(readMax);
  readonly #copies = new SharedWork<Replication, CopyProgress>();

  constructor(deps: PublishingDeps) {
    this.#deps = deps;
  }

  /** Gives up all copying; resolves when nothing of it runs any more. */
  async stop(): Promise<void> {
    await this.#copies.stop();
  }

  /** Imports the folder or file at `from` and announces it. Rejects like `importPath`. */
  async add(from: string, { signal, onProgress, keep }: AddOptions): Promise<AddedSite> {
    const report = throttled(this.#deps.clock, onProgress);
    // Room is set aside for all of it: two that read the same would need it twice.
    const at = path.resolve(from);
    const options = {
      signal,
      keep,
      onProgress: onProgress && ((done: ImportProgress) => report({ ...done, peers: 0 })),
    };
    const imported = await this.#imports.run(at, () => this.#import(at, options), signal);
    return this.#announce(imported, { signal, onProgress });
  }

  /** The same for the tar archive that `body` brings. Rejects like `importTar`. */
  async addTar(
    body: AsyncIterable<Bytes>,
    { signal, onProgress, keep }: AddOptions,
  ): Promise<AddedSite> {
    const report = throttled(this.#deps.clock, onProgress);
    const imported = await this.#importTar(body, {
      signal,
      keep,
      onProgress: onProgress && ((done) => report({ ...done, peers: 0 })),
    });
    return this.#announce(imported, { signal, onProgress });
  }

  async #announce(
    { root: link, files, bytes, entry }: Imported,
    { signal, onProgress }: WorkOptions,
  ): Promise<AddedSite> {
    const root = cidOf(link);
    const done = { bytes, bytesTotal: bytes, files, peers: 0 };
    // Not left to chance: from here on, who stops it should know that the site is there.
    onProgress?.({ phase: 'announcing', root: root.toString(), ...done });
    const announced = await this.#deps.announcer.provide(link, { signal });
    return { root, files, bytes, announced, entry };
  }

  /** Keeps a value under its SHA-256. */
  async addValue(bytes: Bytes): Promise<Link> {
    const link: Link = { codec: 'raw', hash: sha256(bytes) };
    await using holding = await this.#deps.holdings.open({ kind: 'own', root: link });
    await holding.putAll([{ hash: link.hash, bytes }]);
    await holding.complete({ link, files: 1, bytes: bytes.length });
    await this.#revive(link);
    return link;
  }

  /** Keeps a file that is no one's on the disk: pieces of `chunkBytes`, the last one shorter. */
  async addFile(chunks: Iterable<Bytes>, { signal }: Abortable): Promise<Link> {
    const { holdings, announcer } = this.#deps;
    await using holding = await holdings.open({ kind: 'own' });
    const writer = new BlockWriter(holding);
    const builder = new FileBuilder((block) => writer.add(block));
    for (const chunk of chunks) {
      signal?.throwIfAborted();
      await builder.add(chunk);
    }
    const link = await builder.finish();
    await writer.finish();
    await holding.complete({ link, files: 1, bytes: link.size });
    await this.#revive(link);
    await announcer.provide(link, { signal });
    return link;
  }

  /** Has a root copied that is held completely. Rejects with the signal's reason. */
  async replicate(
    link: Link,
    { replaces, signal, onProgress }: ReplicateOptions,
  ): Promise<Replication> {
    const { replicator, holdings, clock } = this.#deps;
    if (!replicator) return noCopies;
    const files = holdings.get(link.hash)?.files ?? 0;
    const former = replaces && requireLink(replaces).hash;
    const isOther = former !== undefined && !equalBytes(former, link.hash);
    const replaced = isOther ? former : undefined;
    const name = hashKey(link.hash);
    const report = throttled(clock, onProgress);
    const copy: Work<Replication, CopyProgress> = (ended, tell) => {
      const what = { link, files, replaces: replaced, signal: ended, onProgress: tell };
      // Nodes that are making a copy already would be too busy for a second offer of it.
      return this.#offers.run(name, () => replicator.copy(what), ended);
    };
    return this.#copies.run(replaced ? `${name} ${hashKey(replaced)}` : name, copy, {
      signal,
      onProgress: (done) =>
        report({ phase: 'copying', root: cidOf(link).toString(), files, ...done }),
    });
  }

  async #import(
    from: string,
    {
      signal,
      keep,
      onProgress,
    }: Pick<AddOptions, 'signal' | 'keep'> & Parameters<typeof importPath>[2],
  ): Promise<Imported> {
    const { blocks, holdings, memory, denials } = this.#deps;
    await using holding = await holdings.open({ kind: 'own', keep });
    const known = memory && { memory, blocks };
    const into = this.#isHere(from) ? withoutReserve(holding) : holding;
    const imported = await importPath(into, from, { signal, known, onProgress, denials });
    const { root, files, bytes } = imported;
    await holding.complete({ link: root, files, bytes });
    this.#read.set(from, root.hash);
    await this.#revive(root);
    return imported;
  }

  async #importTar(
    body: AsyncIterable<Bytes>,
    { keep, ...options }: Pick<AddOptions, 'keep'> & Omit<TarImportOptions, 'bytesMax'>,
  ): Promise<Imported> {
    const { blocks, holdings, denials } = this.#deps;
    const { bytesMax } = holdings.usage();
    const { importTar } = await import('./tar/import-tar.ts'); // most nodes are sent no archive
    await using holding = await holdings.open({ kind: 'own', keep });
    const imported = await importTar(holding, body, { ...options, bytesMax, denials });
    const { root, files, bytes, leftOut } = imported;
    const done = { link: root, files, bytes };
    if (leftOut === 0) {
      await holding.complete(done);
    } else {
      // What an .altignore leaves out was written before that was known: it goes with its holding.
      await using site = await holdings.open({ kind: 'own', keep });
      await adoptAll(blocks, root, site);
      await site.complete(done);
    }
    await this.#revive(root);
    return imported;
  }

  /** Whether a folder is likely to be here already, though its files are too new to tell. */
  #isHere(from: string): boolean {
    const hash = this.#read.get(from);
    return hash !== undefined && this.#deps.holdings.get(hash)?.complete === true;
  }

  /** What is published again is no longer an old version, nor one that its user gave up. */
  async #revive({ hash }: Link): Promise<void> {
    const { holdings, unpublished } = this.#deps;
    await unpublished?.forget(hash);
    if (holdings.get(hash)?.supersededMs === undefined) return;
    await holdings.change(hash, { supersededMs: undefined });
  }
}

/** What is here needs no room, and how much of a folder that is, is known once it was read. */
function withoutReserve(holding: Holding): Pick<Holding, 'putAll' | 'adopt' | 'reserve'> {
  return {
    putAll: (blocks) => holding.putAll(blocks),
    adopt: (hashes, options) => holding.adopt(hashes, options),
    reserve: async (bytes) => {
      try {
        await holding.reserve(bytes);
      } catch (error) {
        if (!isAltNetError(error, 'STORE_FULL')) throw error;
      }
    },
  };
}
