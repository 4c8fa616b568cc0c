/** DNS over a connection: each message behind its length (RFC 1035, 4.2.2), in whatever pieces. */
import type { Bytes } from '../base/bytes.ts';

const lengthBytes = 2;

/** Length and message in one piece, so that they leave in one packet. */
export function encodeFrame(message: Bytes): Buffer {
  const frame = Buffer.allocUnsafe(lengthBytes + message.length);
  frame.writeUInt16BE(message.length, 0);
  frame.set(message, lengthBytes);
  return frame;
}

/** Puts pieces together; keeps no more than one message that is not whole. */
export class FrameReader {
  readonly #bytesMax: number;
  /** BOUNDED by bytesMax: what a message lacks still. */
  #rest: Buffer = Buffer.alloc(0);
  #isBroken = false;

  /** `bytesMax`: of a message. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Somebody announced a message of no or too many octets: nothing that follows can be read. */
  get isBroken(): boolean {
    return this.#isBroken;
  }

  /** Whether a message has begun that is not whole. */
  get isWithin(): boolean {
    return this.#rest.length > 0;
  }

  /** The messages that this piece completes. */
  push(piece: Buffer): Bytes[] {
    const messages: Bytes[] = [];
    let rest = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece]);
    while (!this.#isBroken && rest.length >= lengthBytes) {
      const length = rest.readUInt16BE(0);
      if (length === 0 || length > this.#bytesMax) this.#isBroken = true;
      else if (rest.length < lengthBytes + length) break;
      else {
        messages.push(rest.subarray(lengthBytes, lengthBytes + length));
        rest = rest.subarray(lengthBytes + length);
      }
    }
    this.#rest = this.#isBroken ? Buffer.alloc(0) : Buffer.from(rest);
    return messages;
  }
}
