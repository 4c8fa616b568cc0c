/**
 * Sites as the gateway reads them: what stands at a path, and files as streams that begin before
 * everything is here. Fetches just what the reader needs.
 */
import type { CID } from 'multiformats/cid';
import { toHex } from '../../base/bytes.ts';
import { type Denials, noDenials } from '../../base/denial.ts';
import { AltNetError } from '../../base/errors.ts';
import { Delivery } from '../fetching/delivery.ts';
import type { Fetcher } from '../fetching/fetch.ts';
import { FileSource } from './file-source.ts';
import type { ByteRange } from '../dag/byte-range.ts';
import { listFolder } from '../dag/folder.ts';
import { fitsWant } from '../exchange/frames.ts';
import { requirePath } from '../guarded-store.ts';
import { missingOf } from '../dag/missing.ts';
import type { Blocks, Holding, Holdings } from '../ports.ts';
import { cidOf, type Link, requireLink } from '../dag/root.ts';
import type { OpenOptions, SiteEntry, SiteFile, SiteFolder } from '../types.ts';
import { decodeNode, type FilePart, type FolderEntry } from '../dag/unixfs.ts';
import { DagWalk, type Want } from '../dag/walk.ts';

const entriesMax = 10_000;
/** Of so many entries that are no plain blocks it is found out what they are. */
const looksMax = 256;
/**
 * So much of a file comes with its path, from where it is read first: who opens a file mostly reads
 * it, and would else wait for another round trip.
 */
const firstBytes = 256 * 1024;

export interface OpenSiteOptions extends OpenOptions {
  /** Called once, when what the reader waited for has come and the rest of the site may follow. */
  readonly onServed: () => void;
}

/** A path on a site that is being opened. */
interface Opening {
  readonly root: Link;
  readonly path: readonly string[];
  /** What of a file comes with it. */
  readonly range: ByteRange;
  readonly blocks: Blocks;
  readonly delivery: Delivery;
}

export class SiteFiles {
  readonly #holdings: Pick<Holdings, 'open' | 'touch'>;
  readonly #fetcher: Fetcher;
  readonly #denials: Pick<Denials, 'ofPath'>;

  constructor(
    holdings: Pick<Holdings, 'open' | 'touch'>,
    fetcher: Fetcher,
    denials: Pick<Denials, 'ofPath'> = noDenials,
  ) {
    this.#holdings = holdings;
    this.#fetcher = fetcher;
    this.#denials = denials;
  }

  async open(
    root: CID,
    path: string,
    { signal, range = { from: 0, to: Infinity }, onServed }: OpenSiteOptions,
  ): Promise<SiteEntry> {
    const link = requireLink(root);
    const names = path.split('/').filter((name) => name !== '');
    requirePath(this.#denials, link, names.join('/'));
    this.#holdings.touch(link.hash);
    if (!fitsWant(names)) throw noPath(link, names);
    const opening = this.#begin({ root: link, path: names, range }, signal);
    const { blocks, delivery } = opening;
    const target = await delivery.until(() => targetOf(opening));
    const node = decodeNode(target, blocks.get(target.hash) ?? new Uint8Array());
    if (node.kind === 'bad') {
      throw new AltNetError('CONTENT_BAD', { root: toHex(link.hash), why: node.why });
    }
    if (node.kind === 'file') {
      const part = { codec: target.codec, hash: target.hash, size: node.size };
      return this.#file({ opening, part, onServed });
    }
    if (node.kind === 'shard') await delivery.all();
    const entries = listFolder(blocks, node, entriesMax);
    void delivery.settled.then(onServed);
    const folder: SiteFolder = {
      type: 'folder',
      cid: cidOf(target),
      entries: typedEntries(blocks, entries),
    };
    return folder;
  }

  #begin(
    { root, path, range }: Pick<Opening, 'root' | 'path' | 'range'>,
    signal: AbortSignal | undefined,
  ): Opening {
    const blocks = this.#fetcher.blocks(root);
    const want: Want = { link: root, level: 0, path, scope: 'block' };
    const job = {
      root,
      missing: () => missingOfEntry(blocks, want),
      ask: (missing: Want): Want => ({
        ...missing,
        scope: 'entity',
        range,
        limitBytes: firstBytes,
      }),
      into: () => this.#into(root),
    };
    return { root, path, range, blocks, delivery: new Delivery(this.#fetcher, job, signal) };
  }

  #into(root: Link): Promise<Holding> {
    return this.#holdings.open({ kind: 'visited', root });
  }

  #file({
    opening,
    part,
    onServed,
  }: {
    readonly opening: Opening;
    readonly part: FilePart;
    readonly onServed: () => void;
  }): SiteFile {
    const { root, path, range: first, delivery } = opening;
    const into = (): Promise<Holding> => this.#into(root);
    const fetcher = this.#fetcher;
    const denials = this.#denials;
    if (part.codec === 'raw') void delivery.settled.then(onServed);
    return {
      type: 'file',
      cid: cidOf(part),
      size: part.size,
      async *read({ from = 0, to = part.size, signal } = {}) {
        signal?.throwIfAborted();
        requirePath(denials, root, path.join('/')); // lists change while somebody reads
        const range = { from: Math.max(from, 0), to: Math.min(to, part.size) };
        // What comes with the path is not wanted after all.
        if (!meets(range, first)) delivery.stop();
        yield* new FileSource(fetcher, { root, part, range, into, signal }).read();
        // Who looks into a file here and there does not want all of the site.
        if (range.from === 0 && range.to === part.size) void delivery.settled.then(onServed);
      },
    };
  }
}

