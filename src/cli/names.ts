/** `register` and `update`: the same words and the same answer, but for what is done to the name. */
import type { NameResult } from '../api/ports-names.ts';
import { requireCertificate, requireName, requireRoot } from '../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from './command.ts';
import {
  countOf,
  elsewhereLine,
  formatFields,
  formatMoment,
  newNameLine,
  sanitize,
} from './format.ts';
import { textOption } from './values.ts';

interface NameVerb {
  readonly method: 'register' | 'update';
  /** "registering". */
  readonly doing: string;
  /** "registered". */
  readonly done: string;
}

export function nameCommand(verb: NameVerb): CommandDefinition {
  return {
    needs: 'running',
    describe(command) {
      command
        .argument('<name>', 'with or without .alt; blog.alice.alt is a name below alice.alt')
        .argument('<root>', 'a CID or 64 hex digits, as publish prints it');
      if (verb.method === 'register') {
        command.option('--certificate <text>', "a registrar's certificate for the name");
      }
    },
    run: (context, input) => run(verb, context, input),
  };
}

async function run(
  { method, doing, done }: NameVerb,
  context: CommandContext,
  input: CommandInput,
): Promise<void> {
  const { terminal, signal } = context;
  const [name, root] = [operand(input, 0), operand(input, 1)];
  requireName(name);
  requireRoot(root);
  const certificate = textOption(input.options, 'certificate');
  if (certificate !== undefined) requireCertificate(certificate);
  const services = await context.services();
  const onProgress = terminal.progress(`${doing} ${name}`);
  const what = { name, root, ...(certificate !== undefined && { certificate }) };
  const result = await services[method](what, { signal, onProgress });
  terminal.result(result, nameLines(done, result));
}

function nameLines(done: string, result: NameResult): string[] {
  const { name, root, cid, version, expires, zone, stored, elsewhere } = result;
  return [
    `${done} ${sanitize(name)}, stored on ${countOf(stored, 'node')}${stored > 1 ? '' : ' only; it goes to more as they are reached'}`,
    ...formatFields([
      ['root', root],
      ['cid', cid],
      ['version', version],
      ['expires', formatMoment(expires)],
      ['zone', zone],
    ]),
    ...(done === 'registered' && version === 1 && zone === undefined && !elsewhere
      ? [`new: ${newNameLine}`]
      : []),
    ...(elsewhere ? [elsewhereLine(name)] : []),
  ];
}
