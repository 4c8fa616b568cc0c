/**
 * Takes yamux apart as it comes in. The muxer itself waits until it has all of a frame, in lists of
 * arrays, and tells of it by events; this hands over what is there of it, to the one who reads the
 * stream, and leaves everything that is not data to the muxer. A part of a frame is to yamux what a
 * smaller frame would be, so windows and flags are kept as ever.
 *
 * The names that this relies on are the muxer's own (@libp2p/yamux 8).
 */
import type { MessageStream, Stream, StreamMuxer } from '@libp2p/interface';
import { copyOf, type Part } from '../base/bytes.ts';
import { takeShortcut } from './shortcut.ts';
import type { TakeOctets } from './socket-memory.ts';

const headBytes = 12;
const dataType = 0;
/** Those of a frame's flags that are for its end: FIN, RST. */
const closingFlags = 0b1100;
/** Who takes half a window within this time is given a larger one, however near the peer is. */
const swiftMs = 100;

interface Frame {
  readonly header: {
    readonly type: number;
    readonly flag: number;
    readonly streamID: number;
    readonly length: number;
  };
  readonly data?: Uint8Array;
}

interface YamuxStream extends Stream {
  readonly streamId: number;
  recvWindow: number;
  recvWindowCapacity: number;
  readonly maxStreamWindowSize: number;
  readonly epochStart: number;
  sendWindowUpdate(): void;
}

interface Yamux extends StreamMuxer<YamuxStream> {
  onData: (data: Parts) => void;
  handleFrame(frame: Frame): void;
}

type Parts = Uint8Array | Iterable<Uint8Array>;

/** Takes octets of a stream in the order in which they come; they are there until it returns. */
export type TakeData = (part: Part) => void;

/** Who reads which stream by itself. */
const takers = new WeakMap<Stream, TakeData>();

/** What comes on `stream` may be given to `take` instead of being told by an event. */
export function takeData(stream: Stream, take: TakeData): void {
  takers.set(stream, take);
}

/** Has the muxer read what `connection` brings the short way, if there is one. */
export function readShortWay(muxer: StreamMuxer, connection: MessageStream): void {
  if (!isYamux(muxer)) return;
  const reader = new YamuxReader(muxer);
  const take: TakeOctets = (memory, length) => {
    try {
      reader.read(memory, length);
    } catch (error) {
      const reason = error instanceof Error ? error : new Error('not yamux');
      muxer.abort(reason);
      connection.abort(reason);
    }
  };
  // What goes the long way comes through here as well.
  muxer.onData = (data) => {
    for (const part of data instanceof Uint8Array ? [data] : data) {
      reader.read(part, part.length);
    }
  };
  // What has come by now the muxer is told before that: it was asked for when the muxer was made.
  queueMicrotask(() => {
    if (connection.readBufferLength === 0) takeShortcut(connection, take);
  });
}

function isYamux(muxer: StreamMuxer): muxer is Yamux {
  return muxer.protocol === '/yamux/1.0.0' && 'onData' in muxer && 'handleFrame' in muxer;
}

class YamuxReader {
  readonly #muxer: Yamux;
  readonly #head = Buffer.alloc(headBytes);
  #headBytes = 0;
  /** Of the data frame that is being read. */
  #streamId = 0;
  #flags = 0;
  #left = 0;

  constructor(muxer: Yamux) {
    this.#muxer = muxer;
  }

  /** Takes the first `length` octets of `memory`. Throws when they are not yamux. */
  read(memory: Uint8Array, length: number): void {
    let at = 0;
    while (at < length && this.#muxer.status !== 'closed') {
      if (this.#left > 0) {
        const to = Math.min(at + this.#left, length);
        this.#left -= to - at;
        this.#part(memory, at, to);
        at = to;
      } else at = this.#readHead(memory, at, length);
    }
  }

  #readHead(memory: Uint8Array, from: number, to: number): number {
    let at = from;
    while (at < to && this.#headBytes < headBytes)
      this.#head[this.#headBytes++] = memory[at++] ?? 0;
    if (this.#headBytes < headBytes) return at;
    this.#headBytes = 0;
    const head = this.#head;
    if (head[0] !== 0) throw new Error('unknown version of yamux');
    const [type, flag] = [head.readUInt8(1), head.readUInt16BE(2)];
    const [streamID, length] = [head.readUInt32BE(4), head.readUInt32BE(8)];
    if (type !== dataType || length === 0) {
      const header = { type, flag, streamID, length };
      this.#muxer.handleFrame(type === dataType ? { header, data: new Uint8Array() } : { header });
      return at;
    }
    if (streamID === 0) throw new Error('data of no stream');
    this.#streamId = streamID;
    this.#flags = flag;
    this.#left = length;
    return at;
  }

  #part(memory: Uint8Array, from: number, to: number): void {
    const flag = this.#left === 0 ? this.#flags : this.#flags & ~closingFlags;
    this.#flags &= closingFlags;
    const streamID = this.#streamId;
    const stream = this.#muxer.streams.find(({ streamId }) => streamId === streamID);
    const take = stream && takers.get(stream);
    // What waits in the stream goes first.
    const isNext = stream?.readBufferLength === 0 && stream.readStatus !== 'closed';
    if (flag === 0 && stream && take && isNext) return give(stream, take, { of: memory, from, to });
    const data = copyOf({ of: memory, from, to });
    this.#muxer.handleFrame({
      header: { type: dataType, flag, streamID, length: to - from },
      data,
    });
  }
}

function give(stream: YamuxStream, take: TakeData, part: Part): void {
  const bytes = part.to - part.from;
  if (bytes > stream.recvWindowCapacity) throw new Error('more than the window allows');
  stream.recvWindowCapacity -= bytes;
  take(part);
  if (stream.recvWindowCapacity > stream.recvWindow / 2) return;
  if (Date.now() - stream.epochStart <= swiftMs) {
    stream.recvWindow = Math.min(stream.recvWindow * 2, stream.maxStreamWindowSize);
  }
  stream.sendWindowUpdate();
}
