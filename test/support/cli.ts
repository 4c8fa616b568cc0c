/** The command line in this process: its words in, what it wrote and its exit code out. */
import { Readable } from 'node:stream';
import { runAltnet } from '../../src/cli/altnet.ts';
import type { Surroundings } from '../../src/cli/process.ts';

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
