/**
 * The server processes of bench/rpc.ts: `echo` answers every datagram with one of the reply's size,
 * `sealed` answers FIND with 20 contacts through the real transport. It prints its port, then, at
 * every line on stdin, the CPU milliseconds that it has used.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { FindReply } from '../src/dht/ports.ts';
import { contactOf } from '../src/identity/contact.ts';
import { sealedTransport } from './sealed.ts';

const [mode = '', replyBytes = '0'] = process.argv.slice(2);

async function startEcho(): Promise<number> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  const reply = new Uint8Array(Number(replyBytes));
  socket.on('message', (datagram, { port, address }) => {
    reply.set(datagram.subarray(4, 12), 4); // the txid
    socket.send(reply, port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket.address().port;
}

async function startSealed(): Promise<number> {
  const ip = Uint8Array.of(127, 0, 0, 1);
  const reply: FindReply = {
    method: 'find',
    contacts: Array.from({ length: 20 }, (_, i) =>
      contactOf(new Uint8Array(32).fill(i), { ip, port: 2000 + i }),
    ),
  };
  // The whole core is what is measured, and no load limit may answer with a cookie.
  const transport = sealedTransport('server', { dhShare: 1, handshakesPerSecondMax: 100_000 });
  transport.serve(() => reply);
  await transport.start();
  return transport.address()[0]?.port ?? 0;
}

console.log(mode === 'echo' ? await startEcho() : await startSealed());
createInterface({ input: process.stdin }).on('line', () => {
  const { user, system } = process.cpuUsage();
  console.log((user + system) / 1000);
});
process.stdin.on('end', () => process.exit());
