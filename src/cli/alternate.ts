/**
 * `alternate`: the small front of the second half, a node of its own and a session with it. Here
 * are its words and its start and end.
 */
import { Command, CommanderError } from 'commander';
import type { NodeOptions } from '../node/options.ts';
import { promptHelp, runSession } from './alternate-session.ts';
import { normaliseArgv } from './argv.ts';
import { isConnected, quietNode } from './connect.ts';
import { resolveFolders } from './folders.ts';
import type { Surroundings } from './process.ts';
import { exitCodeOf, Terminal } from './tui.ts';
import {
  type OptionValues,
  parseBootstrapOption,
  parseChoice,
  parseCount,
  textOption,
  usageError,
} from './values.ts';

/** Resolves with the exit code. */
export async function runAlternate(
  argv: readonly string[],
  surroundings: Surroundings,
): Promise<number> {
  const { stdout, stderr, signal } = surroundings;
  const terminal = new Terminal({ stdout, stderr, program: 'alternate', json: false });
  try {
    const values = parseWords(argv, (text) => terminal.text(text));
    if (!values) return 0;
    const options = nodeOptions(values, surroundings.cwd);
    const { startNode } = await import('../node/node.ts');
    const node = await startNode(options, { signal });
    try {
      if (options.bootstrap.length > 0 && !(await isConnected(node))) {
        terminal.note(`nobody answers at ${options.bootstrap.join(', ')} yet; still trying`);
      }
      await runSession(node, { terminal, surroundings });
    } finally {
      await node.stop();
    }
    return 0;
  } catch (error) {
    if (signal.aborted) return 0;
    terminal.failure(error);
    return exitCodeOf(error);
  }
}

/** Undefined when help was asked for, which has then been written. Throws USAGE. */
function parseWords(
  argv: readonly string[],
  write: (text: string) => void,
): OptionValues | undefined {
  const command = new Command('alternate')
    .description('Alternatives for dead links, from the network of peers.')
    .option('-b, --bootstrap <addrs>', 'host:port,… of nodes to join at')
    .option('-p, --port <port>', 'port to listen on (any free one)')
    .option('--data <dir>', 'folder for the keys and the store (the platform’s)')
    .option('--network <profile>', 'network profile: main or local (main)')
    .helpOption('-h, --help', 'show this help')
    .addHelpText('after', ['', 'At the prompt:', ...promptHelp].join('\n'))
    .exitOverride()
    .configureOutput({ writeOut: write, writeErr: () => undefined });
  const withValue = ['bootstrap', 'port', 'data', 'network'];
  const long = new Map(withValue.map((name) => [name, { takesValue: true }]));
  long.set('help', { takesValue: false });
  try {
    command.parse(normaliseArgv(argv, long, new Set(['-b', '-p'])), { from: 'user' });
    return command.opts();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    const [text = ''] = error.message.replace(/^error: /, '').split('\n');
    throw usageError(`${text}; see alternate --help`);
  }
}

function nodeOptions(values: OptionValues, cwd: string): NodeOptions {
  const data = textOption(values, 'data');
  const port = parseCount('--port', textOption(values, 'port') ?? '0', { min: 0, max: 65_535 });
  return {
    ...quietNode,
    ...resolveFolders({ data, keydir: undefined, cwd, program: 'alternate' }),
    listen: `0.0.0.0:${port}`,
    bootstrap: parseBootstrapOption('--bootstrap', textOption(values, 'bootstrap') ?? ''),
    network: parseChoice('--network', textOption(values, 'network') ?? 'main', ['main', 'local']),
  };
}
