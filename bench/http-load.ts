/**
 * A load generator for HTTP: a few keep-alive connections, one request in flight on each, for so
 * many milliseconds. It looks at the first answer of each connection closely and then only counts
 * bytes, so that it costs less than any server it measures. Prints answers per second.
 *
 * node bench/http-load.ts PORT HOST CONNECTIONS MILLISECONDS [tls] [varied]
 *
 * varied: no request says the same as one before.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

const [port = 0, connections = 0, runMs = 0] = [2, 4, 5].map((i) => Number(process.argv[i]));
const host = process.argv[3] ?? 'localhost';
const isTls = process.argv.includes('tls');
const isVaried = process.argv.includes('varied');
const fields = `GET / HTTP/1.1\r\nHost: ${host}\r\nAccept: */*\r\n`;
const request: Buffer = Buffer.from(`${fields}\r\n`);
let asked = 0;

function nextRequest(): Buffer | string {
  return isVaried ? `${fields}X-Number: ${process.pid}.${asked++}\r\n\r\n` : request;
}

/** The bytes of the first answer, which all that follow must equal in length. */
async function measureAnswer(socket: Socket): Promise<number> {
  let answer = Buffer.alloc(0);
  socket.write(nextRequest());
  for (;;) {
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    answer = Buffer.concat([answer, chunk]);
    const end = answer.indexOf('\r\n\r\n');
    if (end < 0) continue;
    const head = answer.toString('latin1', 0, end);
    const length = /^content-length: (\d+)$/im.exec(head)?.[1];
    if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) throw new Error(head);
    if (answer.length === end + 4 + Number(length)) return answer.length;
  }
}

/** Keeps one request in flight; the count of answers so far is in `answers`. */
function keepAsking(socket: Socket, answerBytes: number, counter: { answers: number }): void {
  let received = 0;
  socket.on('data', ({ length }: Buffer) => {
    received += length;
    if (received < answerBytes) return;
    if (received > answerBytes) throw new Error('an answer is longer than the first one');
    received = 0;
    counter.answers++;
    socket.write(nextRequest());
  });
  socket.write(nextRequest());
}

const counter = { answers: 0 };
/** Who vouches for the server does not matter here, what it costs does. */
function open(): Socket {
  const at = { port, host: '127.0.0.1', noDelay: true };
  return isTls ? connectTls({ ...at, servername: host, rejectUnauthorized: false }) : connect(at);
}

const sockets = Array.from({ length: connections }, open);
await Promise.all(
  sockets.map(async (socket) => keepAsking(socket, await measureAnswer(socket), counter)),
);
await delay(runMs / 4); // until both sides are warm
const began = performance.now();
const before = counter.answers;
await delay(runMs);
console.log(((counter.answers - before) * 1000) / (performance.now() - began));
for (const socket of sockets) socket.destroy();
