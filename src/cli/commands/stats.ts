/** `altnet stats`: the running node in numbers, or the visits of a site. */
import { requireName } from '../../node/words.ts';
import type { CommandContext, CommandDefinition, CommandInput } from '../command.ts';
import { modeFields } from '../mode-fields.ts';
import type { StatsResult } from '../../api/ports-network.ts';
import { formatBytes } from '../../base/byte-count.ts';
import { countOf, formatFields, formatMoment, formatSeconds } from '../format.ts';
import { siteStatsLines } from './site-stats.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('[name]', 'how often this site was opened through the gateway of the node')
      .addHelpText('after', '\nThe node keeps no address of a visitor.');
  },
  run,
};

async function run(context: CommandContext, { operands }: CommandInput): Promise<void> {
  const { terminal, services } = context;
  const [name] = operands;
  if (name !== undefined) {
    requireName(name);
    const visits = await (await services()).siteStats(name);
    terminal.result(visits, siteStatsLines(visits));
    return;
  }
  const stats = await (await services()).stats();
  terminal.result(
    stats,
    formatFields([
      ['node ID', stats.node],
      ['author ID', stats.author],
      ['listen', stats.listen],
      ...modeFields(stats),
      ['relays', stats.relays.length > 0 ? stats.relays.join(', ') : undefined],
      ['relay', relayLine(stats)],
      ['uptime', formatSeconds(stats.uptime)],
      ['peers', countOf(stats.peers, 'open connection')],
      ['table', countOf(stats.table, 'node')],
      ['records', stats.records],
      ['blocks', stats.blocks],
      ['store', storeLine(stats)],
      ['sites', sitesLine(stats)],
      ['copies', copiesLine(stats)],
      ['revokers', revokersLine(stats)],
      ['certificates', certificatesLine(stats)],
    ]),
  );
}

function relayLine({ relayedNodes }: StatsResult): string | undefined {
  if (relayedNodes === undefined) return undefined;
  return `${countOf(relayedNodes, 'node')} reached through this one`;
}

/** "512 MB of 1.1 GB (48 %)": what the blocks cost on the disk, of the budget. */
function storeLine({ bytes, budget }: StatsResult): string {
  const percent = budget > 0 ? ` (${Math.round((100 * bytes) / budget)} %)` : '';
  return `${formatBytes(bytes)} of ${formatBytes(budget)}${percent}`;
}

function sitesLine({ own, copies, visited }: StatsResult): string {
  return `${own} own, ${countOf(copies, 'copy', 'copies')} for others, ${visited} visited`;
}

/** "2 trusted; 1 stale since 2026-11-20 14:05 UTC; 1 contradicts itself" */
function revokersLine(stats: StatsResult): string | undefined {
  const { revokers, staleRevokers: stale, revocationsStaleSince: since } = stats;
  const { contradictoryRevokers: contradictory } = stats;
  if (revokers === 0) return undefined;
  const words = [
    `${revokers} followed`,
    ...(since === undefined ? [] : [`${stale} stale since ${formatMoment(since)}`]),
    ...(contradictory > 0 ? [`${contradictory} contradicting themselves`] : []),
  ];
  return words.join('; ');
}

function certificatesLine({ certificatesEnding: ending = 0 }: StatsResult): string | undefined {
  return ending === 0 ? undefined : `${ending} of your names ending soon; see: altnet names`;
}

/** "enough of all your own, 2026-11-20 14:05 UTC", or "too few of 2 of your own, …". */
function copiesLine({ own, fewCopies, looked }: StatsResult): string | undefined {
  if (own === 0) return undefined;
  if (looked === undefined) return 'of your own: not looked at yet';
  const what = fewCopies === 0 ? 'enough of all your own' : `too few of ${fewCopies} of your own`;
  return `${what}, ${formatMoment(looked)}`;
}
