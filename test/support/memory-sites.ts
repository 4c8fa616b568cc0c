/**
 * Sites and names in memory, for tests of what shows them. Files are named by their real CIDs, in
 * pieces as small as the test wants; what is asked and how it ends can be steered and seen.
 */
import { CID } from 'multiformats/cid';
import * as raw from 'multiformats/codecs/raw';
import { create as createDigest } from 'multiformats/hashes/digest';
import { abortReason } from '../../src/base/abort.ts';
import { type Bytes, utf8 } from '../../src/base/bytes.ts';
import { AltNetError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/base/hash.ts';
import type { SiteEntry, SiteFile, SiteReader } from '../../src/content/types.ts';
import type { NameResolver, ResolvedName } from '../../src/name/types.ts';

/** Files by their path, such as "docs/index.html". */
export type Tree = Readonly<Record<string, string | Bytes>>;

const dagPbCode = 0x70;

export function fileCid(bytes: Bytes): CID {
  return CID.createV1(raw.code, createDigest(0x12, sha256(bytes)));
}

export class MemorySites implements SiteReader {
  readonly #trees = new Map<string, Map<string, Bytes>>(); // BOUNDED by the test
  /** Every `open`, as "path". */
  readonly opened: string[] = [];
  /** Reads that have begun and not yet ended. */
  reading = 0;
  /** Bytes handed out so far. */
  bytesRead = 0;
  pieceBytes = 65_536;
  /** What `open` rejects with. */
  openFailure: Error | undefined;
  /** After so many bytes a read fails. */
  readFailsAfter: number = Number.POSITIVE_INFINITY;
  /** Told of each file when `open` has brought it. */
  onOpened: (path: string) => void = () => undefined;
  /** `open` waits until it is aborted. */
  silent = false;

  /** The root of a new site. The same files give the same root. */
  add(tree: Tree): CID {
    const files = new Map(
      Object.entries(tree).map(([path, content]) => [
        path,
        typeof content === 'string' ? utf8(content) : content,
      ]),
    );
    const root = folderCid(files);
    this.#trees.set(root.toString(), files);
    return root;
  }

  async open(
    root: CID,
    path: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<SiteEntry> {
    this.opened.push(path);
    signal?.throwIfAborted();
    if (this.openFailure) throw this.openFailure;
    if (this.silent) await untilAborted(signal);
    const text = root.toString();
    const files = this.#trees.get(text);
    if (!files) throw new AltNetError('NO_PROVIDERS', { root: text });
    const bytes = files.get(path);
    if (bytes) {
      this.onOpened(path);
      return this.#file(bytes);
    }
    const prefix = path === '' ? '' : `${path}/`;
    const below = [...files].filter(([name]) => name.startsWith(prefix));
    if (below.length === 0) throw new AltNetError('CONTENT_NO_PATH', { root: text, path });
    const sizes = new Map<string, number>();
    for (const [name, { length }] of below) {
      const [child = ''] = name.slice(prefix.length).split('/');
      sizes.set(child, (sizes.get(child) ?? 0) + length);
    }
    const entries = [...sizes].map(([name, size]) => ({ name, size }));
    return { type: 'folder', cid: folderCid(new Map(below)), entries };
  }

  #file(bytes: Bytes): SiteFile {
    const read: SiteFile['read'] = ({ from = 0, to = bytes.length, signal } = {}) =>
      this.#pieces(bytes.subarray(from, to), signal);
    return { type: 'file', cid: fileCid(bytes), size: bytes.length, read };
  }

  async *#pieces(bytes: Bytes, signal: AbortSignal | undefined): AsyncGenerator<Bytes> {
    this.reading++;
    try {
      let sent = 0;
      for (let at = 0; at < bytes.length; at += this.pieceBytes) {
        await new Promise((resolve) => setImmediate(resolve));
        signal?.throwIfAborted();
        if (sent >= this.readFailsAfter) {
          throw new AltNetError('CONTENT_UNAVAILABLE', { root: 'x', why: 'the peer left' });
        }
        const piece = bytes.subarray(at, at + this.pieceBytes);
        this.bytesRead += piece.length;
        sent += piece.length;
        yield piece;
      }
    } finally {
      this.reading--;
    }
  }
}

function folderCid(files: ReadonlyMap<string, Bytes>): CID {
  const listing = [...files].map(([path, bytes]) => `${path}\0${fileCid(bytes).toString()}`);
  return CID.createV1(dagPbCode, createDigest(0x12, sha256(utf8(listing.toSorted().join('\n')))));
}

export class MemoryNames implements NameResolver {
  readonly #names = new Map<string, Partial<ResolvedName>>(); // BOUNDED by the test
  /** Every `resolve`. */
  readonly asked: string[] = [];

  set(label: string, resolved: Partial<ResolvedName>): void {
    this.#names.set(label, resolved);
  }

  async resolve(
    label: string,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<ResolvedName> {
    this.asked.push(label);
    signal?.throwIfAborted();
    const name = `${label}.alt`;
    if (label === 'gns') throw new AltNetError('BAD_NAME', { name, why: 'it is reserved' });
    if (label === 'silent') await untilAborted(signal);
    if (label === 'unheard') {
      throw new AltNetError('NO_ANSWER', { what: name, answered: 1, wanted: 12 });
    }
    return { name, state: 'not-found', asked: 20, ...this.#names.get(label) };
  }
}

async function untilAborted(signal: AbortSignal | undefined): Promise<never> {
  if (!signal) throw new Error('asked to wait for ever');
  const { promise, reject } = Promise.withResolvers<never>();
  if (signal.aborted) reject(abortReason(signal));
  signal.addEventListener('abort', () => reject(abortReason(signal)), { once: true });
  return promise;
}
