/** `altnet registrar accept`: keeps the certificate that a registrar has sent. */
import type { AcceptResult } from '../../api/ports-trust.ts';
import { requireCertificate } from '../../node/words.ts';
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
      .argument('<certificate>', 'the line that the registrar has sent, altcert1…')
      .addHelpText(
        'after',
        '\nA name that is yours already is signed anew with it. Else register and publish use it.',
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const certificate = operand(input, 0);
  requireCertificate(certificate);
  const services = await context.services();
  const onProgress = terminal.progress('accepting');
  const result = await services.accept({ certificate }, { signal, onProgress });
  terminal.result(result, linesOf(result));
}

function linesOf(result: AcceptResult): string[] {
  const { name, zone, not_after: notAfter, version, stored } = result;
  const shown = sanitize(name);
  const next =
    version === undefined
      ? `take it with: altnet register ${shown} ROOT`
      : `signed anew as version ${version}, stored on ${countOf(stored ?? 0, 'node')}`;
  return [
    `accepted the certificate for ${shown}`,
    ...formatFields([
      ['registrar', zone],
      ['until', formatMoment(notAfter)],
    ]),
    next,
  ];
}
