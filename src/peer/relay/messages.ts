/** Reads one message, which stands behind its length, off the front of a stream. */
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { circuitMessageBytesMax, readVarint } from './circuit-frames.ts';

/** `rest` is what came behind it. Undefined when the stream ends before, or it is too long. */
export async function readMessage(
  chunks: AsyncIterable<Bytes>,
): Promise<{ readonly message: Bytes; readonly rest: Bytes } | undefined> {
  let have: Bytes = new Uint8Array();
  for await (const chunk of chunks) {
    have = concatBytes(have, chunk);
    const length = readVarint(have, 0);
    if (!length) {
      if (have.length >= 8) return undefined;
      continue;
    }
    if (length.value > circuitMessageBytesMax) return undefined;
    const end = length.end + length.value;
    if (have.length >= end) {
      return { message: have.subarray(length.end, end), rest: have.subarray(end) };
    }
  }
  return undefined;
}
