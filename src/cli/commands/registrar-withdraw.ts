/** `altnet registrar withdraw`: takes a name of this node's zone away from whoever holds it. */
import { requireName } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, sanitize } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<name>', 'a name that you have certified')
      .addHelpText(
        'after',
        [
          '',
          'It stops resolving wherever you are trusted, within minutes. Run this node at least once in',
          'two months for as long as certificates of the name could last: it says so again.',
        ].join('\n'),
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const name = operand(input, 0);
  requireName(name);
  const services = await context.services();
  const result = await services.withdraw({ name }, { signal });
  terminal.result(result, [
    `withdrew ${sanitize(result.name)}, stored on ${countOf(result.stored, 'node')}`,
    'it stops resolving within minutes, wherever you are trusted',
  ]);
}
