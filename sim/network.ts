/**
 * Datagrams in virtual time: latency per pair of nodes, loss, partitions, nodes that are gone. It
 * stands in for `rpc` below production's Transport port: with its timeouts, retransmission, tokens
 * and caution towards strangers, and with the sizes of its packets, but without making them.
 */
import { abortReason } from '../src/base/abort.ts';
import { type Endpoint, formatEndpoint, formatIp } from '../src/base/address.ts';
import type { Bytes } from '../src/base/bytes.ts';
import { AltNetError } from '../src/base/errors.ts';
import type { Answered, ReplyInfo, Request, RequestHandler, Transport } from '../src/dht/ports.ts';
import type { Contact } from '../src/identity/contact.ts';
import { respBytesMin } from '../src/wire/packets.ts';
import { type Acquaintance, Acquaintances } from './acquaintance.ts';
import type { EventAction } from './event-queue.ts';
import { Exchange } from './exchange.ts';
import type { Abortable, Host, Wire } from './host.ts';
import { Latencies, type LatencyOptions } from './latency.ts';
import { replyBytes, requestBytes } from './packet-size.ts';
import type { SeededRandom } from './random.ts';
import { Strangers } from './strangers.ts';
import { type MethodTraffic, noTraffic, totalTraffic, type TrafficCounts } from './traffic.ts';
import type { SimWorld } from './world.ts';

export interface SimNetworkOptions extends LatencyOptions {
  /** Share of datagrams that get lost, in either direction. */
  readonly loss: number;
  /** Only decides how much nodes remember of each other. */
  readonly nodesMax: number;
}

export const simNetworkDefaults: SimNetworkOptions = {
  rttMedianMs: 80,
  rttSigma: 0.6,
  loss: 0,
  nodesMax: 1024,
};

export interface AttachOptions {
  readonly isServer: (askerIp: Bytes) => boolean;
  /** What it tells others of the network's size; left out: nothing. */
  readonly networkSize?: () => number | undefined;
}

/** As src/rpc waits: at first, and then for what 95 % of the answers take, within limits. */
const firstTimeoutMs = 750;
const firstAnswers = 10;
const timeoutMinMs = 250;
const timeoutMaxMs = 2000;
/** A node's estimate of the network's size is asked for once in so long. */
const sizeFreshMs = 60_000;

const refusals: Readonly<Record<Acquaintance, string | undefined>> = {
  stranger: undefined,
  failed: 'failed lately',
  known: undefined,
  trusted: undefined,
};

const needsToken: ReadonlySet<Request['method']> = new Set(['store', 'sync', 'reach', 'leave']);

export class SimNetwork implements Wire {
  readonly #world: SimWorld;
  readonly #options: SimNetworkOptions;
  readonly #random: SeededRandom;
  readonly #latencies: Latencies;
  readonly #acquaintances: Acquaintances;
  readonly #timeoutMs: number;
  /** By the one object that all nodes share: here nothing is encoded on its way. */
  readonly #hosts = new Map<Contact, Host>();
  readonly #byEndpoint = new Map<string, Host>();
  /** For contacts that somebody made up: whom that hits. */
  readonly #byIp = new Map<string, Host>();
  /** What is under way, by what ends it. */
  readonly #followers = new WeakMap<AbortSignal, Set<Abortable>>();
  readonly #traffic = noTraffic();
  #attached = 0;
  #sideOf: ((contact: Contact) => number) | undefined;
  #fingerprint = 0x811c_9dc5;

  constructor(world: SimWorld, options: Partial<SimNetworkOptions> = {}) {
    this.#world = world;
    this.#options = { ...simNetworkDefaults, ...options };
    this.#random = world.random.fork();
    this.#latencies = new Latencies(this.#options, this.#random);
    this.#acquaintances = new Acquaintances(this.#options.nodesMax);
    const p95Ms = this.#latencies.p95Ms;
    this.#timeoutMs = Math.min(timeoutMaxMs, Math.max(timeoutMinMs, p95Ms));
  }

