/**
 * A network of hosts with public addresses that is cut in two, and one of them whose cable is
 * pulled: each part goes on, and all is one again soon after it can be. Root only, as `reach.test.ts`.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { type HostedNode, startOnHost } from '../support/mode-host.ts';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';

const patienceMs = 100_000;

test(
  'halves of a network, and one alone, find together',
  { skip: namespacesMissing() },
  async (t) => {
    const hosts = new Hosts(t);
    const names: string[] = [];
    const nodes: HostedNode[] = [];
    const seed = '45.71.0.1:9000';
    for (let i = 1; i <= 6; i++) {
      const ip = `45.${70 + i}.0.1`;
      const name = hosts.public(ip);
      names.push(name);
      const args = [`${ip}:9000`, 'public', ...(i === 1 ? [] : [seed])];
      nodes.push(startOnHost(t, { host: name, args, patienceMs }));
      if (i === 1) await nodes[0]?.until(({ table }) => table === 0);
    }
    const everybodyLists = (count: number): Promise<unknown> =>
      Promise.all(nodes.map((node) => node.until(({ table }) => table === count)));
    await everybodyLists(5);

    hosts.separate(names.slice(3));
    await everybodyLists(2);
    hosts.reunite();
    await everybodyLists(5);

    // The interface goes and comes, and with it the routes: as a cable that was pulled.
    const [alone] = names.slice(-1);
    assert.ok(alone);
    const link = (...words: string[]): void => {
      execFileSync('ip', ['-n', alone, ...words]);
    };
    link('link', 'set', 'wan', 'down');
    await nodes.at(-1)?.until(({ table }) => table === 0);
    link('link', 'set', 'wan', 'up');
    link('route', 'add', 'default', 'dev', 'wan');
    await everybodyLists(5);
  },
);
