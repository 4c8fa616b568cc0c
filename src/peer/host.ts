/**
 * The libp2p host: authenticated, encrypted, multiplexed connections to other nodes over TCP, on
 * the port number that the DHT has on UDP. The peer ID is the node key. It knows protocols by name
 * only and learns addresses from its callers; it finds no peers by itself.
 */
import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys';
import { identify } from '@libp2p/identify';
import type { Connection, Libp2p, PeerId } from '@libp2p/interface';
import { noise } from '@libp2p/noise';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { yamux } from '@libp2p/yamux';
import { multiaddr } from '@multiformats/multiaddr';
import { createLibp2p } from 'libp2p';
import { type Endpoint, formatEndpoint, type HostPort, parseIp } from '../base/address.ts';
import { type Bytes, equalBytes } from '../base/bytes.ts';
import { systemWorld, type World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import { type Logger, silentLogger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { shortId } from '../identity/contact.ts';
import { keyId, type SigningKey } from '../identity/key.ts';
import { announcedEndpoints, formatMultiaddr, parseMultiaddr } from './address.ts';
import { Certificates } from './certificates.ts';
import { DialBudget, DialPutOff } from './dial-budget.ts';
import { eagerMuxer, greeting } from './eager.ts';
import { eagerTcp } from './eager-dial.ts';
import { bindError, dialError } from './errors.ts';
import { forgetGonePeers } from './forget.ts';
import { IdleCloser } from './idle.ts';
import { NetworkCap, type NetworkCapOptions } from './network-cap.ts';
import { SendMemory } from './send-memory.ts';
import { askedBytesMax, type ByteStream, byteStream, type Traffic } from './stream.ts';
import { NodeTls, type TlsComponents } from './tls.ts';

export interface PeerHostOptions {
  /** The node key. */
  readonly key: SigningKey;
  /** Numeric addresses to listen on; empty for a node that only dials. */
  readonly listen: readonly HostPort[];
  /** This node's address as others see it, once that is known. */
  readonly external?: (() => Endpoint | undefined) | undefined;
  /** More connections than this are closed, the least useful first. Default 256. */
  readonly connectionsMax?: number;
  /** How many of them one network may have. */
  readonly perNetwork?: NetworkCapOptions | undefined;
  /** A connection without streams is closed after this long. Default 60,000. */
  readonly idleMs?: number;
  readonly logger?: Logger;
  readonly world?: World;
}

/** Whom to connect to. The addresses are tried in turn; any other key there is refused. */
export interface PeerTarget {
  /** Ed25519 node key, 32 bytes. */
  readonly publicKey: Bytes;
  /** TCP multiaddrs; others are ignored, and so are those after the first 8. */
  readonly addresses: readonly string[];
}

export interface PeerConnection {
  readonly publicKey: Bytes;
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  /** Unix milliseconds. */
  readonly openedMs: number;
  readonly streams: number;
}

/** Must not reject for what the peer does; a rejection is logged and aborts the stream. */
export type StreamHandler = (stream: ByteStream) => Promise<void>;

const dialMs = 10_000;
const addressDialMs = 3000;
const addressesMax = 8;
/** Streams of one protocol and direction on one connection. */
const streamsPerPeerMax = 16;
/** Must stay below the read buffer: a paused stream may still receive a whole window. */
const windowBytesMax = 2 * 1024 * 1024;
const readBufferBytesMax = 4 * 1024 * 1024;

export class PeerHost {
  readonly #options: PeerHostOptions;
  readonly #world: World;
  readonly #log: Logger;
  readonly #handlers = new Map<string, StreamHandler>(); // BOUNDED by the program's protocols
  /** Protocols that this node opens streams for. BOUNDED by the program's protocols. */
  readonly #asked = new Set<string>();
  readonly #traffic = new Map<string, Traffic>(); // BOUNDED by the program's protocols
  readonly #budget: DialBudget;
  readonly #idle: IdleCloser;
  readonly #networks: NetworkCap;
  readonly #memory = new SendMemory();
  #libp2p: Libp2p | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: PeerHostOptions) {
    this.#options = options;
    this.#world = options.world ?? systemWorld;
    this.#log = options.logger ?? silentLogger;
    this.#budget = new DialBudget(this.#world.clock);
    this.#networks = new NetworkCap(options.perNetwork);
    this.#idle = new IdleCloser(this.#world, {
      idleMs: options.idleMs ?? 60_000,
      list: () => this.#libp2p?.getConnections() ?? [],
    });
  }

  /** Rejects with PORT_TAKEN, BIND_FAILED or BAD_ADDRESS. */
  async start(): Promise<void> {
    const { key, listen, connectionsMax } = this.#options;
    for (const { host } of listen) requireNumeric(host);
    const privateKey = await generateKeyPairFromSeed('Ed25519', key.exportSeed());
    const certificates = new Certificates(this.#world.clock);
    const tls = (components: TlsComponents): NodeTls =>
      new NodeTls(components, certificates, this.#memory);
    const libp2p = await createLibp2p({
      start: false,
      privateKey,
      addresses: { listen: listen.map(listenMultiaddr) },
      transports: [eagerTcp(tls)],
      connectionEncrypters: [tls, noise()],
      streamMuxers: [
        eagerMuxer(
          yamux({
            streamOptions: {
              maxStreamWindowSize: windowBytesMax,
              maxReadBufferLength: readBufferBytesMax,
            },
          }),
          (protocol) => this.#asked.has(protocol),
        ),
      ],
      connectionManager: {
        maxConnections: connectionsMax ?? 256,
        inboundConnectionThreshold: 100,
        maxIncomingPendingConnections: 64,
        maxPeerAddrsToDial: addressesMax,
        addressDialTimeout: addressDialMs,
        dialTimeout: dialMs,
        reconnectRetries: 0,
      },
      connectionGater: this.#networks.gater,
      connectionMonitor: { pingInterval: 30_000 },
      // Others may ask; what this node wants of them it knows. Asking costs signatures at both ends
      // while the first answer is waited for.
      services: { identify: identify({ runOnConnectionOpen: false }) },
    });
    forgetGonePeers(libp2p);
    try {
      await libp2p.start();
    } catch (error) {
      await libp2p.stop();
      throw await bindError(listen, error);
    }
    this.#libp2p = libp2p;
    // Made before the first peer waits for it. If that fails, it is tried again then.
    certificates.own(privateKey).catch(() => undefined);
    for (const protocol of this.#handlers.keys()) await this.#register(protocol);
    this.#idle.start();
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      this.#idle.stop();
      const libp2p = this.#libp2p;
      this.#libp2p = undefined;
      await libp2p?.stop();
    })();
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** Multiaddrs to announce, the most widely reachable first; empty unless it listens. */
  addresses(): string[] {
    const external = this.#options.external?.();
    const own = announcedEndpoints(this.#bound());
    return [...new Set([...(external ? [external] : []), ...own].map(formatMultiaddr))];
  }

  /**
   * Where it really listens, as port 0 is replaced by the port that was given. libp2p tells that
   * port with a local address only: it takes a global one for unproven, and does not list it.
   */
  #bound(): HostPort[] {
    if (this.#libp2p?.status !== 'started') return [];
    const [given] = this.#libp2p
      .getMultiaddrs()
      .flatMap((bound) => parseMultiaddr(bound.toString())?.port ?? []);
    return this.#options.listen.flatMap(({ host, port }) => {
      const real = port === 0 ? given : port;
      return real === undefined ? [] : [{ host, port: real }];
    });
  }

  connections(): PeerConnection[] {
    return (this.#libp2p?.getConnections() ?? []).map((connection) => ({
      publicKey: publicKeyOf(connection),
      address: connection.remoteAddr.toString(),
      direction: connection.direction,
      openedMs: connection.timeline.open,
      streams: connection.streams.length,
    }));
  }

  /** Connections that were reset because their network has enough here. */
  get refusedConnections(): number {
    return this.#networks.refused;
  }

  /** Bytes on streams since the start, by protocol, as they are before encryption. */
  traffic(): Readonly<Record<string, Readonly<Traffic>>> {
    return Object.fromEntries([...this.#traffic].map(([name, traffic]) => [name, { ...traffic }]));
  }

  #trafficOf(protocol: string): Traffic {
    const known = this.#traffic.get(protocol);
    if (known) return known;
    const traffic: Traffic = { receivedBytes: 0, sentBytes: 0 };
    this.#traffic.set(protocol, traffic);
    return traffic;
  }

  /** Multiaddr from which a connected peer is seen; undefined for any other. */
  remoteAddress(publicKey: Bytes): string | undefined {
    const found = this.#libp2p
      ?.getConnections()
      .find((connection) => equalBytes(publicKeyOf(connection), publicKey));
    return found?.remoteAddr.toString();
  }

  /** Serves `protocol`, before or after start(); a later handler takes the place of an earlier one. */
  async handle(protocol: string, handler: StreamHandler): Promise<void> {
    const known = this.#handlers.has(protocol);
    this.#handlers.set(protocol, handler);
    if (!known) await this.#register(protocol);
  }

  /** What others may ask this node for on a stream, libp2p's own protocols among it. */
  protocols(): readonly string[] {
    return this.#libp2p?.getProtocols() ?? [...this.#handlers.keys()];
  }

  async #register(protocol: string): Promise<void> {
    await this.#libp2p?.handle(
      protocol,
      (raw, connection) => {
        const remote = publicKeyOf(connection);
        if (remote.length === 0) return raw.abort(new Error('not an AltNet node'));
        const traffic = this.#trafficOf(protocol);
        const stream = byteStream(raw, remote, {
          unreadBytesMax: askedBytesMax,
          traffic,
          memory: this.#memory,
        });
        const handler = this.#handlers.get(protocol);
        handler?.(stream).catch((error: unknown) => {
          this.#log.warn('a stream handler failed', { protocol, why: reasonOf(error) });
          stream.abort(error instanceof Error ? error : new Error('handler failed'));
        });
      },
      { maxInboundStreams: streamsPerPeerMax, maxOutboundStreams: streamsPerPeerMax },
    );
  }

  /**
   * Rejects with UNREACHABLE, TIMEOUT, WRONG_PEER or ABORTED; the cause of UNREACHABLE is a
   * DialPutOff when some address would have been dialled too often. A peer that does not speak `protocol`
   * is noticed when its answer is read, which fails with UNREACHABLE.
   */
  async open(
    target: PeerTarget,
    protocol: string,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ByteStream> {
    const { signal } = options;
    signal?.throwIfAborted();
    const what = `node ${shortId(keyId(target.publicKey))}`;
    const deadline = AbortSignal.any([AbortSignal.timeout(dialMs), ...(signal ? [signal] : [])]);
    try {
      const connection = await this.#connect(target, what, deadline);
      this.#asked.add(protocol);
      const stream = await connection.newStream(protocol, {
        signal: deadline,
        maxOutboundStreams: streamsPerPeerMax,
      });
      const hello = greeting(protocol);
      stream.send(hello);
      const traffic = this.#trafficOf(protocol);
      return byteStream(stream, publicKeyOf(connection), { expected: hello, traffic });
    } catch (error) {
      throw dialError({ error, what, ms: dialMs, signal });
    }
  }

  async #connect(target: PeerTarget, what: string, signal: AbortSignal): Promise<Connection> {
    const libp2p = this.#libp2p;
    if (!libp2p) throw new AltNetError('UNREACHABLE', { what, why: 'this node is stopped' });
    const peer = parsePeer(target.publicKey, what);
    const open = libp2p.getConnections(peer).find(({ status }) => status === 'open');
    if (open) return open;
    const endpoints = target.addresses.flatMap((text) => parseMultiaddr(text) ?? []);
    if (endpoints.length === 0) {
      throw new AltNetError('UNREACHABLE', { what, why: 'no usable address is known' });
    }
    const looked = endpoints.slice(0, addressesMax).map((to) => ({
      to,
      waitMs: this.#budget.take(to, target.publicKey),
    }));
    const now = looked.flatMap(({ to, waitMs }) => (waitMs === 0 ? [to] : []));
    const later = looked.flatMap(({ waitMs }) => (waitMs > 0 ? [waitMs] : []));
    const settle = (to: Endpoint, wasMet: boolean): void =>
      this.#budget.settle(to, target.publicKey, wasMet);
    try {
      return await dialInTurn(libp2p, { peer, what, endpoints: now, signal, settle });
    } catch (error) {
      if (later.length === 0 || signal.aborted) throw error;
      const cause = new DialPutOff(Math.min(...later), error);
      throw new AltNetError('UNREACHABLE', { what, why: cause.message }, { cause });
    }
  }
}

