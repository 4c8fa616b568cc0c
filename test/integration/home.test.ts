/**
 * What people at home see: a site published behind one router opens behind another one, also within
 * 15 s of a relay's death and when one falls silent, and two nodes started in one local network with
 * no settings find each other. The programs are those that users run. Root only.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';
import {
  altnet,
  altnetLines,
  type ClusterNode,
  eventually,
  startNode,
  tryAltnet,
} from '../support/cluster.ts';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';
import { programMissing } from '../support/programs.ts';

const relayIps = ['45.71.0.1', '45.72.0.1', '45.73.0.1'] as const;
const seed = `${relayIps[0]}:9000`;
/**
 * Names take less work here than in the network of all, and there are no copies: what is read comes
 * from who published it.
 */
const quick: readonly string[] = ['--network=local', '--no-guide', '--replicas=0'];
/** Of a relay's death nobody is to notice more than that. */
const takeoverMs = 15_000;

function onHost(t: TestContext, host: string, ...options: readonly string[]): Promise<ClusterNode> {
  const within = ['ip', 'netns', 'exec', host];
  return startNode(t, { name: host, within, isPlain: true, options });
}

/** A folder with one page that says whose it is. */
function site(t: TestContext, name: string): string {
  const folder = path.join(temporaryFolder(t), 'site');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'index.html'), `<p>This is ${name}.</p>`.repeat(5000));
  return folder;
}

/** What somebody at this node's machine sees who opens the address. */
function visit({ within }: ClusterNode, host: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const url = `http://${host}.localhost:8080/`;
  const [program, ...words] = [...within, 'curl', '-sS', '--max-time', '30', url];
  assert.ok(program !== undefined);
  execFile(program, words, (_error, stdout, stderr) => resolve(stdout + stderr));
  return promise;
}

/** How long it took until the site opened, in milliseconds. */
async function opens(node: ClusterNode, host: string, name = host): Promise<number> {
  const begunMs = performance.now();
  await eventually(`${name} opens`, async () => {
    return (await visit(node, host)).includes(`This is ${name}.`);
  });
  return Math.round(performance.now() - begunMs);
}

const missing = namespacesMissing() || programMissing('curl');

test(
  'behind two routers a site opens, whatever becomes of a relay',
  { skip: missing },
  async (t) => {
    const hosts = new Hosts(t);
    const relays = new Map<string, { readonly host: string; readonly node: ClusterNode }>();
    for (const ip of relayIps) {
      const at = `${ip}:9000`;
      const join = at === seed ? [] : [`--bootstrap=${seed}`];
      const words = [`--listen=${at}`, '--public', `--relay-listen=${at}`, ...join];
      const host = hosts.public(ip);
      relays.set(at, { host, node: await onHost(t, host, ...quick, ...words) });
    }
    const homes = ['45.76.0.1', '45.77.0.1'].map((ip) =>
      hosts.behindNat(ip, { kind: 'symmetric' }),
    );
    const [publisher, reader] = await Promise.all(
      homes.map((home) => onHost(t, home, ...quick, `--bootstrap=${seed}`)),
    );
    assert.ok(publisher && reader);
    const used = async (): Promise<string[]> => {
      const { used: relaysUsed } = await altnet(publisher, 'relays');
      return (relaysUsed as readonly { readonly address: string }[]).map(({ address }) => address);
    };
    const hasTwo = async (): Promise<boolean> => (await used()).length === 2;
    await eventually('the publisher has places at two relays', hasTwo);
    await eventually('a name leads to the first site', async () => {
      const words = ['publish', site(t, 'one'), '--name', 'one'];
      return (await tryAltnet(publisher, ...words)).code === 0;
    });
    const published = await Promise.all(
      ['two', 'three'].map((name) => altnet(publisher, 'publish', site(t, name))),
    );
    const [two, three] = published.map(({ cid }) => String(cid));
    assert.ok(two !== undefined && three !== undefined);
    await opens(reader, 'one');
    const [first = '', second = ''] = await used();
    await relays.get(first)?.node.end('SIGKILL');
    const deathMs = await opens(reader, two, 'two');
    t.diagnostic(`after a relay died a site opened in ${deathMs} ms`);
    assert.ok(deathMs < takeoverMs, `after a relay died it opened only in ${deathMs} ms`);
    await eventually('another relay takes its place', hasTwo);
    hosts.silence(relays.get(second)?.host ?? '');
    // Silence is told from a slow answer by waiting.
    const silenceMs = await opens(reader, three, 'three');
    t.diagnostic(`after a relay fell silent a site opened in ${silenceMs} ms`);
    assert.ok(
      silenceMs < takeoverMs,
      `after a relay fell silent it opened only in ${silenceMs} ms`,
    );
  },
);

test('who finds a neighbour with no flags finds the Internet', { skip: missing }, async (t) => {
  const hosts = new Hosts(t);
  const router = hosts.router('45.82.0.1');
  const far = '45.83.0.1:9000';
  await onHost(t, hosts.public('45.83.0.1'), '--public', '--no-guide');
  const [publisher, reader] = await Promise.all([
    onHost(t, hosts.behind(router), `--bootstrap=${far}`),
    onHost(t, hosts.behind(router)),
  ]);
  assert.ok(publisher && reader);
  const { cid } = await altnet(publisher, 'publish', site(t, 'a neighbour'));
  await opens(reader, String(cid), 'a neighbour');
  // Through its neighbour it learns who else is there.
  await eventually('the reader knows the Internet', async () => {
    return (await altnetLines(reader, 'peers')).some(({ address }) => address === far);
  });
});
