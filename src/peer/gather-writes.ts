/**
 * How pieces that are written to a TLS socket get there: each write is a record, and a call to the
 * system, and what several writes bring at once is copied into one array first. So small pieces of
 * one turn go together, and a large one by itself, with the one before it in front: yamux writes
 * the head of a frame by itself. It knows no frames.
 */
import process from 'node:process';
import type { TLSSocket } from 'node:tls';
import { type Bytes, concatBytes } from '../base/bytes.ts';
import type { SendMemory } from './send-memory.ts';

/** Longer pieces are not held back. */
const smallBytesMax = 4096;
/** So much of them at a time, and one more. */
const heldBytesMax = 64 * 1024;

/** `memory` gets back what was written, once the system has taken it. */
export function gatherWrites(socket: TLSSocket, memory: SendMemory): void {
  const gathering = new Gathering(socket, memory);
  socket.write = (piece: Bytes | string): boolean => {
    if (typeof piece !== 'string') return gathering.write(piece);
    gathering.flush();
    return gathering.write(Buffer.from(piece));
  };
  const destroySoon = socket.destroySoon.bind(socket);
  socket.destroySoon = (): void => {
    gathering.flush();
    destroySoon();
  };
  // Of what waits for the socket, each piece is written by itself, too.
  Reflect.set(socket, '_writev', null);
}

class Gathering {
  readonly #socket: TLSSocket;
  readonly #memory: SendMemory;
  readonly #write: (piece: Bytes, done?: (error?: Error | null) => void) => boolean;
  #held: Bytes[] = []; // BOUNDED by heldBytesMax
  #heldBytes = 0;

  constructor(socket: TLSSocket, memory: SendMemory) {
    this.#socket = socket;
    this.#memory = memory;
    this.#write = socket.write.bind(socket);
  }

  write(piece: Bytes): boolean {
    const isOwner = this.#memory.isOwnerOf(piece);
    if (piece.length <= smallBytesMax && !isOwner) return this.#hold(piece);
    const whole = isOwner ? this.#withFront(piece) : undefined;
    if (!whole) this.flush();
    if (!isOwner) return this.#write(piece);
    return this.#write(whole ?? piece, (error) => {
      if (!error) this.#memory.sent(piece);
    });
  }

  flush(): void {
    const [first] = this.#held;
    if (!first) return;
    const whole = this.#held.length === 1 ? first : concatBytes(...this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    this.#write(whole);
  }

  #hold(piece: Bytes): boolean {
    if (this.#held.length === 0) process.nextTick(() => this.flush());
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes > heldBytesMax) this.flush();
    return !this.#socket.writableNeedDrain;
  }

  /** With what is held, in one piece of memory; undefined when there is no room in front of it. */
  #withFront(piece: Bytes): Bytes | undefined {
    const front = this.#held.length === 1 ? this.#held[0] : undefined;
    const whole = front && this.#memory.withFront(piece, front);
    if (!whole) return undefined;
    this.#held = [];
    this.#heldBytes = 0;
    return whole;
  }
}
