/**
 * `altnet start`: runs a node until a signal ends it, with a prompt when there is a terminal to
 * type at. The node does the work; here it is announced and ended.
 */
import type { ReadyInfo } from '../../node/options.ts';
import type { RunningNode } from '../../node/node.ts';
import type { CommandContext, CommandDefinition, CommandInput, Shell } from '../command.ts';
import type { LogScreen } from '../prompt.ts';
import { describeStart, parseStart, type StartInput } from '../start-options.ts';

export const definition: CommandDefinition = { needs: 'itself', describe: describeStart, run };

async function run(context: CommandContext, input: CommandInput): Promise<void> {
  const { terminal, cwd, signal, shell } = context;
  const isInteractive = shell?.stdin.isTTY === true && terminal.outputIsTerminal && !terminal.json;
  const start = parseStart(input.options, { cwd, interactive: isInteractive });
  if (start.exportKey || start.importKey !== undefined) return handleKey(context, start);
  const screen: LogScreen = { show: (line) => terminal.log(line) };
  const node = await startUnlessStopped(start, { signal, screen });
  if (!node) return;
  try {
    announce(node.ready, context);
    await keepCompiledCode();
    if (isInteractive && !start.headless)
      await runPrompt(node, { start, screen, context: { ...context, shell } });
    else await Promise.race([aborted(signal), node.stopped]);
  } finally {
    await node.stop();
  }
}

/** Undefined when a signal came before the node was ready. */
async function startUnlessStopped(
  { options }: StartInput,
  { signal, screen }: { signal: AbortSignal; screen: LogScreen },
): Promise<RunningNode | undefined> {
  const [{ startNode }, { createLogger }] = await Promise.all([
    import('../../node/node.ts'),
    import('../../node/log.ts'),
  ]);
  const { logLevel: level, logFormat: format } = options;
  try {
    const log = createLogger({ level, format }, (line) => screen.show(line));
    return await startNode(options, { signal, log });
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** So that the next start need not parse again; written now because a node runs for long. */
async function keepCompiledCode(): Promise<void> {
  const { flushCompileCache } = await import('node:module');
  flushCompileCache();
}

/** All remarks come now: a start that fails says nothing but why. */
function announce(ready: ReadyInfo, { terminal }: CommandContext): void {
  const { notes, guide, ...fields } = ready;
  for (const note of notes) terminal.note(note);
  // The object's fields are fixed, so with --json the guide is a remark.
  if (guide !== undefined && terminal.json) terminal.note(`the example site is at ${guide}`);
  const { node, author, authorPublicKey, listen, gateway, registrar, ...more } = fields;
  const { gatewayTls, metrics, dns, relay, relays } = more;
  const event = { event: 'ready', node, author, authorPublicKey, listen, gateway, registrar };
  const parts = [`node ${node.slice(0, 40)} ready on ${listen}`];
  if (gateway !== null) parts.push(`sites at http://NAME.localhost:${portOf(gateway)}/`);
  if (gatewayTls !== null) parts.push(`HTTPS at ${gatewayTls}`);
  if (dns !== null) parts.push(`DNS at ${dns}`);
  if (registrar !== null) parts.push(`API at ${registrar}`);
  if (metrics !== null) parts.push(`metrics at ${metrics}`);
  if (relay !== null) parts.push(`relay at ${relay}`);
  if (relays.length > 0) parts.push(`reached through ${relays.join(' and ')}`);
  terminal.result({ ...event, gatewayTls, metrics, dns, relay, relays }, [
    `altnet: ${parts.join(', ')}`,
    ...(guide === undefined ? [] : [`Open in a browser: ${guide}`]),
  ]);
}

function portOf(address: string): string {
  return address.replace(/\/$/, '').replace(/^.*:/, '');
}

async function runPrompt(
  node: RunningNode,
  {
    start: { options },
    screen,
    context,
  }: { start: StartInput; screen: LogScreen; context: CommandContext & { shell: Shell } },
): Promise<void> {
  const { Prompt } = await import('../prompt.ts');
  const { services } = node;
  const folders = { data: options.data, keydir: options.keydir };
  const prompt = new Prompt({ ...context, folders, services: async () => services }, screen);
  await prompt.run({ until: node.stopped });
}

async function handleKey(context: CommandContext, start: StartInput): Promise<void> {
  const folders = { data: start.options.data, keydir: start.options.keydir };
  const keyContext = { ...context, folders };
  if (start.importKey === undefined) {
    const { exportAuthorKey } = await import('./key-export.ts');
    return exportAuthorKey(keyContext);
  }
  const { importAuthorKey } = await import('./key-import.ts');
  return importAuthorKey(keyContext, start.importKey);
}

function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) resolve();
  else signal.addEventListener('abort', () => resolve(), { once: true });
  return promise;
}
