/** The head of a frame of yamux, as a peer writes it who need not keep the rules. */
import type { Bytes } from '../../src/base/bytes.ts';

export function yamuxHead(type: number, flags: number, stream: number, length: number): Bytes {
  const bytes = Buffer.alloc(12);
  bytes.writeUInt8(type, 1);
  bytes.writeUInt16BE(flags, 2);
  bytes.writeUInt32BE(stream, 4);
  bytes.writeUInt32BE(length, 8);
  return bytes;
}
