/** `altnet stats`: the running node in numbers. */
import type { CommandContext, CommandDefinition } from '../command.ts';
import { modeFields } from '../mode-fields.ts';
import { countOf, formatBytes, formatFields, formatSeconds } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe: () => undefined,
  run,
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const stats = await (await services()).stats();
  terminal.result(
    stats,
    formatFields([
      ['node ID', stats.node],
      ['author ID', stats.author],
      ['listen', stats.listen],
      ...modeFields(stats),
      ['uptime', formatSeconds(stats.uptime)],
      ['peers', countOf(stats.peers, 'open connection')],
      ['table', countOf(stats.table, 'node')],
      ['records', stats.records],
      ['blocks', stats.blocks],
      ['store', `${formatBytes(stats.bytes)} of ${formatBytes(stats.budget)}`],
    ]),
  );
}
