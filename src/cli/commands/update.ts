/** `altnet update`: points a name that is yours to a new root. */
import { requireName, requireRoot } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { nameLines } from '../names.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<name>', 'with or without .alt')
      .argument('<root>', 'a CID or 64 hex digits, as publish prints it');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const [name, root] = [operand(input, 0), operand(input, 1)];
  requireName(name);
  requireRoot(root);
  const services = await context.services();
  const onProgress = terminal.progress(`updating ${name}`);
  const result = await services.update({ name, root }, { signal, onProgress });
  terminal.result(result, nameLines('updated', result));
}
