/**
 * The DNS service (docs/spec/dns.md): UDP and TCP on one port, and the same answers for whoever
 * serves HTTPS. It starts and stops its parts; what they do is in their files.
 */
import { networkInterfaces } from 'node:os';
import { formatIp, type HostPort, parseHostPort, parseIp, scopeOf } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import type { NameResolver } from '../name/types.ts';
import { Answering } from './answering.ts';
import { DnsCounters, type DnsCounts } from './counters.ts';
import { existenceDefaults, type ExistenceOptions, NameExistence } from './existence.ts';
import { SiteZone } from './site-zone.ts';
import { sourceDefaults, type SourceOptions, Sources } from './sources.ts';
import { tcpDefaults, TcpListener, type TcpOptions } from './tcp-listener.ts';
import { UdpListener } from './udp-listener.ts';
import { Forwarder, forwarderDefaults, type ForwarderOptions } from './upstream/forwarder.ts';
import { dnsPort, type ReadSystem, readSystem } from './upstream/system.ts';

export interface DnsDeps {
  readonly names: NameResolver;
  readonly world: World;
  readonly log: Logger;
  /** Left out: what this system says. */
  readonly readSystem?: ReadSystem | undefined;
}

export interface DnsServiceOptions {
  readonly tld: string;
  /** Where names lead: at most one address of each family. */
  readonly ips: readonly string[];
  /** host:port of resolvers for all other names; empty: the system's. */
  readonly upstream: readonly string[];
  readonly sources?: Partial<SourceOptions> | undefined;
  readonly existence?: Partial<ExistenceOptions> | undefined;
  readonly forwarding?: Partial<ForwarderOptions> | undefined;
  readonly tcp?: Partial<TcpOptions> | undefined;
}

/** What a client of the HTTPS gateway gets (RFC 8484). */
export interface HttpsAnswer {
  readonly message: Bytes;
  /** For Cache-Control: no longer than the answer holds. */
  readonly maxAgeSeconds: number;
}

/** With port 0, how often another number is tried when UDP does not have the one that TCP got. */
const freePortTriesMax = 20;

/** What belongs to an address of IPv4 that stands for this machine. */
const siblings: ReadonlyMap<string, string> = new Map([
  ['127.0.0.1', '::1'],
  ['0.0.0.0', '::'],
]);

interface Listeners {
  readonly tcp: TcpListener;
  readonly udp: UdpListener;
}

export class DnsService {
  readonly #listen: HostPort;
  readonly #deps: DnsDeps;
  readonly #options: DnsServiceOptions;
  readonly #counters = new DnsCounters();
  readonly #sources: Sources;
  readonly #existence: NameExistence;
  readonly #forwarder: Forwarder;
  readonly #answering: Answering;
  #open: Listeners[] = []; // BOUNDED by the families: two
  #addresses: HostPort[] = []; // BOUNDED like #open
  #stopped: Promise<void> | undefined;

