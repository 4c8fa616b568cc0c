/** What a command reads from standard input: as it comes, or all of it up to a limit. */
import { concatBytes, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { CommandContext } from './command.ts';
import { usageError } from './values.ts';

/**
 * The input as it comes. Rejects with USAGE at the prompt of a node; ends when the signal aborts,
 * after which nobody wants to know what came.
 */
export async function* streamInput({
  shell,
  signal,
}: Pick<CommandContext, 'shell' | 'signal'>): AsyncGenerator<Uint8Array> {
  if (!shell) throw usageError('"-" works in a shell only: this prompt has no standard input');
  const { stdin } = shell;
  const stop = (): void => void stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stdin as AsyncIterable<string | Uint8Array>) {
      yield typeof chunk === 'string' ? utf8(chunk) : chunk;
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * The input to its end. Rejects with VALUE_TOO_BIG as soon as it has more than `bytesMax`, so that
 * an endless pipe is not read to its end, and with USAGE at the prompt of a node.
 */
export async function readInput(
  context: Pick<CommandContext, 'shell' | 'signal'>,
  bytesMax: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = []; // BOUNDED by bytesMax plus one read
  let length = 0;
  for await (const part of streamInput(context)) {
    parts.push(part);
    length += part.length;
    if (length > bytesMax) throw new AltNetError('VALUE_TOO_BIG', { bytes: length, bytesMax });
  }
  return concatBytes(...parts);
}
