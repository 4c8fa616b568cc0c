/** `altnet link get`: every alternative for a URL, each as it is found. */
import type { FoundLinkLine } from '../../api/ports.ts';
import { AltNetError } from '../../base/errors.ts';
import { requireUrl } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, formatBytes, formatFields, formatMoment, sanitize } from '../format.ts';

export const definition: CommandDefinition = {
  needs: 'any',
  describe(command) {
    command
      .argument('<url>', 'the URL that no longer works')
      .addHelpText('after', '\nFails when nobody has announced an alternative.');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal } = context;
  const url = operand(input, 0);
  requireUrl(url);
  const services = await context.services();
  terminal.status('asking the network ...');
  let found = 0;
  for await (const line of services.getLinks(url, { signal })) {
    if ('done' in line) {
      found = line.found;
      const asked = `${countOf(line.asked, 'node')} asked, ${line.seconds.toFixed(2)} s`;
      terminal.result(line, [`${countOf(found, 'alternative')}, ${asked}`]);
    } else {
      terminal.result(line, linkLines(line));
    }
  }
  if (found === 0) throw new AltNetError('LINK_NOT_FOUND', { url });
}

function linkLines({ target, ...link }: FoundLinkLine): string[] {
  const details = formatFields([
    ['  signed by', link.publisher],
    ['  issued', formatMoment(link.issued)],
    ['  captured', link.captured === undefined ? undefined : formatMoment(link.captured)],
    ['  type', link.type],
    ['  size', link.size === undefined ? undefined : formatBytes(link.size)],
    ['  sha256', link.sha256],
    ['  note', link.note],
  ]);
  return [`${sanitize(target)}  (after ${link.seconds.toFixed(2)} s)`, ...details];
}
