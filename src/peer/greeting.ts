/**
 * What multistream-select says where it is known beforehand that the peer agrees: the question, and
 * the answer, which is the same octets. It knows no connections.
 */
import { type Bytes, concatBytes, equalBytes, utf8 } from '../base/bytes.ts';

/** A line of multistream-select: its length, which is below 128 here, the text, a line feed. */
function line(text: string): Bytes {
  const bytes = utf8(`${text}\n`);
  return concatBytes(Uint8Array.of(bytes.length), bytes);
}

/** What asks for `protocol`; a peer that agrees answers with the same octets. */
export function greeting(protocol: string): Bytes {
  return concatBytes(line('/multistream/1.0.0'), line(protocol));
}

/** The answer of who speaks no protocol at all, to whatever is asked. */
export const refusal: Bytes = greeting('na');

/** Takes an answer that is known beforehand off the front of what comes. */
export class Greeting {
  #expected: Bytes;

  constructor(expected: Bytes) {
    this.#expected = expected;
  }

  get isOver(): boolean {
    return this.#expected.length === 0;
  }

  /** What of `chunk` comes after the answer; undefined when the answer is another one. */
  take(chunk: Bytes): Bytes | undefined {
    const length = Math.min(chunk.length, this.#expected.length);
    if (!equalBytes(chunk.subarray(0, length), this.#expected.subarray(0, length))) {
      return undefined;
    }
    this.#expected = this.#expected.subarray(length);
    return chunk.subarray(length);
  }
}
