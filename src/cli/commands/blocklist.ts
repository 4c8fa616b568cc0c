/** `altnet blocklist`: what this node refuses, and which lines of its list mean nothing. */
import type { BlocklistInfo } from '../../api/ports-trust.ts';
import type { CommandContext, CommandDefinition } from '../command.ts';
import { countOf, sanitize } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command.addHelpText(
      'after',
      '\nShows the first 10,000 lines of blocklist.txt in the data folder that are rules.',
    );
  },
  run,
};

async function run({ terminal, services }: CommandContext): Promise<void> {
  const content = await (await services()).blocklist();
  terminal.result(content, [...content.entries.map(sanitize), ...remarks(content)]);
}

function remarks(content: BlocklistInfo): string[] {
  const { file, entries, count, bad, bad_count: badCount, foreign_count: foreignCount } = content;
  const more = count > entries.length ? `, the first ${entries.length} of them shown` : '';
  const lines = [`${countOf(count, 'line')} in ${sanitize(file)}${more}`];
  if (foreignCount > 0)
    lines.push(`${countOf(foreignCount, 'line')} about what AltNet does not have`);
  if (badCount > 0) lines.push(`${countOf(badCount, 'line')} left aside:`);
  const shown = bad.map(({ line, why }) => `  line ${line}: ${sanitize(why)}`);
  return badCount > bad.length ? [...lines, ...shown, '  …'] : [...lines, ...shown];
}
