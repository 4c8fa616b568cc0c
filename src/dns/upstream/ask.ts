/**
 * One question to one resolver, by a datagram or over a connection. Every question has a socket of
 * its own, so a port that the system chose at random, and an ID at random: who wants to answer in
 * the resolver's place has to guess both. Knows nothing of what is asked.
 */
import { createSocket } from 'node:dgram';
import { createConnection, isIPv4 } from 'node:net';
import { abortReason } from '../../base/abort.ts';
import type { HostPort } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import { AltNetError, systemCode } from '../../base/errors.ts';
import { encodeFrame, FrameReader } from '../frames.ts';

export interface Ask<T> {
  readonly server: HostPort;
  readonly message: Bytes;
  /**
   * What an answer means; undefined: it is none to this question, and the right one may yet come.
   */
  readonly read: (message: Bytes) => T | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
}

export type AskResolver = <T>(ask: Ask<T>) => Promise<T>;

const answerBytesMax = 65_535;

/** Rejects with UNREACHABLE or the signal's reason. */
export async function askByUdp<T>({ server, message, read, signal }: Ask<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const socket = createSocket(isIPv4(server.host) ? 'udp4' : 'udp6');
  const onAbort = (): void => reject(abortReason(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  socket.on('error', (error) => reject(unreachable(server, error)));
  socket.on('message', (answer) => {
    const read1 = read(answer);
    if (read1 !== undefined) resolve(read1);
  });
  // A callback given to connect() would be told of its failure too, in place of 'error'.
  socket.once('connect', () => {
    if (!signal.aborted) socket.send(message);
  });
  // The system lets through only what comes from where the question went.
  socket.connect(server.port, server.host);
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.close();
  }
}

/** The same for what does not fit into a datagram. */
export async function askByTcp<T>({ server, message, read, signal }: Ask<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const frames = new FrameReader(answerBytesMax);
  const socket = createConnection({ host: server.host, port: server.port });
  const onAbort = (): void => reject(abortReason(signal));
  signal.addEventListener('abort', onAbort, { once: true });
  socket.on('error', (error) => reject(unreachable(server, error)));
  socket.on('close', () => reject(unreachable(server, undefined)));
  socket.on('data', (piece: Buffer) => {
    for (const answer of frames.push(piece)) {
      const read1 = read(answer);
      if (read1 !== undefined) resolve(read1);
    }
  });
  socket.write(encodeFrame(message));
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}

function unreachable(server: HostPort, error: Error | undefined): AltNetError<'UNREACHABLE'> {
  const why = systemCode(error) ?? 'it closed the connection';
  return new AltNetError('UNREACHABLE', { what: `resolver ${server.host}`, why }, { cause: error });
}
