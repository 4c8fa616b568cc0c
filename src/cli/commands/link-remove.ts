/** `altnet link remove`: withdraws an alternative that this node's author announced. */
import { requireTarget, requireUrl } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command.argument('<url>', 'as it was announced').argument('<target>', 'as it was announced');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const link = { url: operand(input, 0), target: operand(input, 1) };
  requireUrl(link.url);
  requireTarget(link.target);
  const services = await context.services();
  terminal.status('withdrawing the link ...');
  const result = await services.removeLink(link, { signal });
  const seconds = result.seconds.toFixed(2);
  terminal.result(result, [`withdrawn on ${countOf(result.stored, 'node')} in ${seconds} s`]);
}
