/** `altnet bootstrap`: joins the running node to the network through a node at an address. */
import { parseBootstrapAddress } from '../../node/bootstrap.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, formatFields } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command.argument('<addr>', 'host:port, or host:port#<node ID> to insist on one node');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const { text } = parseBootstrapAddress(operand(input, 0));
  const services = await context.services();
  terminal.status('joining ...');
  const result = await services.bootstrap(text, { signal });
  terminal.result(result, [
    `joined; this node now knows ${countOf(result.table, 'node')}`,
    ...formatFields([
      ['address', result.address],
      ['node', result.id],
    ]),
  ]);
}
