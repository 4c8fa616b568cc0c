/** `altnet get`: reads a small value by its SHA-256. */
import { formatBytes } from '../../base/byte-count.ts';
import { parseHex, parseUtf8 } from '../../base/bytes.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { sanitizeLines } from '../format.ts';
import { usageError } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'any',
  describe(command) {
    command
      .argument('<key>', 'the 64 hex digits that put printed')
      .addHelpText('after', '\nPrints the bytes as they are; with --json as text or base64.');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const key = operand(input, 0).toLowerCase();
  if (!parseHex(key, 32)) throw usageError(`"${operand(input, 0)}" is no key; write 64 hex digits`);
  const services = await context.services();
  terminal.status('reading ...');
  const { value } = await services.getValue(key, { signal });
  const text = parseUtf8(value);
  if (terminal.json) {
    const fields =
      text === undefined
        ? { value: Buffer.from(value).toString('base64'), encoding: 'base64' }
        : { value: text };
    terminal.result({ key, ...fields }, []);
  } else if (!terminal.outputIsTerminal) {
    terminal.bytes(value);
  } else if (text === undefined) {
    terminal.note(`the value is ${formatBytes(value.length)} of binary; send it to a file with >`);
  } else {
    terminal.text(`${sanitizeLines(text).replace(/\n$/, '')}\n`);
  }
}
