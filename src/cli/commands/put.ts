/** `altnet put`: stores a small value under its SHA-256. */
import { utf8 } from '../../base/bytes.ts';
import { AltNetError } from '../../base/errors.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, formatFields } from '../format.ts';
import { readInput } from '../input.ts';

/** As the node's limit; checked here so that no pipe is read further than that. */
const valueBytesMax = 64 * 1024;

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command.argument('<text|->', 'the value, at most 64 KiB; - reads it from standard input');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const text = operand(input, 0);
  const value = text === '-' ? await readInput(context, valueBytesMax) : utf8(text);
  if (value.length > valueBytesMax) {
    throw new AltNetError('VALUE_TOO_BIG', { bytes: value.length, bytesMax: valueBytesMax });
  }
  const services = await context.services();
  terminal.status('storing ...');
  const result = await services.putValue(value, { signal });
  const { key, stored } = result;
  terminal.result(result, [
    `stored on ${countOf(stored, 'node')}`,
    ...formatFields([['key', key]]),
  ]);
}
