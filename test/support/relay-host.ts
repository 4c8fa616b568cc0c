/** Nodes of `relay-child.ts` on hosts of their own. Root only. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import type { PeerLine, StatsResult } from '../../src/api/ports-network.ts';
import type { RelaysResult } from '../../src/api/ports-relays.ts';
import { atEnd, temporaryFolder } from './cleanup.ts';
import { sourcesEnv } from './compile-cache.ts';

const child = path.join(import.meta.dirname, 'relay-child.ts');

export type Errand =
  | { readonly do: 'publish'; readonly path: string }
  | { readonly do: 'fetch'; readonly what: string; readonly dest: string }
  | { readonly do: 'relays' | 'peers' | 'stats' };

export interface RelayNode {
  publish(folder: string): Promise<{ readonly root: string }>;
  /** Rejects when it cannot be had. */
  fetch(root: string): Promise<void>;
  relays(): Promise<RelaysResult>;
  peers(): Promise<PeerLine[]>;
  stats(): Promise<StatsResult>;
  /** In order. */
  stop(): Promise<void>;
}

/** Resolves when it has joined. Ends with the test. */
export async function startRelayNode(
  t: TestContext,
  host: string,
  args: readonly string[],
): Promise<RelayNode> {
  const folder = temporaryFolder(t);
  const words = ['netns', 'exec', host, process.execPath, child, folder, ...args];
  const node = spawn('ip', words, { env: sourcesEnv, stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = once(node, 'exit');
  const kill = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (node.exitCode === null && node.signalCode === null) node.kill(signal);
    await gone;
  };
  atEnd(t, () => kill('SIGKILL'));
  const lines = createInterface({ input: node.stdout })[Symbol.asyncIterator]();
  await lines.next();
  let turn: Promise<unknown> = Promise.resolve();
  const ask = <T>(errand: Errand): Promise<T> => {
    const answer = turn.then(async () => {
      node.stdin.write(`${JSON.stringify(errand)}\n`);
      const said: unknown = JSON.parse(String((await lines.next()).value));
      if (typeof said === 'object' && said !== null && 'error' in said) {
        throw new Error(String(said.error));
      }
      return said as T;
    });
    turn = answer.catch(() => undefined);
    return answer;
  };
  let fetches = 0;
  return {
    publish: (from) => ask({ do: 'publish', path: from }),
    async fetch(what) {
      const dest = path.join(folder, `fetched-${++fetches}`);
      await ask({ do: 'fetch', what, dest });
    },
    relays: () => ask({ do: 'relays' }),
    peers: () => ask({ do: 'peers' }),
    stats: () => ask({ do: 'stats' }),
    stop: () => kill('SIGTERM'),
  };
}
