/** `altnet peers`: the nodes that this one knows or is connected to. */
import type { CommandContext, CommandDefinition } from '../command.ts';
import { formatSeconds, formatTable } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe: () => undefined,
  run,
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const peers = await (await services()).peers();
  const rows = peers.map(({ id, address, via, rttMs, seenSeconds }) => [
    via,
    rttMs === undefined ? '-' : `${rttMs.toFixed(1)} ms`,
    seenSeconds === undefined ? '-' : formatSeconds(seenSeconds),
    formatWay(address),
    id,
  ]);
  const none = ['no peer yet; join a network with: altnet bootstrap host:port'];
  const table = formatTable(['VIA', 'RTT', 'SEEN', 'ADDRESS', 'NODE'], rows);
  terminal.list(peers, peers.length === 0 ? none : table);
}

/** "/ip4/45.0.0.1/tcp/9000/p2p/…/p2p-circuit/…": "45.0.0.1:9000 (relay)". Others as they are. */
function formatWay(address: string): string {
  const way = /^\/ip([46])\/([^/]+)\/tcp\/(\d+)(?=\/|$)/.exec(address);
  if (!way) return address;
  const [, family, host = '', port = ''] = way;
  const at = `${family === '6' ? `[${host}]` : host}:${port}`;
  return address.includes('/p2p-circuit') ? `${at} (relay)` : at;
}
