/**
 * `alternate`: the small front of the second half. A node of its own, a prompt, and two verbs: put
 * an alternative for a URL, get all of them. Its lines are a promise to scripts: they do not change.
 */
import { createInterface, type Interface } from 'node:readline';
import { Command, CommanderError } from 'commander';
import type { NodeServices } from '../api/ports.ts';
import type { NodeOptions } from '../node/options.ts';
import type { RunningNode } from '../node/node.ts';
import { normaliseArgv } from './argv.ts';
import { quietNode } from './connect.ts';
import { resolveFolders } from './folders.ts';
import { sanitize } from './format.ts';
import type { Surroundings } from './process.ts';
import { describeError, exitCodeOf, Terminal } from './tui.ts';
import {
  type OptionValues,
  parseBootstrapOption,
  parseChoice,
  parseCount,
  textOption,
  usageError,
} from './values.ts';

const help = [
  ' p URL TARGET  put: announce TARGET as an alternative for URL',
  ' g URL         get: find all alternatives for URL',
  ' h             help',
  ' q             quit',
];

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
      await serve(node, terminal, surroundings);
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
    .addHelpText('after', ['', 'At the prompt:', ...help].join('\n'))
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

/** Reads and runs line after line until q, the end of the input, or a signal. */
async function serve(
  { services, ready }: RunningNode,
  terminal: Terminal,
  { stdin, stdout, signal }: Surroundings,
): Promise<void> {
  const say = (line: string): void => terminal.text(`${line}\n`);
  const isTerminal = stdin.isTTY && stdout.isTTY === true;
  const reader = createInterface({
    input: stdin,
    ...(isTerminal ? { output: stdout } : {}),
    terminal: isTerminal,
    prompt: '>> ',
  });
  const stopping = new AbortController();
  const close = (): void => reader.close();
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) close();
  reader.on('SIGINT', close);
  // Only a signal or Ctrl-C stops what runs: at the end of a script its last line is still done.
  const stop = AbortSignal.any([signal, stopping.signal]);
  reader.on('SIGINT', () => stopping.abort());
  try {
    say(`Node ${ready.node.slice(0, 40)} running on port ${ready.listen.replace(/^.*:/, '')}`);
    say(`Public key ID is ${ready.author.slice(0, 40)}`);
    say(" (type 'h' or 'help' for a list of possible commands)");
    say('');
    await runLines(reader, { services, say, stop, showPrompt: () => terminal.text('>> ') });
  } finally {
    signal.removeEventListener('abort', close);
    reader.close();
  }
}

interface Session {
  readonly services: NodeServices;
  readonly say: (line: string) => void;
  readonly stop: AbortSignal;
}

async function runLines(
  reader: Interface,
  { showPrompt, ...session }: Session & { showPrompt: () => void },
): Promise<void> {
  // Without a terminal nobody sees what was typed: it is written after the prompt, so that the
  // transcript of a script is that of a person.
  const prompt = reader.terminal ? () => reader.prompt() : showPrompt;
  prompt();
  for await (const line of reader) {
    if (!reader.terminal) session.say(sanitize(line));
    if (await runLine(line, session)) return;
    if (session.stop.aborted) return;
    prompt();
  }
  session.say('');
}

/** Whether the user wants to leave. */
async function runLine(line: string, session: Session): Promise<boolean> {
  const { say } = session;
  const [verb, ...operands] = line.split(/\s+/).filter((word) => word !== '');
  const [url = '', target = ''] = operands;
  switch (verb) {
    case undefined:
      return false;
    case 'q':
    case 'quit':
    case 'exit':
      return true;
    case 'p':
    case 'put':
      if (operands.length === 2) await put({ url, target }, session);
      else say('Put: failed: write p URL TARGET');
      return false;
    case 'g':
    case 'get':
      if (operands.length === 1) await get(url, session);
      else say('Get: failed: write g URL');
      return false;
    case 'h':
    case 'help':
      help.forEach(say);
      return false;
    default:
      say(
        `Unknown command: ${sanitize(verb)} (type 'h' or 'help' for a list of possible commands)`,
      );
      return false;
  }
}

async function put(
  link: { url: string; target: string },
  { services, say, stop }: Session,
): Promise<void> {
  try {
    const { seconds } = await services.putLink(link, { signal: stop });
    say(`Put: success (took ${seconds.toFixed(3)}s)`);
  } catch (error) {
    say(`Put: failed: ${sanitize(describeError(error).message)}`);
  }
}

async function get(url: string, { services, say, stop }: Session): Promise<void> {
  try {
    for await (const line of services.getLinks(url, { signal: stop })) {
      const seconds = `${line.seconds.toFixed(6)}s`;
      if ('done' in line) say(`Get: completed (took ${seconds})`);
      else say(foundLine(line, seconds));
    }
  } catch (error) {
    say(`Get: failed: ${sanitize(describeError(error).message)}`);
  }
}

function foundLine(
  { target, publisher }: { target: string; publisher: string },
  seconds: string,
): string {
  const signer = publisher.slice(0, 40);
  return `Get: found ${sanitize(target)} (after ${seconds}) signed by ${signer}`;
}
