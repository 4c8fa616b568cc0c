/** `altnet link put`: announces an alternative for a URL, signed with the author key. */
import { parseHex } from '../../base/bytes.ts';
import { requireLink } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, formatFields, sanitize } from '../format.ts';
import { parseMoment, textOption, usageError } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'any',
  describe(command) {
    command
      .argument('<url>', 'the URL that is dead or may die, http or https')
      .argument('<target>', 'where the same content is: https, magnet, ipfs, .alt, any scheme')
      .option('--sha256 <hex>', "the content's SHA-256, 64 hex digits")
      .option('--captured <time>', 'when the copy was made: 2014-03-01, or Unix seconds')
      .option('--type <type>', 'media type, such as text/html')
      .option('--note <text>', 'a remark of at most 140 bytes');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const captured = textOption(input.options, 'captured');
  const link = {
    url: operand(input, 0),
    target: operand(input, 1),
    sha256: parseDigest(textOption(input.options, 'sha256')),
    captured: captured === undefined ? undefined : parseMoment('--captured', captured),
    type: textOption(input.options, 'type'),
    note: textOption(input.options, 'note'),
  };
  requireLink(link);
  const services = await context.services();
  const onProgress = terminal.progress('storing the link');
  const result = await services.putLink(link, { signal, onProgress });
  terminal.result(result, [
    `stored on ${countOf(result.stored, 'node')} in ${result.seconds.toFixed(2)} s`,
    ...formatFields([
      ['for', result.canonical],
      ['target', sanitize(result.target)],
      ['signed by', result.publisher],
    ]),
  ]);
}

function parseDigest(text: string | undefined): string | undefined {
  if (text === undefined || parseHex(text, 32)) return text?.toLowerCase();
  throw usageError(`--sha256: "${text}" is not 64 hex digits`);
}
