/**
 * The frames of `/altnet/sync/1` as octets (docs/spec/exchange.md, "Frames"). Knows nothing of
 * order, stores or time; whoever reads a stream gets whole frames within their limits or a reason.
 */
import type { Chunks } from '../../peer/inbox.ts';
import type { ByteStream } from '../../peer/stream.ts';
import { asBuffer, type Bytes, concatBytes, copyPart, parseUtf8, utf8 } from '../../base/bytes.ts';
import { type ByteRange, properRange } from '../dag/byte-range.ts';
import type { Link } from '../dag/root.ts';
import { Slabs } from '../slabs.ts';
import { blockBytesMax } from '../dag/unixfs.ts';
import { walkDepthMax, type Want, type WantScope } from '../dag/walk.ts';

export const syncProtocol = '/altnet/sync/1';

export const frameTypes = {
  want: 0x01,
  root: 0x02,
  block: 0x81,
  missing: 0x82,
  end: 0x83,
} as const;
export type FrameType = (typeof frameTypes)[keyof typeof frameTypes];

/** Why the answer to a want ends. */
export const endStatuses = {
  done: 0,
  full: 1,
  busy: 2,
  refused: 3,
  failed: 4,
  limit: 5,
  withheld: 6,
} as const;
export type EndStatus = (typeof endStatuses)[keyof typeof endStatuses];

/** Type 1, length of the body 4. */
export const headBytes = 5;
export const wantBytesMax = 4096;
/**
 * Blocks of one answer: 1 MiB of blocks of 64 octets, and far less than a walk of this node's own
 * may visit, as a server remembers each of them until the answer is over.
 */
export const answerBlocksMax = 16_384;
const wantFixedBytes = 56;
const nameBytesMax = 1024;
const hashBytes = 32;
/** Leaves that one want names behind its first block. */
export const othersMax = 31;

const scopes: readonly WantScope[] = ['block', 'entity', 'all', 'nodes', 'leaves'];
const codecs: readonly Link['codec'][] = ['dag-pb', 'raw'];

export interface Frame {
  readonly type: number;
  readonly body: Bytes;
  /** SHA-256 of the body as `sha256Text`, where whoever received it has hashed it. */
  readonly digest?: string | undefined;
}

/** Frames in the order in which they came. */
export interface FrameSource {
  /**
   * Undefined at the end between two frames. Rejects with a FrameError, or another error when the
   * stream breaks off.
   */
  next(): Frame | Promise<Frame | undefined>;
}

/** A stream that may have been cut into frames already. */
export interface SyncStream extends ByteStream {
  /** In place of `read`, to be called once. `onOctets` is called whenever some came. */
  readonly frames?: (onOctets: () => void) => FrameSource;
}

/** The head of a frame: its body follows. */
export function encodeHead(type: FrameType, bodyBytes: number): Bytes {
  const head = Buffer.alloc(headBytes);
  head.writeUInt8(type, 0);
  head.writeUInt32BE(bodyBytes, 1);
  return head;
}

export function encodeFrame(type: FrameType, body: Bytes): Bytes {
  return concatBytes(encodeHead(type, body.length), body);
}

/** The root that the wants after it belong to. */
export function encodeRoot(hash: Bytes): Bytes {
  return encodeFrame(frameTypes.root, hash);
}

/**
 * scope 1, codec 1, level 1, count of names 1, hash 32, limit 4, from 8, to 8, then each name as
 * length 2 and UTF-8, then the hashes of the other leaves. No range is written as 0 and 0, an open
 * end as 0.
 */
export function encodeWant(want: Want): Bytes {
  const { link, level, path, scope, limitBytes = 0, range, others = [] } = want;
  const fixed = Buffer.alloc(wantFixedBytes);
  fixed.set([scopes.indexOf(scope), codecs.indexOf(link.codec), level, path.length]);
  fixed.set(link.hash, 4);
  fixed.writeUInt32BE(limitBytes, 36);
  const proper = scope === 'entity' ? properRange(range) : undefined;
  if (proper) {
    fixed.writeBigUInt64BE(BigInt(proper.from), 40);
    fixed.writeBigUInt64BE(BigInt(proper.to === Infinity ? 0 : proper.to), 48);
  }
  const names = path.map(utf8);
  const parts = names.flatMap((name) => [Uint8Array.of(name.length >> 8, name.length & 255), name]);
  parts.push(...others.map(({ hash }) => hash));
  return encodeFrame(frameTypes.want, concatBytes(fixed, ...parts));
}

/** Undefined when anything in it breaks a limit or is left over. */
export function decodeWant(body: Bytes): Want | undefined {
  if (body.length < wantFixedBytes || body.length > wantBytesMax) return undefined;
  const [scopeIndex = 255, codecIndex = 255, level = 255, count = 255] = body;
  const scope = scopes[scopeIndex];
  const codec = codecs[codecIndex];
  if (!scope || !codec || level > walkDepthMax || count > walkDepthMax) return undefined;
  const path: string[] = [];
  let at = wantFixedBytes;
  for (let i = 0; i < count; i++) {
    if (at + 2 > body.length) return undefined;
    const length = asBuffer(body).readUInt16BE(at);
    const name = body.subarray(at + 2, at + 2 + length);
    const text = name.length === length && length <= nameBytesMax ? parseUtf8(name) : undefined;
    if (text === undefined) return undefined;
    path.push(text);
    at += 2 + length;
  }
  const limitBytes = asBuffer(body).readUInt32BE(36);
  const range = decodeRange(body, scope);
  if (range === 'bad') return undefined;
  const link: Link = { codec, hash: body.slice(4, 36) };
  const want: Want = { link, level, path, scope, limitBytes, ...(range && { range }) };
  if (scope !== 'leaves') return at === body.length ? want : undefined;
  const others = decodeOthers(body);
  const isPlain = codec === 'raw' && level === 0 && count === 0 && limitBytes === 0;
  return isPlain && others ? { ...want, others } : undefined;
}

