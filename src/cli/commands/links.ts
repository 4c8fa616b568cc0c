/** `altnet links`: the alternatives that this node's author announced and keeps alive. */
import type { CommandContext, CommandDefinition } from '../command.ts';
import { formatMoment, formatTable } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe: () => undefined,
  run,
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const links = await (await services()).links();
  const rows = links.map(({ url, target, expires }) => [formatMoment(expires), url, target]);
  const none = ['you announced no alternative; do it with: altnet link put URL TARGET'];
  const table = formatTable(['EXPIRES', 'URL', 'TARGET'], rows);
  terminal.list(links, links.length === 0 ? none : table);
}