  /** Throws BAD_ADDRESS. */
  constructor(deps: DnsDeps, options: DnsServiceOptions, listen: HostPort) {
    const { names, world, readSystem: read = readSystem } = deps;
    const counters = this.#counters;
    this.#deps = deps;
    this.#options = options;
    this.#listen = { host: requireIp(listen.host), port: listen.port };
    this.#sources = new Sources(world.clock, { ...sourceDefaults, ...options.sources });
    const existing = { ...existenceDefaults, ...options.existence };
    this.#existence = new NameExistence({ names, world, counters }, existing);
    const chosen = options.upstream.map(requireServer);
    const isOwn = (server: HostPort): boolean => this.#isOwn(server);
    this.#forwarder = new Forwarder(
      { world, counters, chosen, readSystem: read, isOwn, endings: new Set(['alt', options.tld]) },
      { ...forwarderDefaults, ...options.forwarding },
    );
    const zone = new SiteZone(this.#existence, options);
    const parts = { zone, forwarding: this.#forwarder, sources: this.#sources, counters };
    this.#answering = new Answering(parts, options.tld);
  }

  /**
   * Listens, besides 127.0.0.1 on ::1 and besides all of IPv4 on all of IPv6 where that works.
   * Rejects with PORT_TAKEN or BIND_FAILED, and leaves nothing open then.
   */
  async start(): Promise<void> {
    const { host, port } = this.#listen;
    const real = await this.#openAt(host, port);
    const sibling = siblings.get(host);
    if (sibling === undefined) return;
    try {
      await this.#openPair({ host: sibling, port: real });
    } catch (error) {
      this.#deps.log.debug('DNS is served by IPv4 alone', { why: reasonOf(error) });
    }
  }

  /** Ends everything; idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Where it listens; before `start`, where it would. */
  address(): HostPort {
    return this.#addresses[0] ?? this.#listen;
  }

  /**
   * The answer to a query that came over HTTPS from this IP address; undefined for what is no
   * query.
   */
  async answerHttps(message: Bytes, from: string): Promise<HttpsAnswer | undefined> {
    const answered = await this.#answering.answer(message, { transport: 'https', from });
    return answered && { message: answered.message, maxAgeSeconds: answered.ttlSeconds };
  }

  /** After a name was written here. */
  forgetAbsent(): void {
    this.#existence.forgetAbsent();
  }

  /** After those who give names have changed. */
  forgetAll(): void {
    this.#existence.forgetAll();
  }

  counts(): DnsCounts {
    return this.#counters.snapshot(this.#forwarder.cacheBytes);
  }

  async #stop(): Promise<void> {
    const open = this.#open;
    this.#open = [];
    await Promise.all(open.flatMap(({ tcp, udp }) => [tcp.stop(), udp.stop()]));
    await Promise.all([this.#existence.stop(), this.#forwarder.stop()]);
  }

  async #openAt(host: string, port: number): Promise<number> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#openPair({ host, port });
      } catch (error) {
        const mayRetry = port === 0 && tries < freePortTriesMax;
        if (!mayRetry || !isAltNetError(error, 'PORT_TAKEN')) throw error;
      }
    }
  }

  /** TCP first: of the two it has fewer free numbers. Resolves with the port of both. */
  async #openPair({ host, port }: HostPort): Promise<number> {
    const { log, world } = this.#deps;
    const answerBy =
      (transport: 'tcp' | 'udp') =>
      (message: Bytes, from: string): Bytes | undefined | Promise<Bytes | undefined> => {
        const answered = this.#answering.answer(message, { transport, from });
        return answered instanceof Promise
          ? answered.then((late) => late?.message)
          : answered?.message;
      };
    const prefixOf = (address: string): string => this.#sources.of(address).prefix;
    const onLimited = (reason: 'connections' | 'pipeline'): void => this.#counters.limited(reason);
    const deps = { answer: answerBy('tcp'), prefixOf, onLimited, timers: world.timers, log };
    const tcp = new TcpListener(deps, { ...tcpDefaults, ...this.#options.tcp });
    const udp = new UdpListener(answerBy('udp'), log);
    const real = await tcp.start({ host, port });
    try {
      await udp.start({ host, port: real });
    } catch (error) {
      await tcp.stop();
      throw error;
    }
    this.#open.push({ tcp, udp });
    this.#addresses.push({ host, port: real });
    return real;
  }

  /** Whether a question to there would come back to us at once. */
  #isOwn({ host, port }: HostPort): boolean {
    const spelled = spellingOf(host);
    return this.#addresses.some((own) => {
      const isAny = own.host === '0.0.0.0' || own.host === '::';
      return own.port === port && (isAny ? isLocal(host) : spellingOf(own.host) === spelled);
    });
  }
}

function requireIp(host: string): string {
  if (host === 'localhost') return '127.0.0.1';
  if (!parseIp(host)) throw badAddress(host);
  return host;
}

/** A resolver by its name would have to be looked up, by a resolver. */
function requireServer(text: string): HostPort {
  const server = parseIp(text) ? { host: text, port: dnsPort } : parseHostPort(text);
  if (!server || server.port === 0) throw badAddress(text);
  return { host: requireIp(server.host), port: server.port };
}

function badAddress(text: string): AltNetError<'BAD_ADDRESS'> {
  return new AltNetError('BAD_ADDRESS', { text, want: 'an IP address and port' });
}

/** One spelling for each address. */
function spellingOf(host: string): string {
  const ip = parseIp(host);
  return ip ? formatIp(ip) : host;
}

/** Whether it is an address of this machine. */
function isLocal(host: string): boolean {
  const ip = parseIp(host);
  if (!ip || scopeOf(ip) === 'loopback') return ip !== undefined;
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return own.some(({ address }) => spellingOf(address) === formatIp(ip));
}
