/**
 * Gives a route's answer in the form that was asked for: JSON, bytes, lines as they come, or lines
 * of progress and then the result. Whoever hangs up ends the work.
 */
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { LatestValue } from './latest.ts';
import { ndjsonType, writeLine } from './ndjson.ts';
import type { CallOptions } from './ports.ts';
import { type Answer, isIterable, type Route } from './route.ts';
import { encodeError, statusOfCode } from './status.ts';

export type Work = (options: CallOptions) => Answer | Promise<Answer>;

/** Runs `work` and answers with what it gives. Rejects where an ordinary error answer is due. */
export async function replyWith(
  {
    request,
    reply,
    form,
    log,
  }: {
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly form: Route['answer'];
    readonly log: Logger;
  },
  work: Work,
): Promise<unknown> {
  const hangUp = new AbortController();
  const { signal } = hangUp;
  const onClose = (): void => hangUp.abort(new AltNetError('ABORTED', {}));
  reply.raw.once('close', onClose);
  if (reply.raw.closed) onClose(); // while its body was read
  if (form.long && request.headers.accept?.includes(ndjsonType)) {
    await sendLines(reply, signal, progressLines(work, { signal, log }));
    return reply;
  }
  const answer = await work({ signal });
  if (isIterable(answer)) {
    await sendLines(reply, signal, endingInError(answer, log));
    return reply;
  }
  reply.code(form.status);
  if (!(answer instanceof Uint8Array)) return answer;
  return reply.type('application/octet-stream').send(Buffer.from(answer));
}

/** What a caller may read of an error: a foreign one tells of nothing but a defect. */
export function asReported(error: unknown, log: Logger): AltNetError {
  if (isAltNetError(error) && statusOfCode[error.code] !== 500) return error;
  log.error('an API request failed', { why: reasonOf(error) });
  return isAltNetError(error) ? error : new AltNetError('INTERNAL', { what: 'the API request' });
}

async function sendLines(
  reply: FastifyReply,
  signal: AbortSignal,
  lines: AsyncIterable<object>,
): Promise<void> {
  reply.hijack();
  const response: ServerResponse = reply.raw;
  response.writeHead(200, { 'content-type': ndjsonType, 'cache-control': 'no-store' });
  response.flushHeaders();
  try {
    for await (const line of lines) await writeLine(response, line, signal);
    response.end();
  } catch {
    response.destroy(); // the caller has hung up: the work was told, and nobody reads on
  }
}

async function* endingInError(lines: AsyncIterable<object>, log: Logger): AsyncGenerator<object> {
  try {
    yield* lines;
  } catch (error) {
    yield encodeError(asReported(error, log));
  }
}

/** {"progress"} lines while the work runs, then {"result"} or the error. */
async function* progressLines(
  work: Work,
  { signal, log }: { signal: AbortSignal; log: Logger },
): AsyncGenerator<object> {
  const news = new LatestValue<object>();
  const onProgress = (progress: object): void => news.set({ progress });
  const result = resultLine(work, { signal, onProgress }, log).finally(() => news.end());
  yield* news;
  yield await result;
}

async function resultLine(work: Work, options: CallOptions, log: Logger): Promise<object> {
  try {
    return { result: await work(options) };
  } catch (error) {
    return encodeError(asReported(error, log));
  }
}
