/** What a line carries without any of ours: bytes over plain TCP, from one host or from several. */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';

const pieceBytes = 64 * 1024;

/** Sends each client as many bytes as it asks for, in four octets. */
export async function serveTcp({ host, port }: { host: string; port: number }): Promise<void> {
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.once('data', (asked: Buffer) => {
      Readable.from(pieces(asked.readUInt32BE(0))).pipe(socket);
    });
  });
  server.listen(port, host);
  await once(server, 'listening');
}

function* pieces(bytes: number): Generator<Buffer, void, undefined> {
  const piece = Buffer.alloc(pieceBytes, 'x');
  for (let left = bytes; left > 0; left -= pieceBytes) yield piece.subarray(0, left);
}

/**
 * Asks each server, "host:port", for its share at the same time. Milliseconds from the first
 * connect until the first byte and until the last.
 */
export async function readTcp(
  bytes: number,
  servers: readonly string[],
): Promise<{ firstMs: number; doneMs: number; count: number }> {
  const beganMs = performance.now();
  const since = (): number => performance.now() - beganMs;
  let firstMs: number | undefined;
  let count = 0;
  const share = Math.ceil(bytes / servers.length);
  await Promise.all(
    servers.map(async (server) => {
      const [host, port] = server.split(':');
      const socket = connect({ ...(host !== undefined && { host }), port: Number(port) });
      const asked = Buffer.alloc(4);
      asked.writeUInt32BE(share);
      socket.write(asked);
      socket.on('data', (chunk: Buffer) => {
        firstMs ??= since();
        count += chunk.length;
      });
      await finished(socket, { writable: false });
    }),
  );
  if (firstMs === undefined || count < bytes) throw new Error(`only ${count} bytes came`);
  return { firstMs, doneMs: since(), count };
}