/** Looks only into what is here, and not into very many: a list must not take long. */
function typedEntries(blocks: Blocks, entries: readonly FolderEntry[]): SiteFolder['entries'] {
  let looks = 0;
  return entries.map((entry) => {
    const { codec, name, size } = entry;
    const mayLook = codec === 'raw' || looks++ < looksMax;
    return { name, size, type: mayLook ? typeOf(blocks, entry) : undefined };
  });
}

function typeOf(blocks: Blocks, { codec, hash }: Link): 'file' | 'folder' | undefined {
  if (codec === 'raw') return 'file';
  const bytes = blocks.get(hash);
  const node = bytes && decodeNode({ codec, hash }, bytes);
  if (node === undefined || node.kind === 'bad') return undefined;
  return node.kind === 'file' ? 'file' : 'folder';
}

/** Whether a range begins in what comes first of another one. */
function meets({ from }: ByteRange, first: ByteRange): boolean {
  return from >= first.from && from < Math.min(first.from + firstBytes, first.to);
}

/** The block that the path leads to and, where that is a shard of a folder, the others. */
async function* missingOfEntry(blocks: Blocks, want: Want): AsyncGenerator<Want, void, undefined> {
  let isHere = true;
  for await (const missing of missingOf(blocks, want)) {
    isHere = false;
    yield missing;
  }
  if (!isHere) return;
  const target = walkTo(blocks, want);
  if (target?.codec !== 'dag-pb') return;
  const node = decodeNode(target, blocks.get(target.hash) ?? new Uint8Array());
  if (node.kind === 'shard') yield* missingOf(blocks, { ...want, scope: 'entity' });
}

/** Undefined while a block is missing. Throws CONTENT_NO_PATH. */
function targetOf({ root, path, blocks }: Opening): Link | undefined {
  return walkTo(blocks, { link: root, level: 0, path, scope: 'block' });
}

export function walkTo(blocks: Blocks, want: Want): Link | undefined {
  const walk = new DagWalk(want);
  for (let link = walk.next(); link !== undefined; link = walk.next()) {
    const bytes = blocks.get(link.hash);
    if (bytes === undefined) return undefined;
    const why = walk.accept(bytes);
    if (why === undefined) continue;
    throw new AltNetError('CONTENT_BAD', { root: toHex(want.link.hash), why });
  }
  if (walk.noPath) throw noPath(want.link, want.path);
  return walk.target;
}

export function noPath({ hash }: Link, path: readonly string[]): AltNetError {
  return new AltNetError('CONTENT_NO_PATH', { root: toHex(hash), path: `/${path.join('/')}` });
}