interface DialPlan {
  readonly peer: PeerId;
  readonly what: string;
  readonly endpoints: readonly Endpoint[];
  readonly signal: AbortSignal;
  /** Told of each address whether the peer was met there. */
  readonly settle: (to: Endpoint, wasMet: boolean) => void;
}

/**
 * Tries one address after the other. The key is compared here, as libp2p does not say why a
 * handshake failed, and a stale address that now belongs to another node must not end the search.
 */
async function dialInTurn(libp2p: Libp2p, plan: DialPlan): Promise<Connection> {
  const { peer, what, endpoints, signal, settle } = plan;
  const failures: unknown[] = [];
  for (const endpoint of endpoints) {
    signal.throwIfAborted();
    try {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(addressDialMs)]);
      const connection = await libp2p.dial(multiaddr(formatMultiaddr(endpoint)), { signal: limit });
      const isPeer = connection.remotePeer.equals(peer);
      settle(endpoint, isPeer);
      if (isPeer) return connection;
      // Not closed: libp2p may have given one that others work with, as it knows addresses, not
      // keys. Otherwise whoever names the address of a peer could end all that it sends. If nobody
      // uses it, it is idle.
      const [address, have] = [formatEndpoint(endpoint), connection.remotePeer.toString()];
      failures.push(new AltNetError('WRONG_PEER', { address, want: what, have }));
    } catch (error) {
      if (!signal.aborted) settle(endpoint, false);
      failures.push(error);
    }
  }
  throw failures.length === 1 ? failures[0] : new AggregateError(failures);
}

function parsePeer(publicKey: Bytes, what: string): PeerId {
  try {
    const key = publicKeyFromRaw(publicKey);
    if (key.type === 'Ed25519') return peerIdFromPublicKey(key);
  } catch {
    // Not a key at all: said below.
  }
  throw new AltNetError('UNREACHABLE', { what, why: 'it has no valid node key' });
}

/** 32 bytes; empty for a peer whose key is not Ed25519, which no AltNet node has. */
function publicKeyOf({ remotePeer }: Connection): Bytes {
  return remotePeer.type === 'Ed25519' ? remotePeer.publicKey.raw : new Uint8Array();
}

function requireNumeric(host: string): Uint8Array {
  const ip = parseIp(host);
  if (ip === undefined) throw new AltNetError('BAD_ADDRESS', { text: host, want: 'an IP address' });
  return ip;
}

function listenMultiaddr({ host, port }: HostPort): string {
  return formatMultiaddr({ ip: requireNumeric(host), port });
}
