/**
 * Why something failed, for the log: told in codes and places of this program alone. What an error
 * says in words may have come from a peer (a name, a URL, what its node answered), and nothing of
 * that belongs into a log that an operator reads, ships and searches.
 */
import { isAltNetError, systemCode } from './errors.ts';

/** Errors are made of errors; a few of them tell enough. */
const causesMax = 3;
const framesMax = 3;

/** "NO_PEERS", "DISK_FULL (ENOSPC)", "TypeError at rpc/responder.ts:201 < rpc/transport.ts:80". */
export function reasonOf(error: unknown, causes: number = causesMax): string {
  const own = ownReasonOf(error);
  const cause: unknown = error instanceof Error ? error.cause : undefined;
  if (cause === undefined || causes <= 1) return own;
  return `${own} (${reasonOf(cause, causes - 1)})`;
}

function ownReasonOf(error: unknown): string {
  if (isAltNetError(error) && error.code !== 'INTERNAL') return error.code;
  if (!(error instanceof Error)) return 'not an error';
  const code = systemCode(error);
  if (code !== undefined && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) && code !== 'INTERNAL') return code;
  const name = /^\w{1,40}$/.test(error.name) ? error.name : 'Error';
  const places = placesOf(error);
  return places === '' ? name : `${name} at ${places}`;
}

/** The innermost places of the stack; nothing where it cannot be told from the message. */
function placesOf({ name, message, stack = '' }: Error): string {
  // A message may hold lines that look like a stack.
  const heads = [`${name}: ${message}\n`, `Error: ${message}\n`, `${name}\n`];
  const head = heads.find((text) => stack.startsWith(text));
  if (head === undefined) return '';
  const frames = [
    ...stack.slice(head.length).matchAll(/^ {4}at .*?([\w.-]+\/[\w.-]+:\d+):\d+\)?$/gm),
  ];
  return frames
    .slice(0, framesMax)
    .map(([, place = '']) => place)
    .join(' < ');
}
