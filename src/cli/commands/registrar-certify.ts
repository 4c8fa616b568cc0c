/** `altnet registrar certify`: lets an author write a name of this node's zone. */
import type { CertificateInfo } from '../../api/ports-trust.ts';
import { certificateDaysMax, parseAuthor, requireName } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { formatFields, formatMoment, sanitize } from '../format.ts';
import { parseCount, textOption } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<name>', 'with or without .alt; of one label')
      .argument('<owner>', "the owner's author key name, as their altnet key show prints it")
      .option('--days <count>', `how long it holds, 365 if not said, at most ${certificateDaysMax}`)
      .addHelpText(
        'after',
        [
          '',
          'Prints one line of text to send to the owner. The name is theirs when they register it with',
          'that; it need not be kept secret. Certify it again to renew it, or to give it to another:',
          'the latest certificate counts. Your own author key is the zone: who has its public key in',
          'trusted-registrars.txt resolves the names that you certify.',
        ].join('\n'),
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const [name, owner] = [operand(input, 0), operand(input, 1)];
  const text = textOption(input.options, 'days');
  const days = text && parseCount('--days', text, { min: 1, max: certificateDaysMax });
  requireName(name);
  parseAuthor(owner);
  const services = await context.services();
  const result = await services.certify({ name, owner, ...(days && { days }) }, { signal });
  terminal.result(result, linesOf(result));
}

function linesOf(result: CertificateInfo): string[] {
  const { name, owner, serial, not_after: notAfter, certificate } = result;
  const shown = sanitize(name);
  return [
    `certified ${shown} until ${formatMoment(notAfter)}`,
    ...formatFields([
      ['owner', owner],
      ['serial', serial],
    ]),
    `To use it, the owner runs: altnet register ${shown} ROOT --certificate TEXT`,
    'or, when the name is theirs already: altnet registrar accept TEXT; where TEXT is:',
    sanitize(certificate),
  ];
}
