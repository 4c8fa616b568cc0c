/** `altnet unblock`: takes back what `altnet block` or a line of the list refuses. */
import { requireEntry } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { sanitize } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<root|name|url>', 'as it was blocked')
      .addHelpText(
        'after',
        [
          '',
          'Removes its lines from blocklist.txt. Where another line refuses it as well, such as one',
          'with a * or a hash of it, an exception is added at the end instead.',
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
  const result = await services.unblock({ what });
  const entry = sanitize(result.entry);
  terminal.result(result, [result.changed ? `unblocked ${entry}` : `${entry} was not blocked`]);
}
