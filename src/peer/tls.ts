/**
 * TLS 1.3 as libp2p speaks it, /tls/1.0.0, with one certificate for all connections of this host:
 * @libp2p/tls makes a new one for each. What a certificate must say, and how octets pass between
 * libp2p and a socket, is left to that package.
 */
import { once } from 'node:events';
import process from 'node:process';
import { connect, TLSSocket } from 'node:tls';
import {
  type ConnectionEncrypter,
  type MessageStream,
  type SecureConnectionOptions,
  type SecuredConnection,
  UnexpectedPeerError,
} from '@libp2p/interface';
import { PROTOCOL, type TLSComponents } from '@libp2p/tls';
import { toMessageStream, toNodeDuplex } from '@libp2p/tls/utils';
import type { Bytes } from '../base/bytes.ts';
import type { Certificates } from './certificates.ts';
import { socketOf, takeSocket } from './raw-socket.ts';
import type { SendMemory } from './send-memory.ts';
import { noteSockets } from './shortcut.ts';

export type TlsComponents = Pick<TLSComponents, 'privateKey' | 'upgrader'>;

/** What is named where no multiplexer is chosen in the handshake. */
const noMuxer = 'libp2p';

export class NodeTls implements ConnectionEncrypter {
  readonly protocol: string = PROTOCOL;
  readonly #components: TlsComponents;
  readonly #certificates: Certificates;
  readonly #memory: SendMemory;

  constructor(components: TlsComponents, certificates: Certificates, memory: SendMemory) {
    this.#components = components;
    this.#certificates = certificates;
    this.#memory = memory;
  }

  secureInbound(
    connection: MessageStream,
    options: SecureConnectionOptions = {},
  ): Promise<SecuredConnection> {
    return this.#secure(connection, { ...options, isServer: true });
  }

  secureOutbound(
    connection: MessageStream,
    options: SecureConnectionOptions = {},
  ): Promise<SecuredConnection> {
    return this.#secure(connection, { ...options, isServer: false });
  }

  async #secure(
    connection: MessageStream,
    options: SecureConnectionOptions & { readonly isServer: boolean },
  ): Promise<SecuredConnection> {
    const { signal, remotePeer: wanted, skipStreamMuxerNegotiation, isServer } = options;
    const muxers = skipStreamMuxerNegotiation === true ? new Map() : this.#muxers;
    const certificate = await this.#certificates.own(this.#components.privateKey);
    signal?.throwIfAborted();
    // One that was dialled may be asked for before the answer to the question for TLS has come:
    // that is taken off in between.
    const duplex = (isServer ? takeSocket(connection) : undefined) ?? toNodeDuplex(connection);
    // Each socket makes a context of its own: no session of one is resumed by another.
    const how = {
      ...certificate,
      minVersion: 'TLSv1.3' as const,
      maxVersion: 'TLSv1.3' as const,
      rejectUnauthorized: false, // no authority signs them: they are verified below
      ALPNProtocols: [...muxers.keys(), noMuxer],
    };
    const socket = isServer
      ? new TLSSocket(duplex, { ...how, isServer, requestCert: true })
      : connect({ ...how, socket: duplex });
    // At any time, also later: what breaks one of them ends all three.
    socket.on('error', (error) => connection.abort(error));
    duplex.on('error', (error) => socket.destroy(error));
    try {
      await handshake(socket, signal);
      const raw = socket.getPeerX509Certificate()?.raw;
      if (!raw) throw new Error('the peer shows no certificate');
      const remotePeer = await this.#certificates.verify(raw);
      if (wanted?.equals(remotePeer) === false) throw new UnexpectedPeerError();
      const streamMuxer = muxers.get(socket.alpnProtocol || noMuxer);
      gatherWrites(socket, this.#memory);
      const secured = toMessageStream(connection, socket);
      const below = socketOf(connection);
      noteSockets(secured, {
        tls: socket,
        raw: duplex === below ? undefined : below,
        isInner: below === undefined,
        isClear: () => connection.readBufferLength === 0 && duplex.readableLength === 0,
      });
      return { remotePeer, connection: secured, streamMuxer };
    } catch (error) {
      const reason = error instanceof Error ? error : new Error('the handshake failed');
      socket.destroy();
      connection.abort(reason);
      throw reason;
    }
  }

  get #muxers(): ReturnType<TlsComponents['upgrader']['getStreamMuxers']> {
    return this.#components.upgrader.getStreamMuxers();
  }
}

/**
 * What is written in one turn goes as one piece: yamux writes the head of a frame by itself, and
 * each write is a record, and a call to the system. `memory` gets back what was written, once the
 * system has taken it.
 *
 * That the socket has drained is told to those who wrote here and had to wait. What is sent past
 * them fills it as well, and libp2p hands each such word to every stream of the connection.
 */
function gatherWrites(socket: TLSSocket, memory: SendMemory): void {
  const write = socket.write.bind(socket);
  let isAwaited = false;
  socket.write = (chunk: Bytes | string): boolean => {
    if (socket.writableCorked === 0) {
      socket.cork();
      process.nextTick(() => socket.uncork());
    }
    const isOwn = typeof chunk !== 'string' && memory.isOwnerOf(chunk);
    const goesOn = isOwn
      ? write(chunk, (error) => {
          if (!error) memory.sent(chunk);
        })
      : write(chunk);
    isAwaited ||= !goesOn;
    return goesOn;
  };
  const emit = socket.emit.bind(socket);
  socket.emit = (name: string | symbol, ...args: unknown[]): boolean => {
    if (name !== 'drain') return emit(name, ...args);
    if (!isAwaited) return false;
    isAwaited = false;
    return emit(name);
  };
}

/** Resolves when the peer has proven that it has the key of its certificate. */
async function handshake(socket: TLSSocket, signal: AbortSignal | undefined): Promise<void> {
  const over = new AbortController();
  const until = AbortSignal.any([over.signal, ...(signal ? [signal] : [])]);
  try {
    await Promise.race([
      once(socket, 'secure', { signal: until }), // rejects with what `error` tells
      once(socket, 'close', { signal: until }).then(() => {
        throw new Error('the peer ended the handshake');
      }),
    ]);
  } finally {
    over.abort();
  }
}
