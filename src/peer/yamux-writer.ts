/**
 * The short way of large pieces to a peer: as frames of yamux whose head lies in front of their
 * data in one piece of memory, to the TLS socket at once. The long way has two arrays for each
 * frame, which TLS copies into one, and three queues, each of which is woken by an event.
 *
 * The peer sees no difference: windows are kept, and nothing passes what waits on the long way.
 * This knows nothing of what is sent. The names that it relies on are the muxer's own
 * (@libp2p/yamux 8).
 */
import { TLSSocket } from 'node:tls';
import type { MessageStream, Stream, StreamMuxer } from '@libp2p/interface';
import type { Bytes } from '../base/bytes.ts';
import { frameHeadBytes, type SendMemory } from './send-memory.ts';
import { tlsOf } from './shortcut.ts';

/** Octets of one stream that the socket may have, before a piece, and the system has not taken. */
const unsentBytesMax = 256 * 1024;
/**
 * The same of all streams: what the socket has stays there when its stream is reset. What is more
 * takes the long way, where it waits, and goes with the stream.
 */
const socketBytesMax = 1024 * 1024;
/** Init and SYNReceived: the next frame of the stream carries a flag. */
const greetingStates: ReadonlySet<unknown> = new Set([0, 2]);

interface YamuxStream extends Stream {
  readonly streamId: number;
  readonly state: unknown;
  sendWindowCapacity: number;
  handleWindowUpdate(frame: unknown): void;
}

interface Yamux extends StreamMuxer<YamuxStream> {
  onRemoteStream: (stream: YamuxStream) => void;
}

/** What lies under a stream. */
interface Below {
  readonly muxer: Yamux;
  readonly connection: MessageStream;
  readonly tls: TLSSocket;
  /** Told when the connection has sent all that waited. BOUNDED by the streams. */
  readonly onIdle: Set<() => void>;
}

/** Streams that have a short way. */
const known = new WeakMap<Stream, { readonly stream: YamuxStream; readonly below: Below }>();

/** Has streams that the peer opens on `connection` a short way, if there is one. */
export function writeShortWay(muxer: StreamMuxer, connection: MessageStream): void {
  const tls = tlsOf(connection);
  if (!tls || !isYamux(muxer)) return;
  const below: Below = { muxer, connection, tls, onIdle: new Set() };
  connection.addEventListener('idle', () => {
    for (const look of below.onIdle) look();
  });
  const tell = muxer.onRemoteStream.bind(muxer);
  muxer.onRemoteStream = (stream) => {
    known.set(stream, { stream, below });
    tell(stream);
  };
}

/** The short way of a stream, to be asked for once; undefined where there is none. */
export function outletOf(stream: Stream): Outlet | undefined {
  const found = known.get(stream);
  return found && new Outlet(found.stream, found.below);
}

function isYamux(muxer: StreamMuxer): muxer is Yamux {
  return muxer.protocol === '/yamux/1.0.0' && 'onRemoteStream' in muxer;
}

/** Where the large pieces of one stream go. */
export class Outlet {
  readonly #stream: YamuxStream;
  readonly #below: Below;
  #unsentBytes = 0;
  /** What the one who writes waits for. */
  #awaited: { readonly isSo: () => boolean; readonly resolve: () => void } | undefined;

  constructor(stream: YamuxStream, below: Below) {
    this.#stream = stream;
    this.#below = below;
    const look = (): void => this.#look();
    stream.addEventListener('drain', look);
    // What waits may go on without another word: a `drain` is told before that is seen to.
    stream.addEventListener('idle', look);
    below.onIdle.add(look);
    stream.addEventListener('close', () => {
      below.onIdle.delete(look);
      look();
    });
    const handle = stream.handleWindowUpdate.bind(stream);
    stream.handleWindowUpdate = (frame) => {
      handle(frame);
      look();
    };
  }

