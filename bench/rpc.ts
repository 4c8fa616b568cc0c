/**
 * How many sealed requests one core answers, beside a plain UDP echo of the same sizes, and beside
 * the curve operations alone that each request needs: the first depends on how fast the machine's
 * X25519 is, the second shows what everything else costs. The server
 * is a process of its own, so its CPU time is that of the requests; the rate per core is requests
 * divided by CPU seconds, which does not depend on how busy the machine is otherwise.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { nodeCrypto } from '../src/noise/node-crypto.ts';
import { serverAt, startAsker } from './sealed.ts';
import { type BenchRow, row } from './row.ts';

const inFlight = 32;
const warmUpRequests = 3000;
const sealedRequests = 8000;
const echoRequests = 60_000;
const curveRounds = 2000;
const rounds = 3;
/** A FIND with a token, and its reply with 20 IPv4 contacts. */
const requestBytes = 196;
const replyBytes = 889;

export async function benchRpc(): Promise<BenchRow[]> {
  const echo: number[] = [];
  const sealed: number[] = [];
  const curve: number[] = [];
  // In turn, so that a slow spell of the machine meets both.
  for (let round = 0; round < rounds; round++) {
    echo.push(await measure('echo', echoRequests, askEcho));
    sealed.push(await measure('sealed', sealedRequests, askSealed));
    curve.push(measureCurve());
  }
  return [
    row({
      name: 'sealed RPC',
      value: median(sealed),
      unit: 'RPC/s per core',
      limit: { name: 'plain UDP echo', value: median(echo) },
      goal: 0.04,
    }),
    row({
      name: 'sealed RPC',
      value: median(sealed),
      unit: 'RPC/s per core',
      limit: { name: 'its X25519 operations alone', value: median(curve) },
    }),
  ];
}

/** Per CPU second: one key pair, one key import and three DHs, as one answer needs them. */
function measureCurve(): number {
  const s = nodeCrypto.generateKeyPair();
  const u = nodeCrypto.generateKeyPair().publicKey.bytes;
  const before = process.cpuUsage();
  for (let i = 0; i < curveRounds; i++) {
    const e = nodeCrypto.generateKeyPair();
    const re = nodeCrypto.importPublicKey(u);
    if (!re) throw new Error('a generated key is canonical');
    for (const pair of [s, e, e]) nodeCrypto.dh(pair, re);
  }
  const { user, system } = process.cpuUsage(before);
  return curveRounds / ((user + system) / 1e6);
}

/** Sends `requests` to the port, `inFlight` at a time. */
type Ask = (port: number, requests: number) => Promise<void>;

async function measure(mode: string, requests: number, ask: Ask): Promise<number> {
  const server = await startServer(mode);
  try {
    await ask(server.port, warmUpRequests);
    const beforeMs = await server.cpuMs();
    await ask(server.port, requests);
    return requests / (((await server.cpuMs()) - beforeMs) / 1000);
  } finally {
    await server.stop();
  }
}

async function startServer(mode: string): Promise<{
  port: number;
  cpuMs: () => Promise<number>;
  stop: () => Promise<void>;
}> {
  const file = path.join(import.meta.dirname, 'rpc-server.ts');
  const flags = process.env['BENCH_SERVER_FLAGS']?.split(' ') ?? [];
  const child: ChildProcess = spawn(process.execPath, [...flags, file, mode, String(replyBytes)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('the server has no pipes');
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const number = async (): Promise<number> => Number((await lines.next()).value);
  return {
    port: await number(),
    async cpuMs() {
      stdin.write('\n');
      return number();
    },
    async stop() {
      const exited = once(child, 'exit');
      stdin.end();
      await exited;
    },
  };
}

async function askSealed(port: number, requests: number): Promise<void> {
  const contact = serverAt(port);
  const client = await startAsker();
  let left = requests;
  const worker = async (): Promise<void> => {
    while (left-- > 0) {
      await client.call(contact, { method: 'find', target: new Uint8Array(32) });
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  await client.stop();
}

async function askEcho(port: number, requests: number): Promise<void> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const request = new Uint8Array(requestBytes);
  const { promise, resolve } = Promise.withResolvers<void>();
  let sent = 0;
  let answered = 0;
  const send = (): void => {
    sent += 1;
    socket.send(request, port, '127.0.0.1');
  };
  socket.on('message', () => {
    answered += 1;
    if (answered >= requests) resolve();
    else if (sent < requests) send();
  });
  for (let i = 0; i < inFlight; i++) send();
  await promise;
  socket.close();
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
}
