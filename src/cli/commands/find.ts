/** `altnet find`: the nodes of the network that are closest to an ID. */
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { formatTable } from '../format.ts';
import { parseHex } from '../../base/bytes.ts';
import { usageError } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command.argument('<id>', 'a node ID or any key, 64 hex digits');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const id = operand(input, 0);
  if (!parseHex(id, 32)) throw usageError(`"${id}" is not an ID; write 64 hex digits`);
  const services = await context.services();
  terminal.status('looking for the closest nodes ...');
  const nodes = await services.find(id, { signal });
  const rows = nodes.map(({ id: node, address }) => [address, node]);
  const none = ['no node found; join a network with: altnet bootstrap host:port'];
  terminal.list(nodes, nodes.length === 0 ? none : formatTable(['ADDRESS', 'NODE'], rows));
}