  /**
   * Sends a piece that came from `memory` if nothing is in its way: whole, and before this returns.
   * Else nothing of it.
   */
  sendNow(piece: Bytes, memory: Pick<SendMemory, 'sent'>): boolean {
    if (this.#stream.sendWindowCapacity < piece.length) return false;
    if (this.#isBehind || !this.#isFree) return false;
    this.#sendFrame(piece, memory);
    return true;
  }

  /**
   * Sends a piece that came from `memory`, as fast as the peer takes it. Resolves with the number
   * of its octets that went this way: all of them, or fewer when there is something on the long way
   * that they must not pass, or when the stream is over.
   */
  async send(piece: Bytes, memory: Pick<SendMemory, 'sent'>): Promise<number> {
    let at = 0;
    while (at < piece.length) {
      // The head of a further frame lies where octets of the one before were.
      await this.#until(() => this.#hasWindow && (at === 0 || this.#unsentBytes === 0));
      if (this.#isBehind) await this.#change();
      if (this.#isBehind || !this.#isFree || !this.#hasWindow) break;
      at += this.#sendFrame(piece.subarray(at), memory);
    }
    return at;
  }

  /**
   * Undefined while more may be sent. Else it resolves when that is so, or the stream is over: not
   * before all is sent, as waking up for each piece costs more than the two that lie ready gain.
   */
  room(): Promise<void> | undefined {
    if (this.#unsentBytes <= unsentBytesMax) return undefined;
    return this.#until(() => this.#unsentBytes === 0);
  }

  get #isOpen(): boolean {
    return this.#stream.writeStatus === 'writable' && this.#below.tls.writable;
  }

  get #hasWindow(): boolean {
    return this.#stream.sendWindowCapacity > 0;
  }

  /** Something waits that the next `drain` or window takes on; part of a frame, perhaps. */
  get #isBehind(): boolean {
    return this.#stream.writeBufferLength > 0 || this.#below.connection.writeBufferLength > 0;
  }

  /** The stream has said what it says first, and no other one waits for the connection. */
  get #isFree(): boolean {
    if (!this.#isOpen || greetingStates.has(this.#stream.state)) return false;
    if (this.#below.tls.writableLength > socketBytesMax) return false;
    return !this.#below.muxer.streams.some(isWaiting);
  }

  #sendFrame(piece: Bytes, memory: Pick<SendMemory, 'sent'>): number {
    const count = Math.min(this.#stream.sendWindowCapacity, piece.length);
    const at = piece.byteOffset - frameHeadBytes;
    const frame = new Uint8Array(piece.buffer, at, frameHeadBytes + count);
    const head = new DataView(piece.buffer, at, frameHeadBytes);
    head.setUint32(0, 0); // version, type and flags
    head.setUint32(4, this.#stream.streamId);
    head.setUint32(8, count);
    this.#stream.sendWindowCapacity -= count;
    this.#unsentBytes += count;
    const onSent = (error?: Error | null): void => {
      this.#unsentBytes -= count;
      if (!error) memory.sent(piece.subarray(0, count));
      this.#look();
    };
    // The socket's own `write` does not gather: this is large enough by itself.
    TLSSocket.prototype.write.call(this.#below.tls, frame, undefined, onSent);
    return count;
  }

  /** Resolves when something of this stream has gone on; at once when it is over. */
  async #change(): Promise<void> {
    let isLater = false;
    const changed = this.#until(() => isLater);
    isLater = true;
    await changed;
  }

  /** Resolves when it is so, or the stream is over; undefined when that is the case already. */
  #until(isSo: () => boolean): Promise<void> | undefined {
    if (!this.#isOpen || isSo()) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaited = { isSo, resolve };
    return promise;
  }

  /** Something of this stream has gone on. */
  #look(): void {
    const awaited = this.#awaited;
    if (!awaited || (this.#isOpen && !awaited.isSo())) return;
    this.#awaited = undefined;
    awaited.resolve();
  }
}

/** For the connection, that is: one that waits for a window is in nobody's way. */
function isWaiting({ writeBufferLength, sendWindowCapacity }: YamuxStream): boolean {
  return writeBufferLength > 0 && sendWindowCapacity > 0;
}
