/** `altnet transfer`: offers a name to another author, and says how that one takes it. */
import { parseAuthor, requireName } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, formatFields, formatMoment, sanitize } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<name>', 'a name of yours, with or without .alt')
      .argument(
        '<author>',
        "the other author's key name, as their altnet key show prints it; the public key does too",
      )
      .addHelpText(
        'after',
        '\nThe name is theirs when they register it; until then it works as before. Names below it do not go\nalong. An offer cannot be taken back.',
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const [name, author] = [operand(input, 0), operand(input, 1)];
  requireName(name);
  parseAuthor(author);
  const services = await context.services();
  const onProgress = terminal.progress(`offering ${name}`);
  const result = await services.transfer({ name, author }, { signal, onProgress });
  const { to, toAuthor, until, version, stored } = result;
  const shown = sanitize(result.name);
  terminal.result(result, [
    `offered ${shown} to another author, stored on ${countOf(stored, 'node')}`,
    ...formatFields([
      ['to author ID', toAuthor],
      ['public key', to],
      ['until', formatMoment(until)],
      ['version', version],
    ]),
    'Compare: their altnet key show must print this author ID.',
    `To take it, that author runs: altnet register ${shown} ROOT`,
    'Until then the name works as before. The offer cannot be taken back.',
  ]);
}
