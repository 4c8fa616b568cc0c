/** `altnet release`: gives a name up, or removes a name below one. */
import { requireName } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, formatMoment, sanitize } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<name>', 'a name of yours, with or without .alt, or a name below one')
      .addHelpText(
        'after',
        '\nOthers can take it after a week, or at once while it is new; you can take it again at any time.',
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const name = operand(input, 0);
  requireName(name);
  const services = await context.services();
  const onProgress = terminal.progress(`releasing ${name}`);
  const result = await services.release({ name }, { signal, onProgress });
  const { freeAt, stored } = result;
  const done = `released ${sanitize(result.name)}, stored on ${countOf(stored, 'node')}`;
  const free =
    freeAt === undefined
      ? []
      : [`others can take it from ${formatMoment(freeAt)} on; at once if it was still new`];
  terminal.result(result, [done, ...free]);
}
