/** `altnet` with its words: parses, connects, runs, and turns failures into a line and a code. */
import { AltNetError } from '../base/errors.ts';
import { wantsJson, wantsJsonLog } from './argv.ts';
import type { CommandContext, CommandDefinition, ParsedCommand, Shell } from './command.ts';
import { commandEntries } from './commands.ts';
import type { Connection } from './connect.ts';
import { resolveFolders } from './folders.ts';
import type { Surroundings } from './process.ts';
import { parseCommand } from './program.ts';
import { exitCodeOf, Terminal } from './tui.ts';
import { type OptionValues, parseBootstrapOption, parseChoice, textOption } from './values.ts';
import { readVersion } from './version.ts';

/** Resolves with the exit code; never rejects for what the user or the network did. */
export async function runAltnet(
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const { stdout, stderr } = surroundings;
  const output = { json: wantsJson(argv), jsonLog: wantsJsonLog(argv) };
  const terminal = new Terminal({ stdout, stderr, program: 'altnet', ...output });
  try {
    const write = (text: string): void => terminal.text(text);
    const version = await readVersion();
    const parsed = await parseCommand(argv, { inShell: true, version, write });
    if (parsed) await runCommand(parsed, { terminal, surroundings, version });
    return 0;
  } catch (error) {
    terminal.failure(error);
    return exitCodeOf(error);
  }
}

async function runCommand(
  { definition, input }: ParsedCommand,
  {
    terminal,
    surroundings,
    version,
  }: { terminal: Terminal; surroundings: Surroundings; version: string },
): Promise<void> {
  const { cwd, signal, stdin, stdout } = surroundings;
  const [data, keydir] = [textOption(input.options, 'data'), textOption(input.options, 'keydir')];
  const folders = resolveFolders({ data, keydir, cwd });
  let connecting: Promise<Connection> | undefined;
  const context: CommandContext = {
    terminal,
    signal,
    cwd,
    folders,
    shell: { stdin, stdout, prompt: promptCommands(version) },
    async services() {
      connecting ??= connect(definition, input.options, { folders, signal, terminal });
      return (await connecting).services;
    },
  };
  let unfinished = true;
  try {
    await definition.run(context, input);
    unfinished = false;
  } catch (error) {
    // Whatever the interrupted work says of itself, the user knows why it ended.
    throw signal.aborted ? new AltNetError('ABORTED', {}, { cause: error }) : error;
  } finally {
    terminal.done();
    await closeQuietly(connecting, { unfinished });
  }
}

function promptCommands(version: string): Shell['prompt'] {
  return {
    words: commandEntries.map(({ words }) => words).filter((words) => words !== 'start'),
    parse: (argv, write) => parseCommand(argv, { inShell: false, version, write }),
  };
}

async function connect(
  { needs, resumes }: CommandDefinition,
  options: OptionValues,
  { folders, signal, terminal }: Pick<CommandContext, 'folders' | 'signal' | 'terminal'>,
): Promise<Connection> {
  const bootstrapText = textOption(options, 'bootstrap') ?? '';
  const addresses = parseBootstrapOption('--bootstrap', bootstrapText);
  const networkText = textOption(options, 'network') ?? 'main';
  const network = parseChoice('--network', networkText, ['main', 'local']);
  const { connectToRunning, noNodeError, startShortLived } = await import('./connect.ts');
  const running = await connectToRunning(folders.data, { signal });
  if (running) return running;
  if (needs !== 'any') throw noNodeError(folders.data);
  const bootstrap = addresses.length > 0 ? addresses : await bootstrapFileOf(folders.data);
  if (bootstrap.length === 0) {
    const why = `none uses the data folder ${folders.data}, and no --bootstrap host:port was given`;
    throw new AltNetError('NO_NODE', { why });
  }
  terminal.status('joining the network ...');
  return startShortLived({ folders, bootstrap, network, signal, resumes });
}

async function bootstrapFileOf(data: string): Promise<string[]> {
  const { readBootstrapFile } = await import('../node/bootstrap.ts');
  const addresses = await readBootstrapFile(`${data}/bootstrap.txt`);
  return addresses.map(({ text }) => text);
}

/** What goes wrong while leaving changes nothing about what was done. */
async function closeQuietly(
  connecting: Promise<Connection> | undefined,
  how: Parameters<Connection['close']>[0],
): Promise<void> {
  try {
    await (await connecting)?.close(how);
  } catch {
    // Either connecting failed, which the command has reported, or only the leaving did.
  }
}
