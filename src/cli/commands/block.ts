/** `altnet block`: what this node is to refuse from now on. */
import { requireEntry } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, sanitize } from '../format.ts';
import { textOption } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<root|name|url>', 'a CID, 64 hex digits, a name, or an http or https URL')
      .option('--note <text>', 'why, for people; kept with the line')
      .addHelpText(
        'after',
        [
          '',
          'Writes a line to blocklist.txt in the data folder. The node neither keeps, serves,',
          'announces, resolves nor shows it any more; what it holds of a root goes from the disk.',
          'A path below a root is written as a line: /ipfs/CID/path, or /ipfs/CID/path* with what',
          'begins like it. The file may be edited by hand; the node follows it.',
        ].join('\n'),
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal } = context;
  const what = operand(input, 0);
  requireEntry(what);
  const services = await context.services();
  const result = await services.block({ what, note: textOption(input.options, 'note') });
  const { entry, changed, chunk_count: blocks } = result;
  const gone = blocks > 0 ? `; ${countOf(blocks, 'block')} went from the disk` : '';
  const did = changed
    ? `blocked ${sanitize(entry)}${gone}`
    : `${sanitize(entry)} was blocked already`;
  terminal.result(result, [did]);
}