/** At least one: a single leaf is a want of scope block. */
function decodeOthers(body: Bytes): Link[] | undefined {
  const count = (body.length - wantFixedBytes) / hashBytes;
  if (!Number.isInteger(count) || count < 1 || count > othersMax) return undefined;
  return Array.from({ length: count }, (_, n): Link => {
    const at = wantFixedBytes + n * hashBytes;
    return { codec: 'raw', hash: body.slice(at, at + hashBytes) };
  });
}

/** Only of an entity; never empty, and no farther than numbers are exact. */
function decodeRange(body: Bytes, scope: WantScope): ByteRange | 'bad' | undefined {
  const from = Number(asBuffer(body).readBigUInt64BE(40));
  const to = Number(asBuffer(body).readBigUInt64BE(48));
  if (from === 0 && to === 0) return undefined;
  if (scope !== 'entity' || !Number.isSafeInteger(from) || !Number.isSafeInteger(to)) return 'bad';
  if (to === 0) return { from, to: Infinity };
  return from < to ? { from, to } : 'bad';
}

/** Whether a path is short enough for a want. */
export function fitsWant(path: readonly string[]): boolean {
  const bytes = path.map((name) => Buffer.byteLength(name));
  const total = bytes.reduce((sum, one) => sum + 2 + one, wantFixedBytes);
  return (
    path.length < walkDepthMax && total <= wantBytesMax && bytes.every((n) => n <= nameBytesMax)
  );
}

export function encodeEnd(status: EndStatus): Bytes {
  return encodeFrame(frameTypes.end, Uint8Array.of(status));
}

export function decodeEnd(body: Bytes): EndStatus | undefined {
  return body.length === 1 ? Object.values(endStatuses).find((one) => one === body[0]) : undefined;
}

export function frameBytesMax(type: number): number | undefined {
  switch (type) {
    case frameTypes.want:
      return wantBytesMax;
    case frameTypes.root:
      return hashBytes;
    case frameTypes.block:
      return blockBytesMax;
    case frameTypes.missing:
      return 0;
    case frameTypes.end:
      return 1;
    default:
      return undefined;
  }
}

/** What is wrong with a stream; the peer is dropped for it. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Peers and relays that go away close their streams like any other: no reason to condemn them. */
const cutOff = 'the stream ends inside a frame';

/** Cuts a stream into frames; each body is an array of its own. */
export class FrameReader implements FrameSource {
  readonly #slabs: Pick<Slabs, 'take'>;
  readonly #bytesMaxOf: (type: number) => number | undefined;
  readonly #stream: Chunks;
  readonly #chunks: AsyncIterator<Bytes>;
  readonly #onOctets: (() => void) | undefined;
  #rest: Bytes = new Uint8Array();

  /**
   * Bodies are taken from `slabs`, to be given back by whoever gets them. `bytesMaxOf` says which
   * types there are, for protocols that frame alike. `onOctets` is called whenever some came.
   */
  constructor(
    stream: Chunks,
    slabs: Pick<Slabs, 'take'> = new Slabs(0),
    bytesMaxOf: (type: number) => number | undefined = frameBytesMax,
    onOctets?: () => void,
  ) {
    this.#slabs = slabs;
    this.#bytesMaxOf = bytesMaxOf;
    this.#onOctets = onOctets;
    this.#stream = stream;
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Undefined at the end between two frames. Throws FrameError, or another error when the stream
   * breaks off. */
  async next(): Promise<Frame | undefined> {
    const head = Buffer.alloc(headBytes);
    const got = await this.#fill(head);
    if (got === 0) return undefined;
    if (got < headBytes) throw new Error(cutOff);
    const type = head.readUInt8(0);
    const length = head.readUInt32BE(1);
    const max = this.#bytesMaxOf(type);
    if (max === undefined) throw new FrameError('a frame has an unknown type');
    if (length > max) throw new FrameError('a frame is too large');
    const body = this.#slabs.take(length);
    if ((await this.#fill(body)) < length) throw new Error(cutOff);
    return { type, body };
  }

  /** Fills `target` from the stream; fewer bytes only at its end. */
  #fill(target: Bytes): number | Promise<number> {
    return this.#stream.fill?.(target, this.#onOctets) ?? this.#fillFromChunks(target);
  }

  async #fillFromChunks(target: Bytes): Promise<number> {
    let filled = 0;
    while (filled < target.length) {
      if (this.#rest.length === 0) {
        const chunk = this.#stream.takeNow?.() ?? (await this.#chunks.next()).value;
        if (chunk === undefined) break;
        this.#rest = chunk;
        this.#onOctets?.();
      }
      const to = Math.min(this.#rest.length, target.length - filled);
      copyPart({ of: this.#rest, from: 0, to }, target, filled);
      filled += to;
      this.#rest = this.#rest.subarray(to);
    }
    return filled;
  }
}
