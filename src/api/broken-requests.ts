/** Answers what is no HTTP request, or none that came in time, in the form of any other error. */
import type { Socket } from 'node:net';
import { AltNetError, systemCode } from '../base/errors.ts';
import { encodeError } from './status.ts';

interface Broken {
  readonly status: 400 | 408 | 431;
  readonly reason: string;
  readonly why: string;
}

const slow: Broken = { status: 408, reason: 'Request Timeout', why: 'it came too slowly' };
const long: Broken = {
  status: 431,
  reason: 'Request Header Fields Too Large',
  why: 'its headers are too long',
};
const unreadable: Broken = { status: 400, reason: 'Bad Request', why: 'it cannot be read' };

export function answerBroken(error: Error, socket: Socket): void {
  if (!socket.writable || systemCode(error) === 'ECONNRESET') return void socket.destroy();
  const { status, reason, why } = brokenBy(error);
  const body = JSON.stringify(
    encodeError(new AltNetError('BAD_ARGUMENT', { what: 'the request', why })),
  );
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

function brokenBy(error: Error): Broken {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return slow;
  return code === 'HPE_HEADER_OVERFLOW' ? long : unreadable;
}
