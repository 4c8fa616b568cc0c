/** What a command reads from standard input: all of it, up to a limit. */
import { concatBytes, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { CommandContext } from './command.ts';
import { usageError } from './values.ts';

/**
 * The input to its end. Rejects with VALUE_TOO_BIG as soon as it has more than `bytesMax`, so that
 * an endless pipe is not read to its end, and with USAGE at the prompt of a node.
 */
export async function readInput(
  { shell, signal }: Pick<CommandContext, 'shell' | 'signal'>,
  bytesMax: number,
): Promise<Uint8Array> {
  if (!shell) throw usageError('"-" works in a shell only: this prompt has no standard input');
  const { stdin } = shell;
  const parts: Uint8Array[] = []; // BOUNDED by bytesMax plus one read
  let length = 0;
  const stop = (): void => void stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stdin as AsyncIterable<string | Uint8Array>) {
      const part = typeof chunk === 'string' ? utf8(chunk) : chunk;
      parts.push(part);
      length += part.length;
      if (length > bytesMax) throw new AltNetError('VALUE_TOO_BIG', { bytes: length, bytesMax });
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return concatBytes(...parts);
}
