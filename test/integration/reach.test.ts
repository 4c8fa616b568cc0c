/**
 * Nodes on hosts with public addresses find out by themselves whether others reach them. Root only:
 * on loopback everybody reaches everybody, so nothing is tested there.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';

const child = path.join(import.meta.dirname, '../support/mode-child.ts');
const patienceMs = 50_000;

interface Said {
  readonly mode: 'server' | 'client';
  readonly reason?: string;
  readonly address?: string;
  readonly table: number;
}

interface Watched {
  /** Resolves with the first line from now on that fits; rejects when none comes in time. */
  until(fits: (said: Said) => boolean): Promise<Said>;
}

function start(t: TestContext, host: string, ...args: string[]): Watched {
  const words = ['netns', 'exec', host, process.execPath, child, temporaryFolder(t), ...args];
  const node = spawn('ip', words, { stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(t, () => end(node));
  const lines = createInterface({ input: node.stdout });
  return {
    until(fits) {
      const { promise, resolve, reject } = Promise.withResolvers<Said>();
      let last = 'nothing';
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

test(
  'an open node becomes a server, one behind a NAT stays a client',
  {
    skip: namespacesMissing(),
  },
  async (t) => {
    const hosts = new Hosts(t);
    const seed = '45.71.0.1:9000';
    const first = start(t, hosts.public('45.71.0.1'), seed, 'public');
    await first.until(({ mode }) => mode === 'server');
    for (const ip of ['45.72.0.1', '45.73.0.1', '45.74.0.1']) {
      start(t, hosts.public(ip), `${ip}:9000`, 'public', seed);
    }
    const open = start(t, hosts.public('45.75.0.1'), '0.0.0.0:9000', 'earned', seed);
    const behind = start(t, hosts.behindNat('45.76.0.1'), '0.0.0.0:9000', 'earned', seed);
    const [served, client] = await Promise.all([
      open.until(({ mode }) => mode === 'server'),
      behind.until(({ reason = '' }) => reason.includes('NAT or firewall')),
    ]);
    assert.equal(served.address, '45.75.0.1:9000');
    assert.equal(client.mode, 'client');
    assert.equal(client.address, '45.76.0.1:9000');
    const { table } = await first.until((said) => said.table >= 4);
    assert.equal(table, 4, 'servers are listed, the client is not');
  },
);
