/**
 * A node that listens on one public address and on nothing else tells others where it is. Root only:
 * such an address takes a host of its own.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';
import { guideFolder } from '../support/cluster.ts';
import { readFolder } from '../support/folders.ts';
import { Hosts, namespacesMissing } from '../support/namespaces.ts';
import { RunningNode } from '../torture/running.ts';

test(
  'a site on a public address is found and fetched',
  { skip: namespacesMissing() },
  async (t) => {
    const hosts = new Hosts(t);
    const start = async (address: string, bootstrap?: string): Promise<RunningNode> => {
      const [host, data] = [hosts.public(address), temporaryFolder(t)];
      const listen = `${address}:9000`;
      const options = ['--public', '--replicas', '0'];
      const node = RunningNode.start({ name: address, data, host, listen, bootstrap, options });
      atEnd(t, () => node.stop());
      await node.ready();
      return node;
    };
    const first = await start('45.71.0.1');
    const second = await start('45.72.0.1', (await first.ready()).listen);
    const { root, announced } = await (await second.asked()).publish({ path: guideFolder });
    assert.ok(announced > 0, 'somebody knows where it is');
    const dest = path.join(temporaryFolder(t), 'copy');
    const { peers } = await (await first.asked()).fetch({ what: root, dest });
    assert.equal(peers, 1);
    assert.deepEqual(readFolder(dest), readFolder(guideFolder));
  },
);
