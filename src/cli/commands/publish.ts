/** `altnet publish`: a folder or file becomes a site, with a name if one is given. */
import { stat } from 'node:fs/promises';
import { AltNetError, systemCode } from '../../base/errors.ts';
import { requireName } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { countOf, formatBytes, formatFields } from '../format.ts';
import { parsePath, textOption } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<path>', 'folder or file')
      .option('--name <name>', 'also register this name, or update it when it is yours');
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal, cwd } = context;
  const file = parsePath('<path>', operand(input, 0), cwd);
  const name = textOption(input.options, 'name');
  if (name !== undefined) requireName(name);
  await requirePath(file);
  const services = await context.services();
  const onProgress = terminal.progress('publishing');
  const result = await services.publish({ path: file, name }, { signal, onProgress });
  const { files, bytes, announced, replicas } = result;
  const version = result.version === undefined ? '' : ` (version ${result.version})`;
  terminal.result(result, [
    `published ${countOf(files, 'file')}, ${formatBytes(bytes)}`,
    ...formatFields([
      ['root', result.root],
      ['cid', result.cid],
      ['name', result.name === undefined ? undefined : `${result.name}${version}`],
      ['open', result.url],
      ['known to', countOf(announced, 'node')],
      ['copies', `${countOf(replicas, 'node')} besides this one`],
    ]),
  ]);
}

/** Said before a node is looked for: a mistyped path is the likelier mistake. */
async function requirePath(file: string): Promise<void> {
  try {
    await stat(file);
  } catch (cause) {
    const code = systemCode(cause);
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw new AltNetError('PATH_MISSING', { path: file });
    throw new AltNetError('PATH_UNREADABLE', { path: file, why: code ?? 'unknown' }, { cause });
  }
}
