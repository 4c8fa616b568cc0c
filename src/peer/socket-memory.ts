/**
 * Reading from a socket into memory that is used again and again. Node.js gives each piece that it
 * reads an array of its own, 16 KiB of a TLS record: what these cost, and then the garbage
 * collector, is more than decrypting them does. It has a way around that (`onread` of a socket),
 * but only where it opens the connection itself; here it is asked of a socket that is there.
 *
 * The names that this relies on are Node's own. Where they are not what they were, the socket is
 * left as it is. It knows nothing of what is read.
 */
import type { Socket } from 'node:net';

/** Told of what was read: the first `length` octets of `memory`, until it returns. */
export type TakeOctets = (memory: Buffer, length: number) => void;

interface Handle {
  /** Node.js keeps the address only: the memory must outlive the socket. */
  readonly useUserBuffer: (memory: Buffer) => void;
}

/** Has a socket that flows tell by events of all that it has read. */
export function drain(socket: Socket): void {
  while (socket.read() !== null) continue;
}

/**
 * From now on what `socket` reads lies in `memory`, which never goes away, and is given to `take`
 * at once; it was drained before. Its other events are what they were. False when that cannot be:
 * nothing has changed then.
 */
export function readIntoMemory(socket: Socket, memory: Buffer, take: TakeOctets): boolean {
  const handle = handleOf(socket);
  const [bufferName, callbackName] = [symbolOf(socket, 'kBuffer'), symbolOf(socket, 'kBufferCb')];
  if (!handle || !bufferName || !callbackName || socket.destroyed) return false;
  if (socket.readableLength > 0) return false;
  Reflect.set(socket, callbackName, (length: number) => {
    take(memory, length);
    return true;
  });
  Reflect.set(socket, bufferName, memory);
  handle.useUserBuffer(memory);
  socket.resume();
  return true;
}

function handleOf(socket: Socket): Handle | undefined {
  const handle: unknown = Reflect.get(socket, '_handle');
  if (typeof handle !== 'object' || handle === null) return undefined;
  if (!('useUserBuffer' in handle) || typeof handle.useUserBuffer !== 'function') return undefined;
  return handle as Handle;
}

/** It belongs to this very socket, and nobody has asked the same of it. */
function symbolOf(socket: Socket, name: string): symbol | undefined {
  const symbol = Object.getOwnPropertySymbols(socket).find((one) => one.description === name);
  return symbol && Reflect.get(socket, symbol) === null ? symbol : undefined;
}
