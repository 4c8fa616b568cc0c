/** Lines of JSON (application/x-ndjson) as a stream, in both directions. */
import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import { AltNetError } from '../base/errors.ts';

export const ndjsonType = 'application/x-ndjson';

/** A line of an answer holds one record or result; far below this. */
const lineCharsMax = 1 << 20;

/** Writes one line and waits while the reader is slower than we are. */
export async function writeLine(
  response: ServerResponse,
  value: object,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (!response.write(`${JSON.stringify(value)}\n`)) await once(response, 'drain', { signal });
}

/** The values on the lines of `chunks`. Rejects with BAD_ARGUMENT for what is not JSON. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > lineCharsMax) throw badLine('a line is too long');
    for (const line of lines) if (line.trim() !== '') yield parseLine(line);
  }
  if (rest.trim() !== '') yield parseLine(rest);
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw badLine('a line is not JSON');
  }
}

function badLine(why: string): AltNetError {
  return new AltNetError('BAD_ARGUMENT', { what: 'the answer', why });
}
