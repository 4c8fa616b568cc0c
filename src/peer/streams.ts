/**
 * Streams of a host by protocol: who serves the ones that peers open, how those are opened that
 * peers serve, and what went over them. It knows protocols by name only, and finds no peers.
 */
import type { Connection, Libp2p, Stream } from '@libp2p/interface';
import type { Bytes } from '../base/bytes.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { greeting } from './greeting.ts';
import type { SendMemory } from './send-memory.ts';
import { askedBytesMax, type ByteStream, byteStream, type Traffic } from './stream.ts';

/** What is known of a stream besides the peer. */
export interface StreamOrigin {
  /** Multiaddr of the other end of its connection. */
  readonly address: string;
  /** Octets in libp2p's buffers, read by nobody yet or not sent yet. */
  readonly heldBytes: () => number;
}

/** Must not reject for what the peer does; a rejection is logged and aborts the stream. */
export type StreamHandler = (stream: ByteStream) => Promise<void>;
/** The same, with where the stream comes from. */
export type OriginHandler = (stream: ByteStream, origin: StreamOrigin) => Promise<void>;

export interface HandleOptions {
  /** Not through a relay. */
  readonly direct?: boolean | undefined;
  /** Of the protocol, on one connection. Default 16. */
  readonly streamsMax?: number | undefined;
}

export interface OpenOptions extends HandleOptions {
  readonly signal?: AbortSignal | undefined;
  /** Unread bytes at which the peer is asked to pause. */
  readonly unreadBytesMax?: number | undefined;
}

/** Streams of one protocol and direction on one connection. */
const streamsPerPeerMax = 16;

interface Served {
  readonly handler: OriginHandler;
  readonly options: HandleOptions;
}

export class ProtocolStreams {
  readonly #memory: SendMemory;
  readonly #log: Logger;
  readonly #handlers = new Map<string, Served>(); // BOUNDED by the program's protocols
  /** Protocols that this node opens streams for. BOUNDED by the program's protocols. */
  readonly #asked = new Set<string>();
  readonly #traffic = new Map<string, Traffic>(); // BOUNDED by the program's protocols

  #libp2p: Libp2p | undefined;

  constructor(memory: SendMemory, log: Logger) {
    this.#memory = memory;
    this.#log = log;
  }

  get served(): readonly string[] {
    return [...this.#handlers.keys()];
  }

  /** Whether streams of the protocol are opened without waiting for an answer. */
  isAsked(protocol: string): boolean {
    return this.#asked.has(protocol);
  }

  /** Bytes on streams since the start, by protocol, as they are before encryption. */
  traffic(): Readonly<Record<string, Readonly<Traffic>>> {
    return Object.fromEntries([...this.#traffic].map(([name, traffic]) => [name, { ...traffic }]));
  }

  noteReceived(protocol: string, bytes: number): void {
    this.#trafficOf(protocol).receivedBytes += bytes;
  }

  /** A later handler takes the place of an earlier one. `libp2p`: undefined before the start. */
  async serve(libp2p: Libp2p | undefined, protocol: string, served: Served): Promise<void> {
    const known = this.#handlers.has(protocol);
    this.#handlers.set(protocol, served);
    if (!known && libp2p) await this.#register(libp2p, protocol);
  }

  /** What was served before the start. */
  async started(libp2p: Libp2p): Promise<void> {
    this.#libp2p = libp2p;
    for (const protocol of this.#handlers.keys()) await this.#register(libp2p, protocol);
  }

  async open(
    connection: Connection,
    protocol: string,
    options: OpenOptions,
  ): Promise<{ readonly stream: ByteStream; readonly origin: StreamOrigin }> {
    this.#asked.add(protocol);
    const { signal, direct, streamsMax = streamsPerPeerMax, unreadBytesMax } = options;
    const raw = await connection.newStream(protocol, {
      ...(signal && { signal }),
      maxOutboundStreams: streamsMax,
      runOnLimitedConnection: direct !== true,
    });
    const hello = greeting(protocol);
    raw.send(hello);
    const traffic = this.#trafficOf(protocol);
    const how = { expected: hello, traffic, unreadBytesMax };
    const stream = byteStream(raw, publicKeyOf(connection), how);
    const isOutdated = (): boolean => this.#isOutdated(connection);
    return { stream: { ...stream, isOutdated }, origin: originOf(raw, connection) };
  }

  /** It leads through a relay, and there is a direct one to the same peer. */
  #isOutdated({ limits, remotePeer }: Connection): boolean {
    if (limits === undefined) return false;
    const all = this.#libp2p?.getConnections(remotePeer) ?? [];
    return all.some((each) => each.limits === undefined && each.status === 'open');
  }

  #trafficOf(protocol: string): Traffic {
    const known = this.#traffic.get(protocol);
    if (known) return known;
    const traffic: Traffic = { receivedBytes: 0, sentBytes: 0 };
    this.#traffic.set(protocol, traffic);
    return traffic;
  }

  async #register(libp2p: Libp2p, protocol: string): Promise<void> {
    const { direct, streamsMax = streamsPerPeerMax } = this.#handlers.get(protocol)?.options ?? {};
    await libp2p.handle(
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
        const handler = this.#handlers.get(protocol)?.handler;
        handler?.(stream, originOf(raw, connection)).catch((error: unknown) => {
          this.#log.warn('a stream handler failed', { protocol, why: reasonOf(error) });
          stream.abort(error instanceof Error ? error : new Error('handler failed'));
        });
      },
      {
        maxInboundStreams: streamsMax,
        maxOutboundStreams: streamsMax,
        runOnLimitedConnection: direct !== true,
      },
    );
  }
}

function originOf(raw: Stream, { remoteAddr }: Connection): StreamOrigin {
  const address = remoteAddr.toString();
  return { address, heldBytes: () => raw.readBufferLength + raw.writeBufferLength };
}

/** 32 bytes; empty for a peer whose key is not Ed25519, which no AltNet node has. */
export function publicKeyOf({ remotePeer }: Connection): Bytes {
  return remotePeer.type === 'Ed25519' ? remotePeer.publicKey.raw : new Uint8Array();
}
