/** The end of an answer that cannot be completed, in either version of HTTP. */
import type { ServerResponse } from 'node:http';
import { constants, type ServerHttp2Stream } from 'node:http2';

/** Breaks an answer off so that no client takes the half of it for the whole. */
export function breakOff(response: ServerResponse): void {
  const stream: unknown = Reflect.get(response, 'stream');
  if (isHttp2Stream(stream)) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else response.destroy();
}

function isHttp2Stream(stream: unknown): stream is ServerHttp2Stream {
  return typeof stream === 'object' && stream !== null && 'rstCode' in stream;
}
