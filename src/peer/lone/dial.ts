/**
 * Connects to a peer whose certificate is known: TCP, and TLS as libp2p speaks it, straight on the
 * socket of the system. The answer to the question for TLS is waited for, as it must be off the
 * socket before TLS reads from it: a round trip, which who wants much of a near peer does not
 * notice. It knows no multiplexer.
 */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { formatIp, type Endpoint } from '../../base/address.ts';
import { toHex } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import type { Certificate } from '../certificates.ts';
import { Greeting, greeting } from '../greeting.ts';

export interface LoneTarget {
  /** Tried one after the other. */
  readonly endpoints: readonly Endpoint[];
  /** SHA-256 of certificates, in hexadecimal: of those that prove to be the peer's. */
  readonly proofs: readonly string[];
}

export interface LoneDial {
  /** What this node shows. */
  readonly certificate: Certificate;
  readonly signal: AbortSignal;
}

/** For one address, until the peer has shown its certificate. */
const addressDialMs = 3000;
/** The names in the handshake of TLS. */
const yamuxName = '/yamux/1.0.0';
const question = greeting('/tls/1.0.0');

/** Paused. Rejects with what went wrong at the last address. */
export async function dialLone(target: LoneTarget, dial: LoneDial): Promise<TLSSocket> {
  let failure: unknown = new Error('no usable address is known');
  for (const endpoint of target.endpoints) {
    dial.signal.throwIfAborted();
    try {
      return await dialOne(endpoint, target.proofs, dial);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

async function dialOne(
  { ip, port }: Endpoint,
  proofs: readonly string[],
  { certificate, signal }: LoneDial,
): Promise<TLSSocket> {
  const inTime = AbortSignal.any([signal, AbortSignal.timeout(addressDialMs)]);
  const socket = connectTcp({ host: formatIp(ip), port, noDelay: true });
  socket.on('error', () => undefined); // told to whoever waits, or by the end of TLS
  try {
    await once(socket, 'connect', { signal: inTime });
    socket.write(question);
    await answered(socket, inTime);
    const tls = connectTls({
      ...certificate,
      socket,
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false, // no authority signs them: see below
      ALPNProtocols: [yamuxName],
    });
    tls.on('error', () => tls.destroy());
    await once(tls, 'secureConnect', { signal: inTime });
    tls.pause();
    const raw = tls.getPeerX509Certificate()?.raw;
    if (!raw || !proofs.includes(toHex(sha256(raw)))) throw new Error('another peer is there');
    if (tls.alpnProtocol !== yamuxName) throw new Error('the peer names another multiplexer');
    return tls;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** Takes the answer to the question off the socket, and leaves that paused. */
async function answered(socket: Socket, signal: AbortSignal): Promise<void> {
  const answer = new Greeting(question);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onData = (chunk: Buffer): void => {
    const rest = answer.take(chunk);
    if (rest === undefined) reject(new Error('the peer does not speak TLS'));
    if (rest === undefined || !answer.isOver) return;
    socket.pause();
    if (rest.length > 0) socket.unshift(rest);
    resolve();
  };
  const onEnd = (): void => reject(new Error('the peer gave no answer'));
  socket.on('data', onData).once('end', onEnd).once('close', onEnd);
  signal.addEventListener('abort', onEnd);
  try {
    await promise;
  } finally {
    socket.off('data', onData).off('end', onEnd).off('close', onEnd);
    signal.removeEventListener('abort', onEnd);
  }
}
