/** The command line in this process: its words in, what it wrote and its exit code out. */
import { Readable } from 'node:stream';
import type { NodeServices } from '../../src/api/ports.ts';
import { runAltnet } from '../../src/cli/altnet.ts';
import type { CommandContext, CommandDefinition } from '../../src/cli/command.ts';
import type { Surroundings } from '../../src/cli/process.ts';
import { type OutputStream, Terminal } from '../../src/cli/tui.ts';
import type { OptionValues } from '../../src/cli/values.ts';

export interface CliOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliInput {
  readonly cwd: string;
  /** Standard input, which then ends. */
  readonly stdin?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Runs `altnet` with these words. */
export async function runCli(
  argv: readonly string[],
  { cwd, stdin = '', signal = new AbortController().signal }: CliInput,
): Promise<CliOutcome> {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof texts): Surroundings['stdout'] =>
    ({
      write: (data: string | Uint8Array) => (texts[name] += Buffer.from(data).toString('utf8')),
    }) as unknown as Surroundings['stdout'];
  const code = await runAltnet(argv, {
    stdin: Readable.from(stdin === '' ? [] : [stdin]) as unknown as Surroundings['stdin'],
    stdout: stream('stdout'),
    stderr: stream('stderr'),
    cwd,
    signal,
  });
  return { code, ...texts };
}

export interface DefinitionInput {
  readonly services: NodeServices;
  readonly operands?: readonly string[];
  readonly options?: OptionValues;
  readonly json?: boolean;
  /** Whether the output passes for a terminal. */
  readonly isTTY?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export interface DefinitionOutcome {
  readonly stdout: string;
  readonly stderr: string;
  /** What it rejected with. */
  readonly error: unknown;
}

/** Runs one command with these services, without words to parse and a node to find. */
export async function runDefinition(
  definition: CommandDefinition,
  { services, operands = [], options = {}, json = false, isTTY = false, signal }: DefinitionInput,
): Promise<DefinitionOutcome> {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof texts): OutputStream => ({
    isTTY,
    write: (data) => (texts[name] += Buffer.from(data).toString('latin1')),
  });
  const streams = { stdout: stream('stdout'), stderr: stream('stderr') };
  const context: CommandContext = {
    terminal: new Terminal({ ...streams, json, program: 'altnet' }),
    signal: signal ?? new AbortController().signal,
    cwd: '/',
    folders: { data: '/', keydir: '/' },
    shell: undefined,
    services: async () => services,
  };
  try {
    await definition.run(context, { operands, options });
    context.terminal.done();
    return { ...texts, error: undefined };
  } catch (error) {
    return { ...texts, error };
  }
}
