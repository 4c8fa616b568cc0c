/**
 * The yamux of a connection for a single stream, which this end opens and mostly reads: octets go
 * in as they were read and come out as parts of the stream, without an array, an event or a promise
 * in between. It knows no sockets, and not what the stream is for.
 *
 * A peer that breaks the rules of yamux, or resets the stream, makes `feed` throw; one that does
 * not take what is written makes `write` throw.
 */
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { refusal } from '../greeting.ts';

const headBytes = 12;
const types = { data: 0, window: 1, ping: 2, goAway: 3 } as const;
const flags = { syn: 1, ack: 2, fin: 4, rst: 8 } as const;
/** Who dialled has the odd numbers. */
const ownStream = 1;
/** What each end may send before it is told that it may send more. */
const firstWindowBytes = 256 * 1024;
/** Not taken by the system: so a peer that asks and does not listen is left. */
const unsentBytesMax = 2 * 1024 * 1024;
/**
 * All that comes besides the stream, with heads: who asks for signs of life has used it up in days,
 * and what a peer could keep this end busy with is no more than that.
 */
const noiseBytesMax = 1024 * 1024;

export interface LoneYamuxParts {
  /** To the peer. */
  readonly send: (octets: Bytes) => void;
  /** Octets that `send` has and the system has not. */
  readonly unsentBytes: () => number;
  /** Octets of the stream, which are there until it returns. */
  readonly take: (memory: Bytes, from: number, to: number) => void;
  /** The peer sends nothing more. */
  readonly ended: () => void;
}

export class LoneYamux {
  readonly #parts: LoneYamuxParts;
  readonly #head = new DataView(new ArrayBuffer(headBytes));
  #headBytes = 0;
  /** Of the data frame that is being read. */
  #left = 0;
  #flags = 0;
  #isOwn = false;
  /** What the peer may send. */
  #creditBytes = firstWindowBytes;
  /** What this end may send, */
  #windowBytes = firstWindowBytes;
  /** and what it would. BOUNDED by unsentBytesMax, see write(). */
  #unsent: Bytes = new Uint8Array();
  #hasEnded = false;
  #noiseBytes = 0;

  constructor(parts: LoneYamuxParts) {
    this.#parts = parts;
  }

  /** What the peer may send. */
  get creditBytes(): number {
    return this.#creditBytes;
  }

  /** Opens the stream; the peer may send so much at first. */
  open(creditBytes: number): void {
    this.#sendWindow(flags.syn, creditBytes - this.#creditBytes);
    this.#creditBytes = creditBytes;
  }

  /** The peer may send so much more. */
  grant(bytes: number): void {
    if (this.#hasEnded) return;
    this.#creditBytes += bytes;
    this.#sendWindow(0, bytes);
  }

  write(bytes: Bytes): void {
    const waitingBytes = this.#unsent.length + this.#parts.unsentBytes();
    if (waitingBytes + bytes.length > unsentBytesMax) throw new Error('it does not listen');
    this.#unsent = this.#unsent.length > 0 ? concatBytes(this.#unsent, bytes) : bytes;
    this.#sendData();
  }

  /** Nothing more will be written. */
  close(): void {
    this.#sendWindow(flags.fin, 0);
    this.#parts.send(head(types.goAway, 0, 0, 0));
  }

  reset(): void {
    this.#sendWindow(flags.rst, 0);
  }

  /** Takes the first `length` octets of `memory`. */
  feed(memory: Bytes, length: number): void {
    let at = 0;
    while (at < length) {
      if (this.#left > 0) {
        const to = Math.min(at + this.#left, length);
        this.#left -= to - at;
        if (this.#isOwn) this.#parts.take(memory, at, to);
        at = to;
        if (this.#left === 0) this.#endFrame();
      } else at = this.#readHead(memory, at, length);
    }
  }

  #readHead(memory: Bytes, from: number, to: number): number {
    let at = from;
    while (at < to && this.#headBytes < headBytes) {
      this.#head.setUint8(this.#headBytes++, memory[at++] ?? 0);
    }
    if (this.#headBytes < headBytes) return at;
    this.#headBytes = 0;
    if (this.#head.getUint8(0) !== 0) throw new Error('unknown version of yamux');
    const [stream, length] = [this.#head.getUint32(4), this.#head.getUint32(8)];
    this.#flags = this.#head.getUint16(2);
    this.#isOwn = stream === ownStream;
    const type = this.#head.getUint8(1);
    const isData = type === types.data && length > 0;
    if (!isData || !this.#isOwn) this.#hearNoise(isData ? headBytes + length : headBytes);
    if (stream === 0) this.#hearSession(type, length);
    else if (type === types.data) this.#beginData(stream, length);
    else if (type === types.window) this.#hearWindow(stream, length);
    else throw new Error('unknown frame of yamux');
    return at;
  }

  #hearNoise(bytes: number): void {
    this.#noiseBytes += bytes;
    if (this.#noiseBytes > noiseBytesMax) throw new Error('too much besides the stream');
  }

  #hearSession(type: number, value: number): void {
    if (type === types.ping && this.#flags === flags.syn) {
      this.#answer(head(types.ping, flags.ack, 0, value));
    } else if (type === types.goAway && value === 0) this.#end();
    else throw new Error(type === types.goAway ? 'the peer gave up' : 'unknown frame of yamux');
  }

  #beginData(stream: number, length: number): void {
    if (!this.#isOwn) this.#refuse(stream);
    else if (length > this.#creditBytes) throw new Error('more than the window allows');
    else if (length > 0 && this.#hasEnded) throw new Error('octets behind the end');
    else this.#creditBytes -= length;
    this.#left = length;
    if (length === 0) this.#endFrame();
  }

  #hearWindow(stream: number, bytes: number): void {
    if (!this.#isOwn) return this.#refuse(stream);
    this.#windowBytes += bytes;
    this.#sendData();
    this.#endFrame();
  }

  #endFrame(): void {
    if (!this.#isOwn) return;
    if ((this.#flags & flags.rst) !== 0) throw new Error('the peer reset the stream');
    if ((this.#flags & flags.fin) !== 0) this.#end();
  }

  #end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#parts.ended();
  }

  /** Streams that the peer opens get an answer: without one it takes the connection for dead. */
  #refuse(stream: number): void {
    if ((this.#flags & flags.syn) === 0) return;
    if (stream % 2 !== 0) throw new Error('a stream with a number of this end');
    const answer = head(types.data, flags.ack | flags.fin, stream, refusal.length);
    this.#answer(concatBytes(answer, refusal));
  }

  #answer(octets: Bytes): void {
    if (this.#parts.unsentBytes() > unsentBytesMax) throw new Error('it asks and does not listen');
    this.#parts.send(octets);
  }

  #sendData(): void {
    const count = Math.min(this.#unsent.length, this.#windowBytes);
    if (count === 0) return;
    this.#windowBytes -= count;
    const octets = this.#unsent.subarray(0, count);
    this.#unsent = this.#unsent.subarray(count);
    this.#parts.send(concatBytes(head(types.data, 0, ownStream, count), octets));
  }

  #sendWindow(flag: number, bytes: number): void {
    this.#parts.send(head(types.window, flag, ownStream, bytes));
  }
}

function head(type: number, flag: number, stream: number, length: number): Bytes {
  const bytes = new Uint8Array(headBytes);
  const view = new DataView(bytes.buffer);
  view.setUint8(1, type);
  view.setUint16(2, flag);
  view.setUint32(4, stream);
  view.setUint32(8, length);
  return bytes;
}
