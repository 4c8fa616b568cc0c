/** `altnet relays`: through whom others reach this node, and what it does as a relay itself. */
import type { RelayLine, RelaysResult } from '../../api/ports-relays.ts';
import { formatBytes } from '../../base/byte-count.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { countOf, formatFields, formatMoment, formatTable } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe: () => undefined,
  run,
};

const states: Readonly<Record<RelaysResult['state'], string>> = {
  relay: 'this node is a relay',
  reachable: 'others reach this node through relays',
  searching: 'this node needs a relay and has found none yet; start --relay host:port names one',
  'not-needed': 'this node uses no relay',
};

const places: Readonly<Record<RelayLine['state'], string>> = {
  unproven: 'not tested yet',
  working: 'works',
  useless: 'passes nothing on',
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const relays = await (await services()).relays();
  const { state, used, served } = relays;
  const rows = used.map(({ id, address, since, state: place, connections, bytes }) => [
    address,
    formatMoment(since) ?? '-',
    places[place],
    countOf(connections, 'connection'),
    formatBytes(bytes),
    id,
  ]);
  const refused = Object.entries(served?.refused ?? {}).filter(([, count]) => count > 0);
  terminal.result(relays, [
    states[state],
    ...(rows.length > 0
      ? formatTable(['ADDRESS', 'SINCE', 'PLACE', 'NOW', 'CARRIED', 'NODE'], rows)
      : []),
    ...(served
      ? formatFields([
          ['places taken', served.reservations],
          ['connections', served.connections],
          ['carried', formatBytes(served.bytes)],
          ...refused.map(([why, count]) => [`refused: ${why}`, count] as const),
        ])
      : []),
  ]);
}
