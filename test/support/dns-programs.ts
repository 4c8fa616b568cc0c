/**
 * Other people's resolvers and clients as processes of a test: on free ports of loopback, with files
 * of their own, ended with the test. Nothing of this machine's own name service is touched.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { atEnd, type Ending } from './cleanup.ts';
import { encodeQuery } from './dns-messages.ts';
import { programMissing } from './programs.ts';

/**
 * In one line, which of these programs this machine lacks; false when it has all. None is started to
 * find out: what asks one for help is for another an order to serve.
 */
export function programsMissing(...programs: readonly string[]): string | false {
  const missing = programs.filter((program) => programMissing(program) !== false);
  return missing.length === 0 ? false : `it needs ${missing.join(' and ')}`;
}

const portTriesMax = 20;

/** Free for UDP and TCP, as far as one can tell without keeping it. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < portTriesMax; tries++) {
    const tcp = createServer().listen(0, '127.0.0.1');
    await once(tcp, 'listening');
    const { port } = tcp.address() as AddressInfo;
    const udp = createSocket('udp4');
    const bound = new Promise<boolean>((resolve) => {
      udp.once('error', () => resolve(false));
      udp.bind(port, '127.0.0.1', () => resolve(true));
    });
    const isFree = await bound;
    await Promise.all([
      new Promise((done) => tcp.close(done)),
      new Promise<void>((done) => udp.close(done)),
    ]);
    if (isFree) return port;
  }
  throw new Error('no port is free');
}

export interface StartedProgram {
  readonly port: number;
  readonly pid: number;
}

const startMs = 20_000;
const logCharsMax = 4000;

/** Starts a resolver that is told to listen on `port`; resolves when it answers there. */
export async function startResolver(
  t: Ending,
  [program, ...args]: readonly [string, ...string[]],
  { port, name }: { readonly port: number; readonly name: string },
): Promise<StartedProgram> {
  const child = spawn(program, args, {
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream
      .setEncoding('utf8')
      .on('data', (text: string) => (log = (log + text).slice(-logCharsMax)));
  }
  atEnd(t, () => endProgram(child));
  await once(child, 'spawn');
  const end = performance.now() + startMs;
  while (!(await answers(port, name))) {
    assert.ok(
      performance.now() < end && child.exitCode === null,
      `${program} did not start:\n${log}`,
    );
    await delay(50);
  }
  assert.ok(child.pid !== undefined);
  return { port, pid: child.pid };
}

async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Whether anything comes back; who does not listen yet is heard of by an error. */
async function answers(port: number, name: string): Promise<boolean> {
  const socket = createSocket('udp4');
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('error', () => resolve(false));
      socket.once('message', () => resolve(true));
      socket.connect(port, '127.0.0.1', () => socket.send(encodeQuery({ name })));
    });
  } finally {
    socket.close();
  }
}

/** dnsmasq with nothing of the system, and these options besides. */
export async function startDnsmasq(
  t: Ending,
  options: readonly string[],
  name: string,
  prefix: readonly string[] = [],
): Promise<StartedProgram> {
  const port = await freePort();
  const [first, ...rest] = [...prefix, 'dnsmasq'];
  assert.ok(first !== undefined);
  const own = ['--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--no-resolv'];
  const where = ['--no-hosts', '--bind-interfaces', '--listen-address=127.0.0.1', `--port=${port}`];
  return startResolver(t, [first, ...rest, ...own, ...where, ...options], { port, name });
}

/** What a client printed; it must end well. */
export async function outputOf(program: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: startMs }, (error, stdout, stderr) => {
      if (error)
        reject(new Error(`${program} ${args.join(' ')}: ${stdout}${stderr}`, { cause: error }));
      else resolve(stdout);
    });
  });
}