  /** Requests sent so far, retries not counted. */
  get requests(): number {
    return totalTraffic(this.#traffic).requests;
  }

  get traffic(): TrafficCounts {
    return this.#traffic;
  }

  /** Of all requests so far, who asked whom when: equal runs have equal ones. */
  get fingerprint(): number {
    return this.#fingerprint >>> 0;
  }

  /** Octets that a node sent and received so far, also what nobody there asked for. */
  octetsOf(contact: Contact): { readonly sent: number; readonly received: number } {
    return { ...(this.#whoGets(contact)?.octets ?? { sent: 0, received: 0 }) };
  }

  /** Connects a node; it can be reached until `detach`. */
  attach(contact: Contact, { isServer, networkSize = nothing }: AttachOptions): Transport {
    const host: Host = {
      contact,
      index: this.#attached++,
      isServer,
      networkSize,
      handler: undefined,
      present: true,
      cutOff: false,
      answers: 0,
      strangers: new Strangers(),
      octets: { sent: 0, received: 0 },
      said: { size: undefined, atMs: Number.NEGATIVE_INFINITY },
    };
    this.#hosts.set(contact, host);
    this.#byEndpoint.set(formatEndpoint(contact.endpoint), host);
    this.#byIp.set(formatIp(contact.endpoint.ip), host);
    return {
      serve: (handler) => {
        host.handler = handler;
      },
      call: (to, request, options) => this.#call({ from: host, to, request, ...options }),
      identify: (endpoint) => this.#identify(endpoint),
      knock: (to, nonce) => this.#knock(host, { to, nonce }),
    };
  }

  detach(contact: Contact): void {
    const host = this.#hosts.get(contact);
    if (!host) return;
    host.present = false;
    host.handler = undefined; // and with it the node
    const endpoint = formatEndpoint(contact.endpoint);
    if (this.#byEndpoint.get(endpoint) === host) this.#byEndpoint.delete(endpoint);
  }

  /** The node stays, but nobody hears of it, nor it of anybody, until it is connected again. */
  cutOff(contact: Contact, isCutOff: boolean): void {
    const host = this.#hosts.get(contact);
    if (host) host.cutOff = isCutOff;
  }

  /** From now on only nodes with the same number hear of each other. */
  partition(sideOf: (contact: Contact) => number): void {
    this.#sideOf = sideOf;
  }

  heal(): void {
    this.#sideOf = undefined;
  }

  #call<R extends Request>(question: {
    from: Host;
    to: Contact;
    request: R;
    signal?: AbortSignal | undefined;
    known?: boolean | undefined;
  }): Promise<Answered<R>> {
    const { from, to, request, signal } = question;
    if (signal?.aborted) return Promise.reject(abortReason(signal));
    const counts = this.#traffic[request.method];
    counts.requests++;
    this.#mark(this.nowMs * 1000, from.contact, to);
    const target = this.hostOf(to);
    const known = target ? this.#acquaintanceOf(from, target) : 'stranger';
    const refusal =
      known === 'stranger' ? from.strangers.refusal(to.endpoint, this.nowMs) : refusals[known];
    if (refusal && !(question.known && refusal === refusals.failed)) {
      noteUnanswered(counts, from);
      const what = formatEndpoint(to.endpoint);
      return Promise.reject(new AltNetError('UNREACHABLE', { what, why: refusal }));
    }
    const timeoutMs = from.answers < firstAnswers ? firstTimeoutMs : this.#timeoutMs;
    const tokenless = known !== 'trusted' && needsToken.has(request.method);
    return new Exchange<R>(
      { from, to, request, signal },
      { wire: this, timeoutMs, tokenless },
    ).start();
  }

  #identify(endpoint: Endpoint): Promise<Contact> {
    const what = formatEndpoint(endpoint);
    const found = this.#byEndpoint.get(what);
    return found
      ? Promise.resolve(found.contact)
      : Promise.reject(new AltNetError('UNREACHABLE', { what, why: 'nobody is there' }));
  }

  /** One PING from a port that never talked to `to`; its answer is not waited for. */
  #knock(from: Host, { to, nonce }: { to: Contact; nonce: Bytes }): Promise<void> {
    const request: Request = { method: 'ping', nonce };
    const target = this.hostOf(to);
    if (!this.sendRequest({ from, to, target, request, again: false }) || !target) {
      return Promise.resolve();
    }
    const { ip, port } = from.contact.endpoint;
    const contact = { ...from.contact, endpoint: { ip, port: port ^ 1 } };
    this.schedule(this.rttMs(from, target) / 2, () => {
      const requester = { contact, server: false, addressProven: false };
      void target.handler?.(requester, request);
    });
    return Promise.resolve();
  }

  // What an exchange asks of the network: see Wire.

  get nowMs(): number {
    return this.#world.nowMs;
  }

  schedule(delayMs: number, run: EventAction): void {
    this.#world.schedule(delayMs, run);
  }

  hostOf(contact: Contact): Host | undefined {
    return this.#hosts.get(contact);
  }

  rttMs(a: Host, b: Host): number {
    return this.#latencies.rttMs(a.index, b.index);
  }

  sendRequest({ from, to, target, request, again }: Parameters<Wire['sendRequest']>[0]): boolean {
    const known = target ? this.#acquaintanceOf(from, target) : 'stranger';
    if (known === 'stranger') from.strangers.noteSent(to.endpoint, this.nowMs);
    const bytes = requestBytes(request, known === 'trusted');
    // What is sent to a made-up contact reaches who is there, and is no use to it.
    const reached = target ?? this.#whoGets(to);
    this.#count(request, { bytes, from, to: reached });
    if (again) this.#mark(bytes, from.contact, to);
    return target?.present === true && this.#isCarried(from, target);
  }

