/**
 * A network of hosts with public addresses that is cut in two, and one of them whose cable is
 * pulled: each part goes on, and all is one again soon after it can be. Root only, as `reach.test.ts`.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';

const child = path.join(import.meta.dirname, '../support/mode-child.ts');
const patienceMs = 100_000;

interface Watched {
  /** Resolves when its table has a size that fits; rejects when that takes too long. */
  lists(fits: (table: number) => boolean): Promise<void>;
}

function start(t: TestContext, host: string, ...args: string[]): Watched {
  const words = ['netns', 'exec', host, process.execPath, child, temporaryFolder(t), ...args];
  const node = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(t, () => end(node));
  const lines = createInterface({ input: node.stdout });
  return {
    async lists(fits) {
      let last = 'nothing';
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const timer = setTimeout(() => reject(new Error(`${host} said last: ${last}`)), patienceMs);
      const hear = (line: string): void => {
        last = line;
        if (fits((JSON.parse(line) as { table: number }).table)) resolve();
      };
      lines.on('line', hear);
      await promise.finally(() => {
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

/** The table of a node that knows all others. */
function all(table: number): boolean {
  return table === 5;
}

test(
  'halves of a network, and one alone, find together',
  { skip: namespacesMissing() },
  async (t) => {
    const hosts = new Hosts(t);
    const names: string[] = [];
    const nodes: Watched[] = [];
    const seed = '45.71.0.1:9000';
    for (let i = 1; i <= 6; i++) {
      const ip = `45.${70 + i}.0.1`;
      const name = hosts.public(ip);
      names.push(name);
      nodes.push(start(t, name, `${ip}:9000`, 'public', ...(i === 1 ? [] : [seed])));
      if (i === 1) await nodes[0]?.lists((table) => table === 0);
    }
    const everybody = (fits: (table: number) => boolean): Promise<unknown> =>
      Promise.all(nodes.map((node) => node.lists(fits)));
    await everybody(all);

    hosts.separate(names.slice(3));
    await everybody((table) => table === 2);
    hosts.reunite();
    await everybody(all);

    // The interface goes and comes, and with it the routes: as a cable that was pulled.
    const [alone] = names.slice(-1);
    assert.ok(alone);
    const link = (...words: string[]): void => {
      execFileSync('ip', ['-n', alone, ...words]);
    };
    link('link', 'set', 'wan', 'down');
    await nodes.at(-1)?.lists((table) => table === 0);
    link('link', 'set', 'wan', 'up');
    link('route', 'add', 'default', 'dev', 'wan');
    await everybody(all);
  },
);
