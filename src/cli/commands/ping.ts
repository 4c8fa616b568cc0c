/** `altnet ping`: whether one node, or every node of the table, answers. */
import { AltNetError } from '../../base/errors.ts';
import type { CommandContext, CommandDefinition, CommandInput } from '../command.ts';
import { formatTable } from '../format.ts';
import { usageError } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument(
        '[id]',
        'a node ID, 64 or the first 40 hex digits; all nodes of the table if absent',
      )
      .addHelpText('after', '\nFails when no node answers.');
  },
  run,
};

async function run(context: CommandContext, { operands }: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const [id] = operands;
  if (id !== undefined && !/^([0-9a-f]{40}|[0-9a-f]{64})$/i.test(id)) {
    throw usageError(`"${id}" is not a node ID; write all 64 hex digits, or the first 40`);
  }
  const services = await context.services();
  terminal.status('pinging ...');
  const answers = await services.ping(id, { signal });
  const rows = answers.map(({ id: node, address, ms, error }) => [
    ms === undefined ? '-' : `${ms.toFixed(1)} ms`,
    address,
    node,
    error ?? '',
  ]);
  terminal.list(
    answers,
    rows.length === 0 ? [] : formatTable(['RTT', 'ADDRESS', 'NODE', ''], rows),
  );
  if (answers.some(({ ms }) => ms !== undefined)) return;
  if (answers.length === 0) throw new AltNetError('NO_PEERS', { what: 'ping' });
  const why = answers[0]?.error ?? 'no answer';
  throw new AltNetError('UNREACHABLE', { what: id ?? 'every known node', why });
}
