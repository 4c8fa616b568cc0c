/**
 * The libp2p host: authenticated, encrypted, multiplexed connections to other nodes over TCP, on
 * the port number that the DHT has on UDP, or through relays. The peer ID is the node key. It knows
 * protocols by name only and learns addresses from its callers; it finds no peers by itself.
 */
import { privateKeyFromRaw } from '@libp2p/crypto/keys';
import type { Connection, Libp2p, PeerId, PrivateKey } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import type { Abortable } from '../base/abort.ts';
import {
  type Endpoint,
  formatEndpoint,
  type HostPort,
  parseIp,
  scopeOf,
  unmapIp,
} from '../base/address.ts';
import { type Bytes, concatBytes, equalBytes } from '../base/bytes.ts';
import { systemWorld, type World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { type Logger, silentLogger } from '../base/logger.ts';
import { shortId } from '../identity/contact.ts';
import { keyId, type SigningKey } from '../identity/key.ts';
import { announcedEndpoints, formatMultiaddr, parseMultiaddr } from './address.ts';
import { type Certificate, Certificates } from './certificates.ts';
import { DialBudget } from './dial-budget.ts';
import { type DialGoal, dialMs, PeerDialer, type PeerTarget } from './dialing.ts';
import { bindError, dialError } from './errors.ts';
import { IdleCloser } from './idle.ts';
import { makeLibp2p } from './libp2p.ts';
import { NetworkCap, type NetworkCapOptions } from './network-cap.ts';
import { formatPeerAddress, type RelayedAddress } from './peer-address.ts';
import type { PortDialer } from './punch/port-dial.ts';
import type { CircuitDial } from './relay/circuit-transport.ts';
import { SendMemory } from './send-memory.ts';
import type { ByteStream, Traffic } from './stream.ts';
import {
  type HandleOptions,
  type OpenOptions,
  type OriginHandler,
  ProtocolStreams,
  publicKeyOf,
  type StreamOrigin,
} from './streams.ts';

export type { PeerTarget } from './dialing.ts';
export type { StreamHandler } from './streams.ts';

export interface PeerHostOptions {
  /** The node key. */
  readonly key: SigningKey;
  /** Numeric addresses to listen on; empty for a node that only dials. */
  readonly listen: readonly HostPort[];
  /** This node's address as others see it, once that is known. */
  readonly external?: (() => Endpoint | undefined) | undefined;
  /** Where a node was met in this machine's own network: the best way to it, and in no record. */
  readonly nearby?: ((publicKey: Bytes) => Endpoint | undefined) | undefined;
  /** More connections than this are closed, the least useful first. Default 256. */
  readonly connectionsMax?: number;
  /** How many of them one network may have. */
  readonly perNetwork?: NetworkCapOptions | undefined;
  /** A connection without streams is closed after this long. Default 60,000. */
  readonly idleMs?: number;
  readonly logger?: Logger;
  readonly world?: World;
}

export interface PeerConnection {
  readonly publicKey: Bytes;
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  /** Unix milliseconds. */
  readonly openedMs: number;
  readonly streams: number;
  readonly isRelayed: boolean;
  /** What a relay still lets through, both ways together. */
  readonly bytesLeft: number;
}

export class PeerHost {
  readonly #options: PeerHostOptions;
  readonly #world: World;
  readonly #budget: DialBudget;
  readonly #idle: IdleCloser;
  readonly #networks: NetworkCap;
  readonly #memory = new SendMemory();
  readonly #certificates: Certificates;
  #privateKey: PrivateKey | undefined;
  readonly #streams: ProtocolStreams;
  /** Where this node has a place. BOUNDED by who sets it: a few. */
  #relays: readonly RelayedAddress[] = [];
  #onRelay: (publicKey: Bytes) => void = () => undefined;
  #onConnection: (connection: PeerConnection) => void = () => undefined;
  #ports: PortDialer | undefined;
  #running: { readonly libp2p: Libp2p; readonly dialer: PeerDialer } | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: PeerHostOptions) {
    this.#options = options;
    this.#world = options.world ?? systemWorld;
    this.#budget = new DialBudget(this.#world.clock);
    this.#networks = new NetworkCap(options.perNetwork);
    this.#certificates = new Certificates(this.#world.clock);
    this.#streams = new ProtocolStreams(this.#memory, options.logger ?? silentLogger);
    this.#idle = new IdleCloser(this.#world, {
      idleMs: options.idleMs ?? 60_000,
      list: () => this.#running?.libp2p.getConnections() ?? [],
    });
  }

  /** Rejects with PORT_TAKEN, BIND_FAILED or BAD_ADDRESS. */
  async start(): Promise<void> {
    const { key, listen, connectionsMax } = this.#options;
    for (const { host } of listen) requireNumeric(host);
    // Both halves: made of the seed alone, the library works out the other one by itself, slowly.
    const privateKey = privateKeyFromRaw(concatBytes(key.exportSeed(), key.publicKey));
    this.#privateKey = privateKey;
    const certificates = this.#certificates;
    let circuit: CircuitDial = notStarted;
    const libp2p = await makeLibp2p({
      privateKey,
      listen: listen.map(listenMultiaddr),
      connectionsMax: connectionsMax ?? 256,
      gater: this.#networks.gater,
      certificates,
      memory: this.#memory,
      circuits: {
        acceptsFrom: (relay) => this.#relays.some(({ relayKey }) => isKeyOf(relay, relayKey)),
        onReady: (dial) => (circuit = dial),
      },
      onPorts: (dialer) => (this.#ports = dialer),
      isAsked: (protocol) => this.#streams.isAsked(protocol),
    });
    libp2p.addEventListener('connection:open', ({ detail }) => this.#onConnection(shown(detail)));
    try {
      await libp2p.start();
    } catch (error) {
      await libp2p.stop();
      throw await bindError(listen, error);
    }
    const dialer = new PeerDialer({
      libp2p,
      budget: this.#budget,
      timers: this.#world.timers,
      circuit: (what) => circuit(what),
      nearby: this.#options.nearby ?? nobodyNear,
      onRelay: (publicKey) => this.#onRelay(publicKey),
    });
    this.#running = { libp2p, dialer };
    // Made before the first peer waits for it. If that fails, it is tried again then.
    certificates.own(privateKey).catch(() => undefined);
    await this.#streams.started(libp2p);
    this.#idle.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#idle.stop();
      const libp2p = this.#running?.libp2p;
      this.#running = undefined;
      await libp2p?.stop();
    })();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Multiaddrs to announce, the most widely reachable first: direct ones that lead here from
   * everywhere, and relays; those that lead here from near only where it has no such way, as they
   * are of no use to strangers, and tell them of a home. Empty unless it listens or has a relay.
   */
  addresses(): string[] {
    const external = this.#options.external?.();
    const own = announcedEndpoints(this.#bound());
    const those = (isFar: boolean): string[] =>
      own.filter(({ ip }) => (scopeOf(ip) === 'global') === isFar).map(formatMultiaddr);
    const [far, near] = [those(true), those(false)];
    const first = external ? [formatMultiaddr(external)] : [];
    const relayed = this.#relays.map(formatPeerAddress);
    const hasFarRelay = this.#relays.some(({ endpoint }) => scopeOf(endpoint.ip) === 'global');
    const isAbroad = hasFarRelay || first.length + far.length > 0;
    return [...new Set([...first, ...far, ...relayed, ...(isAbroad ? [] : near)])];
  }

  /**
   * Where it really listens, as port 0 is replaced by the port that was given. libp2p tells that
   * port with a local address only: it takes a global one for unproven, and does not list it.
   */
  #bound(): HostPort[] {
    const libp2p = this.#running?.libp2p;
    if (libp2p?.status !== 'started') return [];
    const [given] = libp2p
      .getMultiaddrs()
      .flatMap((bound) => parseMultiaddr(bound.toString())?.port ?? []);
    return this.#options.listen.flatMap(({ host, port }) => {
      const real = port === 0 ? given : port;
      return real === undefined ? [] : [{ host, port: real }];
    });
  }

  /** Where this node has a place from now on: so it is announced, and circuits are taken. */
  useRelays(relays: readonly RelayedAddress[]): void {
    this.#relays = relays;
  }

  /** Called with the key of a relay whenever a peer is dialled, or a stream opened, through it. */
  onRelayUsed(listener: (publicKey: Bytes) => void): void {
    this.#onRelay = listener;
  }

  /** Called with every connection as it opens. */
  onConnection(listener: (connection: PeerConnection) => void): void {
    this.#onConnection = listener;
  }

  /** Dials from ports of one's choice; undefined before the start. */
  get ports(): PortDialer | undefined {
    return this.#ports;
  }

  connections(): PeerConnection[] {
    return (this.#running?.libp2p.getConnections() ?? []).map(shown);
  }

  /** Ends all connections to a peer at once, as when it is known to be gone. */
  drop(publicKey: Bytes, reason: Error): void {
    for (const connection of this.#running?.libp2p.getConnections() ?? []) {
      if (equalBytes(publicKeyOf(connection), publicKey)) connection.abort(reason);
    }
  }

  /** Connections that were reset because their network has enough here. */
  get refusedConnections(): number {
    return this.#networks.refused;
  }

  /** Bytes on streams since the start, by protocol, as they are before encryption. */
  traffic(): Readonly<Record<string, Readonly<Traffic>>> {
    return this.#streams.traffic();
  }

  /**
   * What was received of a peer by other means, to be counted here. Connections to it stay open:
   * what it opens has to go there.
   */
  noteReceived(protocol: string, from: Bytes, bytes: number): void {
    this.#streams.noteReceived(protocol, bytes);
    this.#idle.noteUse(from);
  }

  /** Multiaddr from which a connected peer is seen; undefined for any other. */
  remoteAddress(publicKey: Bytes): string | undefined {
    return this.#connectionTo(publicKey)?.remoteAddr.toString();
  }

  /**
   * Where a peer that is connected without a relay surely is: where it was dialled, and those of
   * its addresses that are of the same host. Whoever dials there by other means hits no victim.
   */
  provenAddresses({ publicKey, addresses }: PeerTarget): readonly string[] {
    const connection = this.#connectionTo(publicKey);
    const at = connection && parseMultiaddr(connection.remoteAddr.toString());
    if (!at || connection.limits !== undefined) return [];
    const dialled = connection.direction === 'outbound' ? [formatMultiaddr(at)] : [];
    const own = addresses.filter((text) => {
      const listed = parseMultiaddr(text);
      return listed !== undefined && equalBytes(listed.ip, unmapIp(at.ip));
    });
    return [...new Set([...dialled, ...own])];
  }

  /** What this node shows on connections; rejects before the start. */
  async certificate(): Promise<Certificate> {
    if (!this.#privateKey) throw new Error('not started');
    return this.#certificates.own(this.#privateKey);
  }

  /** By which certificates the peer is known: whoever has the key of one of them is the peer. */
  proofsOf(publicKey: Bytes): readonly string[] {
    return this.#certificates.proofsOf(publicKey);
  }

  #connectionTo(publicKey: Bytes): Connection | undefined {
    const all = this.#running?.libp2p.getConnections() ?? [];
    const own = all.filter((connection) => equalBytes(publicKeyOf(connection), publicKey));
    return own.find(({ limits }) => limits === undefined) ?? own[0];
  }

  /** Serves `protocol`, before or after start(); a later handler takes the place of an earlier one. */
  async handle(
    protocol: string,
    handler: OriginHandler,
    options: HandleOptions = {},
  ): Promise<void> {
    await this.#streams.serve(this.#running?.libp2p, protocol, { handler, options });
  }

  /** What others may ask this node for on a stream, libp2p's own protocols among it. */
  protocols(): readonly string[] {
    return this.#running?.libp2p.getProtocols() ?? this.#streams.served;
  }

  /**
   * Rejects with UNREACHABLE, TIMEOUT, WRONG_PEER or ABORTED; the cause of UNREACHABLE is a
   * DialPutOff when some address would have been dialled too often. A peer that does not speak `protocol`
   * is noticed when its answer is read, which fails with UNREACHABLE.
   */
  async open(target: PeerTarget, protocol: string, options: OpenOptions = {}): Promise<ByteStream> {
    const { stream } = await this.openStream(target, protocol, options);
    return stream;
  }

  /** As open(), with where the stream leads. */
  async openStream(
    target: PeerTarget,
    protocol: string,
    options: OpenOptions = {},
  ): Promise<{ readonly stream: ByteStream; readonly origin: StreamOrigin }> {
    const { signal } = options;
    signal?.throwIfAborted();
    const what = `node ${shortId(keyId(target.publicKey))}`;
    const inTime = AbortSignal.any([AbortSignal.timeout(dialMs), ...(signal ? [signal] : [])]);
    try {
      const connection = await this.#connect({
        target,
        what,
        signal: inTime,
        direct: options.direct,
      });
      return await this.#streams.open(connection, protocol, { ...options, signal: inTime });
    } catch (error) {
      throw dialError({ error, what, ms: dialMs, signal });
    }
  }

  /** The node key of who listens there: for an address that a user gave, as it is not counted. */
  async keyAt(endpoint: Endpoint, { signal }: Abortable = {}): Promise<Bytes> {
    signal?.throwIfAborted();
    const what = formatEndpoint(endpoint);
    const inTime = AbortSignal.any([AbortSignal.timeout(dialMs), ...(signal ? [signal] : [])]);
    const libp2p = this.#running?.libp2p;
    if (!libp2p) throw new AltNetError('UNREACHABLE', { what, why: 'this node is stopped' });
    try {
      const to = multiaddr(formatMultiaddr(endpoint));
      return publicKeyOf(await libp2p.dial(to, { signal: inTime }));
    } catch (error) {
      throw dialError({ error, what, ms: dialMs, signal });
    }
  }

  async #connect(goal: DialGoal): Promise<Connection> {
    const dialer = this.#running?.dialer;
    const { what } = goal;
    if (!dialer) throw new AltNetError('UNREACHABLE', { what, why: 'this node is stopped' });
    return dialer.connect(goal);
  }
}

function shown(connection: Connection): PeerConnection {
  return {
    publicKey: publicKeyOf(connection),
    address: connection.remoteAddr.toString(),
    direction: connection.direction,
    openedMs: connection.timeline.open,
    streams: connection.streams.length,
    isRelayed: connection.limits !== undefined,
    bytesLeft: Number(connection.limits?.bytes ?? 0),
  };
}

function nobodyNear(): undefined {
  return undefined;
}

function notStarted(): Promise<never> {
  return Promise.reject(new AltNetError('UNREACHABLE', { what: 'a relay', why: 'not started' }));
}

function isKeyOf(peer: PeerId, key: Bytes): boolean {
  return peer.type === 'Ed25519' && equalBytes(peer.publicKey.raw, key);
}

function requireNumeric(host: string): Uint8Array {
  const ip = parseIp(host);
  if (ip === undefined) throw new AltNetError('BAD_ADDRESS', { text: host, want: 'an IP address' });
  return ip;
}

function listenMultiaddr({ host, port }: HostPort): string {
  return formatMultiaddr({ ip: requireNumeric(host), port });
}
