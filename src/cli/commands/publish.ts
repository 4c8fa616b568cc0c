/** `altnet publish`: a folder or file becomes a site, with a name if one is given. */
import { stat } from 'node:fs/promises';
import type { PublishInput, PublishResult, PublishTarInput } from '../../api/ports-sites.ts';
import { formatBytes } from '../../base/byte-count.ts';
import { AltNetError, isAltNetError, systemCode } from '../../base/errors.ts';
import { requireCertificate, requireName } from '../../node/words.ts';
import {
  type CommandContext,
  type CommandDefinition,
  type CommandInput,
  operand,
} from '../command.ts';
import { copiesLine } from '../copies.ts';
import { countOf, elsewhereLine, formatFields } from '../format.ts';
import { streamInput } from '../input.ts';
import { flagOption, parsePath, textOption, usageError } from '../values.ts';

export const definition: CommandDefinition = {
  needs: 'running',
  describe(command) {
    command
      .argument('<path|->', 'folder or file; - reads a tar archive from standard input')
      .option('--name <name>', 'also register this name, or update it when it is yours')
      .option('--certificate <text>', "with --name: a registrar's certificate for the name")
      .option('--keep', 'keep it here also when a newer version takes its place')
      .option('--watch', 'publish again whenever something changes, until Ctrl-C')
      .addHelpText(
        'after',
        [
          '',
          'Other nodes keep copies, so that the site stays when this node is off. When a name moves',
          'on to a newer version, this node drops the older one after a day, unless --keep was given',
          'or another name of yours points to it. altnet unpublish drops a site at once.',
        ].join('\n'),
      );
  },
  run,
};

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, signal, cwd } = context;
  const given = operand(input, 0);
  const path = given === '-' ? undefined : parsePath('<path>', given, cwd);
  const name = textOption(input.options, 'name');
  const keep = flagOption(input.options, 'keep') || undefined;
  const certificate = textOption(input.options, 'certificate');
  if (name !== undefined) requireName(name);
  if (certificate !== undefined) requireCertificate(certificate);
  if (certificate !== undefined && name === undefined)
    throw usageError('--certificate is for a name; say which with --name');
  const how: PublishTarInput = { name, keep, certificate };
  if (path !== undefined) await requirePath(path);
  if (flagOption(input.options, 'watch')) {
    if (path === undefined) throw usageError('--watch is for a folder or file');
    return watch(context, { ...how, path });
  }
  if (path === undefined && context.shell?.stdin.isTTY === true) {
    throw usageError(
      'standard input is a terminal; pipe an archive into this: tar -C FOLDER -c . | altnet publish -',
    );
  }
  const services = await context.services();
  const draw = terminal.progress('publishing');
  let last: Parameters<typeof draw>[0] | undefined;
  const onProgress: typeof draw = (progress) => draw((last = progress));
  const options = { signal, onProgress };
  const work =
    path === undefined
      ? services.publishTar(how, streamInput(context), options)
      : services.publish({ ...how, path }, options);
  const result = await work.catch((error: unknown) => {
    const { root, phase } = last ?? {};
    if (root !== undefined) terminal.note(leftNote({ root, name, phase, error }));
    throw error;
  });
  terminal.result(result, publishedLines(result));
}

function publishedLines(result: PublishResult): string[] {
  const { files, bytes, announced } = result;
  const version = result.version === undefined ? '' : ` (version ${result.version})`;
  return [
    `published ${countOf(files, 'file')}, ${formatBytes(bytes)}`,
    ...formatFields([
      ['root', result.root],
      ['cid', result.cid],
      ['name', result.name === undefined ? undefined : `${result.name}${version}`],
      ['open', result.url],
      ['known to', countOf(announced, 'node')],
      ['copies', copiesLine(result)],
    ]),
    ...(result.elsewhere && result.name !== undefined ? [elsewhereLine(result.name)] : []),
  ];
}

const copiesLater = 'copies that are missing are made while the node runs';

interface Left {
  readonly root: string;
  readonly name: string | undefined;
  /** What went on when it was stopped or failed. */
  readonly phase: string | undefined;
  readonly error: unknown;
}

/** What is here when publishing did not get to its end: the name comes before the copies. */
function leftNote({ root, name, phase, error }: Left): string {
  const take = `altnet unpublish ${root} takes it back`;
  if (name !== undefined && phase !== 'copying') {
    if (isAltNetError(error, 'NO_PEERS'))
      return `the site is published here, and ${name} will point to it as soon as others are in reach`;
    return `the site is held here as ${root}, but ${name} does not point to it; the same command tries again, ${take}`;
  }
  const named = name === undefined ? '' : ` and ${name} points to it`;
  const what = `the site is published${named}; ${copiesLater}`;
  return name === undefined ? `${what}; ${take}` : what;
}

/** Ctrl-C is how it ends, not a failure. */
async function watch(context: CommandContext, input: PublishInput): Promise<void> {
  const { terminal, signal } = context;
  const services = await context.services();
  const [{ watchSite }, { watchFolder }] = await Promise.all([
    import('../../node/watch-site.ts'),
    import('../../node/watch-folder.ts'),
  ]);
  const onPolling = (why: string): void =>
    terminal.note(`${why}; looking for changes every few seconds instead`);
  let isFirst = true;
  const onVersion = (result: PublishResult): void => {
    terminal.result(result, isFirst ? publishedLines(result) : [versionLine(result, new Date())]);
    if (isFirst && !terminal.json) terminal.note('watching for changes; Ctrl-C ends it');
    isFirst = false;
  };
  await watchSite(
    {
      services,
      input,
      changes: (path, options) => watchFolder(path, { ...options, onPolling }),
      onVersion,
      onFailure: (error) => {
        terminal.failure(error);
        if (!terminal.json) terminal.note('still watching; it is tried again');
      },
      onProgress: terminal.progress('publishing'),
      onAttempted: () => terminal.done(),
    },
    { signal },
  );
}

/** "14:05:10 alice.alt version 3: 3 files, 4.1 kB; copies: 6 of 6 made", or with the address. */
function versionLine(result: PublishResult, now: Date): string {
  const { name, version, files, bytes, url } = result;
  const what = name === undefined ? 'new version' : `${name} version ${version ?? 1}`;
  const size = `${countOf(files, 'file')}, ${formatBytes(bytes)}`;
  const parts = [size, `copies: ${copiesLine(result)}`, ...(name === undefined ? [url] : [])];
  return `${now.toTimeString().slice(0, 8)} ${what}: ${parts.join('; ')}`;
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
