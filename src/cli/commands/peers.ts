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
    address,
    id,
  ]);
  const none = ['no peer yet; join a network with: altnet bootstrap host:port'];
  const table = formatTable(['VIA', 'RTT', 'SEEN', 'ADDRESS', 'NODE'], rows);
  terminal.list(peers, peers.length === 0 ? none : table);
}
