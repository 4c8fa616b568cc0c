/** Whether others reach the node, and if not, why. */
import { type Check, type CheckContext, type Finding, ok, skipped, warn } from './finding.ts';

export const reachability: Check = {
  name: 'reachability',
  run: async ({ node }) => [judgeReach(node)],
};

/** As good as being a server, for what a client publishes. */
const waysIn: Readonly<Record<string, string>> = {
  public: 'by TCP',
  mapped: 'as your router lets them in',
  punchable: 'through a relay, and directly where their router allows it',
  relayed: 'through a relay',
};

function judgeReach(node: CheckContext['node']): Finding {
  if (node.state !== 'running') return skipped('only a running node can tell');
  const { mode, reason, address, listen, reachability: reached = 'unknown' } = node.stats;
  if (mode === 'server') return ok(address === undefined ? 'server' : `server; seen at ${address}`);
  const seen = address === undefined ? 'others do not agree on its address' : `seen at ${address}`;
  const ways = waysIn[reached];
  if (ways !== undefined) return ok(`client, which others reach ${ways}; ${seen}`);
  const port = listen.slice(listen.lastIndexOf(':') + 1);
  return warn(
    `client, as ${reason ?? 'nobody has reached it yet'}; ${seen}`,
    `let UDP and TCP port ${port} through your router and firewall, or start with --public where it is open; until others reach it, by that or through a relay, they have what it publishes from copies alone`,
  );
}
