/**
 * A session of `alternate`: a prompt and two verbs, put an alternative for a URL and get all of
 * them. Its lines are a promise to scripts: they do not change. Knows nothing of how the node was
 * started.
 */
import { createInterface, type Interface } from 'node:readline';
import type { NodeServices } from '../api/ports.ts';
import type { ReadyInfo } from '../node/options.ts';
import { sanitize } from './format.ts';
import type { Surroundings } from './process.ts';
import { describeError, type Terminal } from './tui.ts';

export const promptHelp: readonly string[] = [
  ' p URL TARGET  put: announce TARGET as an alternative for URL',
  ' g URL         get: find all alternatives for URL',
  ' h             help',
  ' q             quit',
];

export interface SessionNode {
  readonly services: NodeServices;
  readonly ready: Pick<ReadyInfo, 'node' | 'author' | 'listen'>;
}

/** Reads and runs line after line until q, the end of the input, or a signal. */
export async function runSession(
  { services, ready }: SessionNode,
  {
    terminal,
    surroundings: { stdin, stdout, signal },
  }: { terminal: Terminal; surroundings: Pick<Surroundings, 'stdin' | 'stdout' | 'signal'> },
): Promise<void> {
  const say = (line: string): void => terminal.text(`${line}\n`);
  const isTerminal = stdin.isTTY && stdout.isTTY === true;
  const reader = createInterface({
    input: stdin,
    ...(isTerminal ? { output: stdout } : {}),
    terminal: isTerminal,
    prompt: '>> ',
  });
  // Only a signal or Ctrl-C stops what runs: at the end of a script its last line is still done.
  const interrupted = new AbortController();
  const stop = AbortSignal.any([signal, interrupted.signal]);
  const close = (): void => reader.close();
  stop.addEventListener('abort', close, { once: true });
  if (stop.aborted) close();
  reader.on('SIGINT', () => interrupted.abort());
  try {
    say(`Node ${ready.node.slice(0, 40)} running on port ${ready.listen.replace(/^.*:/, '')}`);
    say(`Public key ID is ${ready.author.slice(0, 40)}`);
    say(" (type 'h' or 'help' for a list of possible commands)");
    say('');
    await runLines(reader, { services, say, stop, showPrompt: () => terminal.text('>> ') });
  } finally {
    stop.removeEventListener('abort', close);
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
  let isOpen = true;
  reader.once('close', () => (isOpen = false));
  const prompt = (): void => {
    if (reader.terminal && isOpen) reader.prompt();
    else showPrompt();
  };
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
      promptHelp.forEach(say);
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
