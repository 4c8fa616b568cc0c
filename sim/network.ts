/**
 * Datagrams in virtual time: latency per pair of nodes, loss, partitions, nodes that are gone. It
 * stands in for `rpc` below production's Transport port, with the same timeouts and one retry.
 */
import { abortReason } from '../src/base/abort.ts';
import type { CancelTimer } from '../src/base/clock.ts';
import { type Endpoint, formatEndpoint } from '../src/base/address.ts';
import { AltNetError } from '../src/base/errors.ts';
import type { Contact } from '../src/identity/contact.ts';
import type { Answered, Reply, Request, RequestHandler, Transport } from '../src/dht/ports.ts';
import type { SeededRandom } from './random.ts';
import type { SimWorld } from './world.ts';

export interface SimNetworkOptions {
  /** Round trips between two nodes are log-normal over pairs: their median … */
  readonly rttMedianMs: number;
  /** … and deviation of the logarithm. */
  readonly rttSigma: number;
  /** Share of datagrams that get lost, in either direction. */
  readonly loss: number;
  /** How long each attempt waits for the reply. */
  readonly attemptsMs: readonly number[];
}

export const simNetworkDefaults: SimNetworkOptions = {
  rttMedianMs: 80,
  rttSigma: 0.6,
  loss: 0,
  attemptsMs: [750, 1500],
};

interface Host {
  readonly contact: Contact;
  readonly index: number;
  readonly isServer: () => boolean;
  handler: RequestHandler | undefined;
}

export class SimNetwork {
  readonly #world: SimWorld;
  readonly #options: SimNetworkOptions;
  readonly #random: SeededRandom;
  /** By the one object that all nodes share: here nothing is encoded on its way. */
  readonly #hosts = new Map<Contact, Host>();
  readonly #rttsMs = new Map<number, number>();
  #attached = 0;
  #sideOf: (contact: Contact) => number = () => 0;
  #requests = 0;
  #fingerprint = 0x811c_9dc5;

  constructor(world: SimWorld, options: Partial<SimNetworkOptions> = {}) {
    this.#world = world;
    this.#options = { ...simNetworkDefaults, ...options };
    this.#random = world.random.fork();
  }

  /** Requests sent so far, retries not counted. */
  get requests(): number {
    return this.#requests;
  }

  /** Of all requests so far, who asked whom when: equal runs have equal ones. */
  get fingerprint(): number {
    return this.#fingerprint >>> 0;
  }

  /** Connects a node; it can be reached until `detach`. */
  attach(contact: Contact, isServer: () => boolean): Transport {
    const host: Host = { contact, index: this.#attached++, isServer, handler: undefined };
    this.#hosts.set(contact, host);
    return {
      serve: (handler) => {
        host.handler = handler;
      },
      call: (to, request, options) => this.#call(host, { to, request, signal: options?.signal }),
      identify: (endpoint) => this.#identify(endpoint),
    };
  }

  detach(contact: Contact): void {
    this.#hosts.delete(contact);
  }

  /** From now on only nodes with the same number hear of each other. */
  partition(sideOf: (contact: Contact) => number): void {
    this.#sideOf = sideOf;
  }

  heal(): void {
    this.#sideOf = () => 0;
  }

  /** FNV-1a over numbers. */
  #mark(...values: readonly number[]): void {
    for (const value of values) {
      this.#fingerprint = Math.imul(this.#fingerprint ^ value, 0x0100_0193);
    }
  }

  #identify(endpoint: Endpoint): Promise<Contact> {
    const what = formatEndpoint(endpoint);
    const found = [...this.#hosts.keys()].find(
      (contact) => formatEndpoint(contact.endpoint) === what,
    );
    return found
      ? Promise.resolve(found)
      : Promise.reject(new AltNetError('UNREACHABLE', { what, why: 'nobody is there' }));
  }

  #call<R extends Request>(
    from: Host,
    { to, request, signal }: { to: Contact; request: R; signal: AbortSignal | undefined },
  ): Promise<Answered<R>> {
    this.#requests++;
    this.#mark(
      this.#world.nowMs * 1000,
      ...from.contact.id.subarray(0, 4),
      ...to.id.subarray(0, 4),
    );
    const sentMs = this.#world.nowMs;
    const { promise, resolve, reject } = Promise.withResolvers<Answered<R>>();
    const attempts = [...this.#options.attemptsMs];
    let cancel: CancelTimer | undefined;
    const end = (): void => {
      cancel?.();
      signal?.removeEventListener('abort', onAbort);
    };
    const onAbort = (): void => {
      end();
      reject(abortReason(signal));
    };
    const onReply = (host: Host, reply: Reply): void => {
      end();
      const rttMs = this.#world.nowMs - sentMs;
      const observed = from.contact.endpoint;
      const unixTime = Math.floor(this.#world.nowMs / 1000);
      const info = { rttMs, observed, unixTime, server: host.isServer() };
      resolve({ reply: reply as Answered<R>['reply'], info });
    };
    const attempt = (): void => {
      const waitMs = attempts.shift();
      if (waitMs === undefined) {
        end();
        const what = formatEndpoint(to.endpoint);
        reject(new AltNetError('TIMEOUT', { what, ms: this.#world.nowMs - sentMs }));
        return;
      }
      cancel = this.#world.after(waitMs, attempt);
      this.#send(from, { to, request, onReply });
    };
    if (signal?.aborted) onAbort();
    else {
      signal?.addEventListener('abort', onAbort, { once: true });
      attempt();
    }
    return promise;
  }

  /** One datagram there and, with luck, one back. */
  #send(
    from: Host,
    {
      to,
      request,
      onReply,
    }: { to: Contact; request: Request; onReply: (host: Host, reply: Reply) => void },
  ): void {
    const host = this.#hosts.get(to);
    if (!host) return;
    const oneWayMs = this.#rttMs(from, host) / 2;
    this.#deliver(oneWayMs, { between: [from.contact, to] }, () => {
      if (!this.#hosts.has(to)) return;
      const requester = {
        contact: from.contact,
        server: from.isServer(),
        addressProven: true,
      };
      const answer = (reply: Reply | undefined): void => {
        if (!reply) return;
        this.#deliver(oneWayMs, { between: [to, from.contact] }, () => onReply(host, reply));
      };
      const reply = host.handler?.(requester, request);
      if (reply instanceof Promise) void reply.then(answer);
      else answer(reply);
    });
  }

  #deliver(
    delayMs: number,
    { between: [from, to] }: { between: readonly [Contact, Contact] },
    arrive: () => void,
  ): void {
    if (this.#random.fraction() < this.#options.loss) return;
    if (this.#sideOf(from) !== this.#sideOf(to)) return;
    this.#world.after(delayMs, arrive);
  }

  #rttMs(a: Host, b: Host): number {
    const pair = Math.min(a.index, b.index) * 0x10_0000 + Math.max(a.index, b.index);
    const known = this.#rttsMs.get(pair);
    if (known !== undefined) return known;
    const { rttMedianMs, rttSigma } = this.#options;
    const rttMs = rttMedianMs * Math.exp(rttSigma * this.#random.normal());
    this.#rttsMs.set(pair, rttMs);
    return rttMs;
  }
}
