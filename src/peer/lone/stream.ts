/**
 * A stream that has a connection to itself, for a thread that reads little else: what comes is
 * decrypted into one piece of memory and handed on from there. Whoever reads decides how much the
 * peer may send. It does not know what the octets mean.
 */
import type { TLSSocket } from 'node:tls';
import type { Bytes } from '../../base/bytes.ts';
import { Greeting, greeting } from '../greeting.ts';
import { drain, readIntoMemory } from '../socket-memory.ts';
import { LoneYamux } from './yamux.ts';

/** What a TLS record holds at most, and one octet more: a whole array takes longer to copy. */
const plainMemory = Buffer.allocUnsafeSlow(16 * 1024 + 1);
/** A peer that does not close its side in this time is cut off. */
const closeMs = 5000;

export interface LoneStreamParts {
  readonly protocol: string;
  /** What the peer may send at first. */
  readonly creditBytes: number;
  /** Octets, which are there until it returns. What it throws ends the stream with that. */
  readonly take: (memory: Bytes, from: number, to: number) => void;
  /** Called once, also after close(): with nothing when the peer has closed it in order. */
  readonly over: (failure?: unknown) => void;
}

export class LoneStream {
  readonly #tls: TLSSocket;
  readonly #parts: LoneStreamParts;
  readonly #yamux: LoneYamux;
  readonly #greeting: Greeting;
  #isOver = false;

  /** `tls` is paused, and this one's from now on. */
  constructor(tls: TLSSocket, parts: LoneStreamParts) {
    this.#tls = tls;
    this.#parts = parts;
    this.#greeting = new Greeting(greeting(parts.protocol));
    this.#yamux = new LoneYamux({
      // In one piece of what comes there may be more behind the end.
      send: (octets) => void (tls.writable && tls.write(octets)),
      unsentBytes: () => tls.writableLength,
      take: (memory, from, to) => this.#take(memory, from, to),
      ended: () => this.close(),
    });
  }

  start(): void {
    const tls = this.#tls;
    tls.on('error', (error) => this.#end(error));
    tls.on('end', () => this.#end());
    tls.on('close', () => this.#end(new Error('the connection is gone')));
    this.#yamux.open(this.#parts.creditBytes);
    this.#yamux.write(greeting(this.#parts.protocol));
    // What came with the handshake.
    tls.on('data', (chunk: Buffer) => this.#feed(chunk, chunk.length));
    drain(tls);
    readIntoMemory(tls, plainMemory, (memory, length) => this.#feed(memory, length));
    tls.resume();
  }

  /** What the peer may send. */
  get creditBytes(): number {
    return this.#yamux.creditBytes;
  }

  /** The peer may send so much more. */
  grant(bytes: number): void {
    if (!this.#isOver) this.#yamux.grant(bytes);
  }

  /** Reads nothing for a while, whatever the peer may send. */
  pause(): void {
    this.#tls.pause();
  }

  resume(): void {
    this.#tls.resume();
  }

  write(bytes: Bytes): void {
    if (this.#isOver || !this.#tls.writable) return;
    try {
      this.#yamux.write(bytes);
    } catch (error) {
      this.abort(error);
    }
  }

  /** In order; what still comes is thrown away. */
  close(): void {
    if (this.#tls.writable) this.#yamux.close();
    this.#end();
  }

  abort(reason: unknown): void {
    if (this.#tls.writable) this.#yamux.reset();
    this.#end(reason);
  }

  #feed(memory: Bytes, length: number): void {
    if (this.#isOver) return;
    try {
      this.#yamux.feed(memory, length);
    } catch (error) {
      this.abort(error);
    }
  }

  #take(memory: Bytes, from: number, to: number): void {
    if (this.#isOver) return;
    if (this.#greeting.isOver) return this.#parts.take(memory, from, to);
    const rest = this.#greeting.take(memory.subarray(from, to));
    if (rest === undefined) throw new Error('the peer does not speak the protocol');
    if (rest.length > 0) this.#parts.take(memory, to - rest.length, to);
  }

  #end(failure?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const tls = this.#tls;
    tls.resume();
    if (failure === undefined) tls.end();
    else tls.destroySoon();
    const timer = setTimeout(() => tls.destroy(), closeMs);
    tls.once('close', () => clearTimeout(timer));
    if (tls.closed) clearTimeout(timer);
    this.#parts.over(failure);
  }
}
