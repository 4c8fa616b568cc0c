/**
 * The process around a program: its streams, its signals and its end. Everything below is given
 * these and never asks `process` itself, so that tests can run it without one.
 */
import process from 'node:process';
import type { OutputStream } from './tui.ts';

export interface Surroundings {
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: OutputStream & NodeJS.WritableStream;
  readonly stderr: OutputStream & NodeJS.WritableStream;
  readonly cwd: string;
  /** Aborts at the first SIGINT, SIGTERM or SIGHUP. A later one ends the process at once. */
  readonly signal: AbortSignal;
}

const signalNumbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;
/**
 * Signals this close together are one wish: at a Ctrl-C or when a window closes, the terminal sends
 * one, and npm and what started the program hand theirs on. A node needs up to a second to end: who
 * asks again meanwhile shall not have to wait for as long.
 */
const sameWishMs = 300;

/** Runs `program` and ends the process with the exit code that it resolves with. */
export async function runProcess(
  name: string,
  program: (surroundings: Surroundings) => Promise<number>,
): Promise<void> {
  const { stdin, stdout, stderr } = process;
  // A reader that has gone away (EPIPE) must not stop a node, and no command has to say so.
  for (const stream of [stdout, stderr]) stream.on('error', () => undefined);
  const stopping = new AbortController();
  let askedMs = 0;
  for (const [signal, number] of Object.entries(signalNumbers)) {
    process.on(signal, () => {
      const nowMs = performance.now();
      if (!stopping.signal.aborted) askedMs = nowMs;
      else if (nowMs - askedMs >= sameWishMs) process.exit(128 + number);
      stopping.abort();
    });
  }
  let code = 1;
  try {
    const { signal } = stopping;
    code = await program({ stdin, stdout, stderr, cwd: process.cwd(), signal });
  } catch (error) {
    // Programs report their failures themselves: what gets here is a fault of ours.
    stderr.write(`${name}: internal error: ${String(error)}; please report it\n`);
  }
  // Not only process.exitCode: a handle that somebody forgot must not keep a finished command.
  await Promise.all([stdout, stderr].map(flushed));
  process.exit(code);
}

/** Resolves when everything written so far is with the system, or can never be. */
function flushed(stream: NodeJS.WriteStream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (stream.destroyed || stream.writableEnded) resolve();
  else stream.write('', () => resolve());
  return promise;
}
