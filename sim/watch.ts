/**
 * Follows one search of one node from outside: how many requests it takes, and over how many hops
 * it gets to a record. A hop is a request to somebody whom the one before named.
 */
import { toHex } from '../src/base/bytes.ts';
import type { Bytes } from '../src/base/bytes.ts';
import type { Answered, CallOptions, Reply, Request, Transport } from '../src/dht/ports.ts';
import type { Contact } from '../src/identity/contact.ts';

export class SearchWatch {
  readonly #key: string;
  /** By node ID: over how many hops it was reached. BOUNDED by the search */
  readonly #depths = new Map<string, number>();
  /** Requests for the key, pages and repeated questions included. */
  requests = 0;
  /** Hops to the first answer with a record under the key; undefined before. */
  hops: number | undefined;

  constructor(key: Bytes) {
    this.#key = toHex(key);
  }

  asks(to: Contact, request: Request): boolean {
    const key = request.method === 'get' ? request.key : undefined;
    const about = request.method === 'find' ? request.target : key;
    if (!about || toHex(about) !== this.#key) return false;
    this.requests++;
    const id = toHex(to.id);
    // Whom nobody named was in the table.
    if (!this.#depths.has(id)) this.#depths.set(id, 1);
    return true;
  }

  hears(from: Contact, reply: Reply): void {
    const depth = this.#depths.get(toHex(from.id)) ?? 1;
    if (reply.method !== 'get' && reply.method !== 'find') return;
    for (const { id } of reply.contacts) {
      const named = toHex(id);
      if (!this.#depths.has(named)) this.#depths.set(named, depth + 1);
    }
    if (reply.method !== 'get' || reply.records.length + reply.digests.length === 0) return;
    this.hops = Math.min(this.hops ?? depth, depth);
  }
}

/** A transport that can be watched. */
export class WatchedTransport implements Transport {
  readonly #transport: Transport;
  watch: SearchWatch | undefined;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  call<R extends Request>(to: Contact, request: R, options?: CallOptions): Promise<Answered<R>> {
    const answered = this.#transport.call(to, request, options);
    const { watch } = this;
    if (!watch?.asks(to, request)) return answered;
    return answered.then((answer) => {
      watch.hears(to, answer.reply);
      return answer;
    });
  }

  identify(...args: Parameters<Transport['identify']>): ReturnType<Transport['identify']> {
    return this.#transport.identify(...args);
  }

  knock(...args: Parameters<Transport['knock']>): ReturnType<Transport['knock']> {
    return this.#transport.knock(...args);
  }

  serve(...args: Parameters<Transport['serve']>): void {
    this.#transport.serve(...args);
  }
}
