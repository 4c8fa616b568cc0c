/**
 * A tar archive as it arrives, in steps: an entry, pieces of its content, its end. Owns what the
 * archive itself may be; which entries a site can have is for others to say. Nothing is written to
 * any disk, and no more is in memory than came last.
 */
import { Parser, type ReadEntry } from 'tar';
import { asBuffer, type Bytes } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import { chunkBytes } from '../dag/build.ts';
import { walkBlocksMax } from '../dag/walk.ts';

export interface TarEntry {
  /** As it stands in the archive. */
  readonly path: string;
  /** 'File', 'Directory', 'SymbolicLink' …, as the library calls them. */
  readonly type: string;
  /** Of its content: a safe integer. */
  readonly bytes: number;
}

export type TarStep =
  | { readonly kind: 'entry'; readonly entry: TarEntry }
  /** Of the entry that came last; valid until the next step is asked for. */
  | { readonly kind: 'piece'; readonly bytes: Bytes }
  /** All of the entry that came last is there. */
  | { readonly kind: 'end' };

/** As many bytes as a site can have at most, if it were one file; what is left out counts. */
const archiveBytesMax = walkBlocksMax * chunkBytes;
/** Of long paths and the like, before an entry. */
const metaBytesMax = 64 * 1024;
/** After the mark of its end; programs fill up to a multiple of their block size. */
const paddingBytesMax = 1024 * 1024;
const gzipFirstByte = 0x1f;

/** Rejects with BAD_ARGUMENT for what is no whole archive, and like `body`. */
export async function* readTar(body: AsyncIterable<Bytes>): AsyncGenerator<TarStep> {
  const reading = new TarReading();
  let isFirst = true;
  for await (const chunk of body) {
    if (chunk.length === 0) continue;
    if (isFirst && chunk[0] === gzipFirstByte)
      throw badTar(
        'it is compressed; make it without -z, or send it with the type application/gzip',
      );
    isFirst = false;
    yield* reading.steps(chunk);
  }
  reading.finish();
}

class TarReading {
  readonly #parser: Parser;
  #steps: TarStep[] = []; // BOUNDED by one chunk: 512 bytes for an entry
  #why: string | undefined;
  #hasBegun = false;
  #hasEnded = false;
  #bytes = 0;
  #paddingBytes = 0;

  constructor() {
    this.#parser = new Parser({
      zstd: false,
      brotli: false,
      maxMetaEntrySize: metaBytesMax,
      onwarn: (_code, message) => this.#fail(message),
      onReadEntry: (entry) => this.#begin(entry),
    });
    // What it emits besides is not in its types.
    const events: NodeJS.EventEmitter = this.#parser;
    events.on('error', (error: Error) => this.#fail(error.message));
    events.on('eof', () => (this.#hasEnded = true));
    events.on('ignoredEntry', (entry: ReadEntry) => this.#ignore(entry));
    events.on('meta', (text: string) => this.#checkMeta(text));
  }

  /** What comes with the next bytes. Throws BAD_ARGUMENT. */
  steps(chunk: Bytes): readonly TarStep[] {
    this.#bytes += chunk.length;
    if (this.#bytes > archiveBytesMax) throw badTar(`it has more than ${archiveBytesMax} bytes`);
    if (this.#hasEnded) {
      this.#paddingBytes += chunk.length;
      if (this.#paddingBytes > paddingBytesMax) throw badTar('there is more after its end');
      return [];
    }
    this.#parser.write(asBuffer(chunk));
    return this.#take();
  }

  /** Throws BAD_ARGUMENT when the archive is not over. */
  finish(): void {
    if (this.#hasEnded) return;
    if (this.#bytes === 0) throw badTar('nothing came');
    throw badTar(this.#hasBegun ? 'it is cut off' : 'it is none, or it is cut off');
  }

  #take(): readonly TarStep[] {
    if (this.#why !== undefined) throw badTar(this.#why);
    const steps = this.#steps;
    this.#steps = [];
    return steps;
  }

  #begin(entry: ReadEntry): void {
    const { path, type, size } = entry;
    if (!Number.isSafeInteger(size)) return this.#fail('an entry has no valid size');
    this.#hasBegun = true;
    this.#steps.push({ kind: 'entry', entry: { path, type, bytes: size } });
    entry.on('end', () => this.#steps.push({ kind: 'end' }));
    entry.on('data', (bytes) => this.#steps.push({ kind: 'piece', bytes }));
  }

  #ignore({ path, type, meta }: ReadEntry): void {
    if (meta) return this.#fail('a description before an entry is too long');
    this.#steps.push({ kind: 'entry', entry: { path, type, bytes: 0 } }, { kind: 'end' });
  }

  /** A file with holes would come out as the pieces between them. */
  #checkMeta(text: string): void {
    if (text.includes('GNU.sparse.')) this.#fail('it has files with holes (sparse)');
  }

  #fail(why: string): void {
    this.#why ??= why.slice(0, 200);
  }
}

export function badTar(why: string): AltNetError<'BAD_ARGUMENT'> {
  return new AltNetError('BAD_ARGUMENT', { what: 'the tar archive', why });
}
