/**
 * TCP connections that leave from a port of one's choice, past libp2p's dialling: so that what one
 * peer sees of that port tells where another one finds it. Says how a connection is made and
 * secured; when and to whom, others decide (docs/spec/nat.md, "Direct connections through NATs").
 */
import type {
  Connection,
  MultiaddrConnection,
  PeerId,
  SecuredConnection,
  Stream,
  StreamMuxerFactory,
  Transport,
  Upgrader,
} from '@libp2p/interface';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import type { Endpoint } from '../../base/address.ts';
import { AltNetError } from '../../base/errors.ts';
import { formatMultiaddr } from '../address.ts';
import { eagerTcp, greet } from '../eager-dial.ts';
import type { NodeTls, TlsComponents } from '../tls.ts';

type Components = Parameters<ReturnType<typeof tcp>>[0] & TlsComponents;

export interface PortGoal {
  readonly endpoint: Endpoint;
  /** Who must be there. */
  readonly peer: PeerId;
  /** The system chooses one where this is left out. */
  readonly localPort?: number | undefined;
  readonly signal: AbortSignal;
}

/** A connection of which libp2p knows nothing, so that nobody else opens a stream on it. */
export interface OwnLine {
  openStream(protocol: string): Promise<Stream>;
  close(): void;
}

/**
 * Both ends of a hole dial: one of them, agreed beforehand, acts as who was dialled. No protocol is
 * negotiated on the way to TLS.
 */
export type PunchRole = 'client' | 'server';

export class PortDialer {
  readonly #transport: Transport;
  readonly #upgrader: Upgrader;
  readonly #security: NodeTls;

  constructor(components: Components, security: NodeTls) {
    this.#transport = tcp()(components);
    this.#upgrader = components.upgrader;
    this.#security = security;
  }

  /** To a node that listens there. Rejects with WRONG_PEER, or as the system does. */
  async line(goal: PortGoal): Promise<OwnLine> {
    const { peer, signal } = goal;
    const raw = await this.#connect(goal);
    greet(raw, this.#security.protocol);
    // The key is compared afterwards, so as to tell another node from a line that broke.
    const secured = await this.#security.secureOutbound(raw, { signal });
    if (!secured.remotePeer.equals(peer)) {
      raw.abort(new Error('another node'));
      const [want, have] = [peer, secured.remotePeer].map(String);
      const address = formatMultiaddr(goal.endpoint);
      throw new AltNetError('WRONG_PEER', { address, want: want ?? '', have: have ?? '' });
    }
    const muxer = muxerOf(secured).createStreamMuxer(secured.connection);
    return {
      openStream: async (protocol) => muxer.createStream({ protocol, signal }),
      close: () => raw.abort(new Error('no longer needed')),
    };
  }

  /** To a peer that does the same towards `localPort`. libp2p knows the connection from then on. */
  async punch(goal: PortGoal, role: PunchRole): Promise<Connection> {
    const { peer: remotePeer, signal } = goal;
    const raw = await this.#connect(goal);
    const isClient = role === 'client';
    // What yamux goes by: two that both dialled would number their streams alike.
    if (!isClient) Object.assign(raw, { direction: 'inbound' });
    const options = { signal, remotePeer };
    const secured = isClient
      ? await this.#security.secureOutbound(raw, options)
      : await this.#security.secureInbound(raw, options);
    const muxer = muxerOf(secured);
    const muxerFactory: StreamMuxerFactory = {
      protocol: muxer.protocol,
      createStreamMuxer: () => muxer.createStreamMuxer(secured.connection),
    };
    const how = { signal, skipEncryption: true as const, remotePeer, muxerFactory };
    try {
      return await this.#upgrader.upgradeOutbound(raw, { ...how, initiator: isClient });
    } catch (error) {
      raw.abort(error instanceof Error ? error : new Error('the connection failed'));
      throw error;
    }
  }

  /**
   * The socket, as libp2p sees it, before anything was said. The signal that was given must not
   * reach the transport: it would destroy the socket whenever it aborts, even much later.
   */
  async #connect({ endpoint, localPort, signal }: PortGoal): Promise<MultiaddrConnection> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<MultiaddrConnection>();
    const dialling = new AbortController();
    const onAbort = (): void => dialling.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    const upgrader: Upgrader = Object.create(this.#upgrader, {
      upgradeOutbound: {
        value: (raw: MultiaddrConnection) => {
          signal.removeEventListener('abort', onAbort);
          resolve(raw);
          return Promise.withResolvers<Connection>().promise; // what follows is not up to it
        },
      },
    });
    const options = { signal: dialling.signal, upgrader, ...(localPort && { localPort }) };
    this.#transport.dial(multiaddr(formatMultiaddr(endpoint)), options).catch((error: unknown) => {
      signal.removeEventListener('abort', onAbort);
      reject(error instanceof Error ? error : new Error('the dial failed'));
    });
    return promise;
  }
}

function muxerOf({ streamMuxer }: SecuredConnection): StreamMuxerFactory {
  if (!streamMuxer) throw new Error('the peer names no multiplexer');
  return streamMuxer;
}

/** As eagerTcp(); hands out what dials from a port. */
export function punchingTcp(
  tls: (components: TlsComponents) => NodeTls,
  onReady: (dialer: PortDialer) => void,
): (components: Components) => Transport {
  return (components) => {
    onReady(new PortDialer(components, tls(components)));
    return eagerTcp(tls)(components);
  };
}
