/**
 * The short way of what comes over a TLS connection: from the socket into memory that is used
 * again, decrypted into other such memory, and from there to whoever takes it, without streams and
 * arrays in between. It knows no frames.
 */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { MessageStream } from '@libp2p/interface';
import { drain, readIntoMemory, type TakeOctets } from './socket-memory.ts';

/** What a TLS record holds at most, and one octet more: a whole array takes longer to copy. */
const plainBytes = 16 * 1024 + 1;
/** For all connections over sockets of their own, as what is in it is taken before more is read. */
const plainMemory = Buffer.allocUnsafeSlow(plainBytes);
/** What is read of a socket at a time. */
const cipherMemory = Buffer.allocUnsafeSlow(64 * 1024);

interface Sockets {
  readonly tls: TLSSocket;
  /** The one below, where TLS does not read from it by itself. */
  readonly raw: Socket | undefined;
  /** It goes through a stream of another connection, which reads while this one is being read. */
  readonly isInner: boolean;
  /** Nothing is on its way between the two. */
  readonly isClear: () => boolean;
}

/** By what libp2p has in hand of them. */
const known = new WeakMap<MessageStream, Sockets>();

/** `secured` is what libp2p sees of these sockets. */
export function noteSockets(secured: MessageStream, sockets: Sockets): void {
  known.set(secured, sockets);
}

/** The TLS socket under what libp2p has in hand; undefined where there is another channel. */
export function tlsOf(secured: MessageStream): TLSSocket | undefined {
  return known.get(secured)?.tls;
}

/** What is decrypted goes to `take` from now on. False where there is no short way. */
export function takeShortcut(secured: MessageStream, take: TakeOctets): boolean {
  const sockets = known.get(secured);
  if (!sockets) return false;
  const { raw, isClear, isInner, tls } = sockets;
  // What was read so far goes the long way, and ends it.
  if (raw) drain(raw);
  drain(tls);
  const memory = isInner ? Buffer.allocUnsafeSlow(plainBytes) : plainMemory;
  if (!readIntoMemory(tls, memory, take)) return false;
  const receive = raw && isClear() ? receiverOf(tls) : undefined;
  if (raw && receive) readIntoMemory(raw, cipherMemory, receive);
  return true;
}

/** Gives octets to TLS as if it had read them; undefined where Node.js has no way to. */
function receiverOf(tls: TLSSocket): TakeOctets | undefined {
  const handleOf = (): unknown => Reflect.get(tls, '_handle');
  const handle = handleOf();
  if (typeof handle !== 'object' || handle === null || !('receive' in handle)) return undefined;
  const { receive } = handle;
  if (typeof receive !== 'function') return undefined;
  return (memory, length) => {
    // It is gone once the socket is closed.
    if (handleOf() === handle) Reflect.apply(receive, handle, [memory.subarray(0, length)]);
  };
}
