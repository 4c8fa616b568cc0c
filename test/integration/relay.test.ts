/**
 * A site whose publisher is behind one NAT is read behind another one, and goes on being read when
 * relays end with and without a word. Both NATs give each connection another port, so that no way
 * leads around the relays. Root only.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';
import { eventually } from '../support/cluster.ts';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';
import { type RelayNode, startRelayNode } from '../support/relay-host.ts';

const relayIps = ['45.71.0.1', '45.72.0.1', '45.73.0.1'] as const;

test(
  'behind two NATs: a site opens, also when a relay dies or falls silent',
  {
    skip: namespacesMissing(),
  },
  async (t) => {
    const hosts = new Hosts(t);
    const seed = `${relayIps[0]}:9000`;
    const relays = new Map<string, RelayNode>();
    for (const ip of relayIps) {
      const join = ip === relayIps[0] ? [] : [seed];
      const args = [`${ip}:9000`, 'relay', ...join];
      relays.set(`${ip}:9000`, await startRelayNode(t, hosts.public(ip), args));
    }
    const [publisher, reader] = await Promise.all(
      ['45.76.0.1', '45.77.0.1'].map((nat) =>
        startRelayNode(t, hosts.behindNat(nat, { kind: 'symmetric' }), [
          '0.0.0.0:9000',
          'hidden',
          seed,
        ]),
      ),
    );
    assert.ok(publisher && reader);
    const hasTwo = async (): Promise<boolean> => (await used(publisher)).length === 2;
    await eventually('the publisher has places at two relays', hasTwo);
    const roots = await Promise.all(
      ['one', 'two', 'three'].map((text) => site(t, publisher, text)),
    );

    await opens(reader, roots[0]);
    const [first = ''] = await used(publisher);
    await relays.get(first)?.kill();
    t.diagnostic(`after a kill: ${await opens(reader, roots[1])} ms`);

    await eventually('another relay takes its place', hasTwo);
    const [second = ''] = await used(publisher);
    relays.get(second)?.silence();
    t.diagnostic(`after silence: ${await opens(reader, roots[2])} ms`);
  },
);

async function used(node: RelayNode): Promise<string[]> {
  return (await node.relays()).used.map(({ address }) => address);
}

async function site(t: TestContext, publisher: RelayNode, text: string): Promise<string> {
  const folder = path.join(temporaryFolder(t), 'site');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'index.html'), `<p>${text}</p>`.repeat(10_000));
  return (await publisher.publish(folder)).root;
}

/** How long it took, in milliseconds. */
async function opens(reader: RelayNode, root: string | undefined): Promise<number> {
  assert.ok(root);
  const begunMs = performance.now();
  await eventually('the site opens', async () => {
    try {
      await reader.fetch(root);
      return true;
    } catch {
      return false;
    }
  });
  return Math.round(performance.now() - begunMs);
}
