/** Nodes of `mode-child.ts` on hosts of their own, and what they say of themselves. Root only. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import { atEnd, temporaryFolder } from './cleanup.ts';
import { sourcesEnv } from './compile-cache.ts';

const child = path.join(import.meta.dirname, 'mode-child.ts');

/** A line of `mode-child.ts`. */
export interface Said {
  readonly mode: 'server' | 'client';
  readonly reason?: string;
  readonly address?: string;
  /** How many nodes it lists. */
  readonly table: number;
}

export interface HostedNode {
  /** Resolves with the first line from now on that fits; rejects when none comes in time. */
  until(fits: (said: Said) => boolean): Promise<Said>;
}

export interface HostedNodeOptions {
  /** Name of one of the test's `Hosts`. */
  readonly host: string;
  /** LISTEN ROLE [BOOTSTRAP], as `mode-child.ts` has them. */
  readonly args: readonly string[];
  readonly patienceMs: number;
}

/** Ends with the test. */
export function startOnHost(
  t: TestContext,
  { host, args, patienceMs }: HostedNodeOptions,
): HostedNode {
  const words = ['netns', 'exec', host, process.execPath, child, temporaryFolder(t), ...args];
  const node = spawn('ip', words, { env: sourcesEnv, stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(t, () => end(node));
  const lines = createInterface({ input: node.stdout });
  return {
    until(fits) {
      let last = 'nothing';
      const { promise, resolve, reject } = Promise.withResolvers<Said>();
      const timer = setTimeout(() => reject(new Error(`${host} said last: ${last}`)), patienceMs);
      const hear = (line: string): void => {
        last = line;
        const said = JSON.parse(line) as Said;
        if (fits(said)) resolve(said);
      };
      lines.on('line', hear);
      return promise.finally(() => {
        clearTimeout(timer);
        lines.off('line', hear);
      });
    },
  };
}

async function end(node: ChildProcess): Promise<void> {
  if (node.exitCode !== null || node.signalCode !== null) return;
  const ended = once(node, 'exit');
  node.kill('SIGTERM');
  const timer = setTimeout(() => node.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(timer);
}
