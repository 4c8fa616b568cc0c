/** Whether the node knows others. */
import { countOf } from '../format.ts';
import { type Check, type CheckContext, fail, type Finding, ok, skipped, warn } from './finding.ts';

export const peers: Check = {
  name: 'peers',
  async run({ node, bootstraps }) {
    const addresses = await bootstraps().catch(() => undefined);
    return [judgePeers(node, addresses?.length !== 0)];
  },
};

/** The first node of a network, which was given nobody to join at, may be alone. */
function judgePeers(node: CheckContext['node'], hasAddresses: boolean): Finding {
  switch (node.state) {
    case 'none':
      return skipped('no node runs on this data folder; start one with: altnet start');
    case 'silent':
      return fail(
        `a node runs here${node.pid === undefined ? '' : ` (process ${node.pid})`} and takes no commands: ${node.why}`,
        'wait until it has started; else end it and start it anew, without --no-registrar',
      );
    case 'running':
      break;
  }
  const { table, peers: connections } = node.stats;
  const found = `${countOf(table, 'node')} in the table, ${countOf(connections, 'open connection')}`;
  if (table > 0) return ok(found);
  const advice = 'join the network through a node that you know, with: altnet bootstrap host:port';
  return hasAddresses ? fail(found, advice) : warn(found, advice);
}
