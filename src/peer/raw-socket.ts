/**
 * The TCP socket under a connection that libp2p accepted, so that TLS can work on it directly. Else
 * each octet passes through three streams of JavaScript on its way, which costs who serves a
 * gigabyte more than encrypting it. It knows nothing of TLS.
 */
import { Socket } from 'node:net';
import type { MessageStream, StreamMessageEvent } from '@libp2p/interface';
import type { Bytes } from '../base/bytes.ts';

/**
 * The socket, paused, with all that was not read of it; from now on it is the caller's, and
 * `connection` only tells when it closes, and closes it. Undefined when there is none.
 */
export function takeSocket(connection: MessageStream): Socket | undefined {
  const socket = socketOf(connection);
  if (!socket || connection.status !== 'open') return undefined;
  connection.pause();
  const unread = unreadOf(connection);
  socket.pause();
  socket.removeAllListeners('data');
  if (unread.length > 0) socket.unshift(Buffer.concat(unread));
  return socket;
}

/** Undefined where `connection` goes through something else, such as a relay. */
export function socketOf(connection: MessageStream): Socket | undefined {
  const socket: unknown = 'socket' in connection ? connection.socket : undefined;
  return socket instanceof Socket ? socket : undefined;
}

/** What came behind the last message that somebody read. */
function unreadOf(connection: MessageStream): readonly Bytes[] {
  const unread: Bytes[] = [];
  const onMessage = ({ data }: StreamMessageEvent): void => {
    unread.push(data instanceof Uint8Array ? data : data.subarray());
  };
  connection.addEventListener('message', onMessage);
  connection.resume(); // hands it out before it returns; the socket itself goes on in a later turn
  connection.removeEventListener('message', onMessage);
  return unread;
}