  sendReply({ from, to, reply }: Parameters<Wire['sendReply']>[0]): boolean {
    const trusted = this.#acquaintanceOf(to, from) === 'trusted';
    this.#count(reply, { bytes: replyBytes(reply, trusted), from, to });
    return this.#isCarried(from, to);
  }

  sendToken({ from, to }: Parameters<Wire['sendToken']>[0]): boolean {
    this.#count({ method: 'store' }, { bytes: respBytesMin, from, to });
    return from.present && this.#isCarried(from, to);
  }

  takeToken(from: Host, target: Host): void {
    if (this.#acquaintanceOf(from, target) === 'stranger') {
      from.strangers.forget(target.contact.endpoint);
    }
    this.#acquaintances.noteAnswered(from.index, target.index, this.nowMs);
  }

  handle(target: Host, from: Host, request: Request): ReturnType<RequestHandler> {
    const requester = {
      contact: from.contact,
      server: from.isServer(target.contact.endpoint.ip),
      addressProven:
        needsToken.has(request.method) || this.#acquaintanceOf(from, target) === 'trusted',
    };
    return target.handler?.(requester, request);
  }

  mayAskAgain(from: Host, to: Contact): boolean {
    const target = this.hostOf(to);
    const known = target ? this.#acquaintanceOf(from, target) : 'stranger';
    return known !== 'stranger' || from.strangers.refusal(to.endpoint, this.nowMs) === undefined;
  }

  answered({ from, target, rttMs }: Parameters<Wire['answered']>[0]): ReplyInfo {
    from.answers++;
    this.takeToken(from, target);
    return {
      rttMs,
      observed: from.contact.endpoint,
      unixTime: Math.floor(this.nowMs / 1000),
      server: target.isServer(from.contact.endpoint.ip),
      networkSize: this.#sizeSaidBy(target),
    };
  }

  unanswered(from: Host, to: Contact, { method }: Request): void {
    noteUnanswered(this.#traffic[method], from);
    const target = this.#hosts.get(to);
    if (target) this.#acquaintances.noteFailed(from.index, target.index, this.nowMs);
    else from.strangers.noteFailed(to.endpoint, this.nowMs);
  }

  follow(signal: AbortSignal | undefined, exchange: Abortable): void {
    if (!signal) return;
    let followers = this.#followers.get(signal);
    if (!followers) {
      followers = new Set();
      this.#followers.set(signal, followers);
      const all = followers;
      signal.addEventListener('abort', () => all.forEach((one) => one.abort()), { once: true });
    }
    followers.add(exchange);
  }

  unfollow(signal: AbortSignal | undefined, exchange: Abortable): void {
    if (signal) this.#followers.get(signal)?.delete(exchange);
  }

  #acquaintanceOf(from: Host, target: Host): Acquaintance {
    return this.#acquaintances.of(from.index, target.index, this.nowMs);
  }

  #whoGets(contact: Contact): Host | undefined {
    return this.#hosts.get(contact) ?? this.#byIp.get(formatIp(contact.endpoint.ip));
  }

  #isCarried(from: Host, to: Host): boolean {
    if (from.cutOff || to.cutOff) return false;
    const { loss } = this.#options;
    if (loss > 0 && this.#random.fraction() < loss) return false;
    return !this.#sideOf || this.#sideOf(from.contact) === this.#sideOf(to.contact);
  }

  #count(
    { method }: { readonly method: Request['method'] },
    { bytes, from, to }: { bytes: number; from: Host; to: Host | undefined },
  ): void {
    const counts = this.#traffic[method];
    counts.packets++;
    counts.bytes += bytes;
    if (from.cutOff) counts.bytesCutOff += bytes;
    from.octets.sent += bytes;
    if (to) to.octets.received += bytes;
  }

  #sizeSaidBy(host: Host): number | undefined {
    const { said } = host;
    if (this.nowMs - said.atMs >= sizeFreshMs) {
      const size = host.networkSize();
      // In eighths of its logarithm, as in one octet of a reply.
      said.size = size === undefined ? undefined : 2 ** (Math.round(8 * Math.log2(size)) / 8);
      said.atMs = this.nowMs;
    }
    return said.size;
  }

  /** FNV-1a over a number and two IDs. */
  #mark(value: number, from: Contact, to: Contact): void {
    let hash = Math.imul(this.#fingerprint ^ value, 0x0100_0193);
    for (let i = 0; i < 4; i++) {
      hash = Math.imul(hash ^ (from.id[i] ?? 0), 0x0100_0193);
      hash = Math.imul(hash ^ (to.id[i] ?? 0), 0x0100_0193);
    }
    this.#fingerprint = hash;
  }
}

function noteUnanswered(counts: MethodTraffic, by: Host): void {
  counts.unanswered++;
  if (by.cutOff) counts.unansweredCutOff++;
}

function nothing(): undefined {
  return undefined;
}
