/**
 * Datagrams that wait for an answer. An answer belongs to a question when txid and address are the
 * same; whether it is genuine is for the receiver of `deliver` to say.
 */
import { type Endpoint, formatEndpoint } from '../base/address.ts';
import { asBuffer, type Bytes } from '../base/bytes.ts';

export class Pending<Answer> {
  /** BOUNDED by the callers: each request waits with two datagrams at most, see slots.ts. */
  readonly #waiting = new Map<string, (answer: Answer) => void>();

  /** Calls `take` with every answer until the returned function is called. */
  add(txid: Bytes, to: Endpoint, take: (answer: Answer) => void): () => void {
    const key = keyOf(txid, to);
    this.#waiting.set(key, take);
    return () => this.#waiting.delete(key);
  }

  /** False when nobody waits for it. */
  deliver(txid: Bytes, from: Endpoint, answer: Answer): boolean {
    const take = this.#waiting.get(keyOf(txid, from));
    take?.(answer);
    return take !== undefined;
  }
}

function keyOf(txid: Bytes, endpoint: Endpoint): string {
  return `${asBuffer(txid).toString('latin1')} ${formatEndpoint(endpoint)}`;
}
