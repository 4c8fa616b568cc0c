/**
 * The messages of `/altnet/reach/1` as octets (docs/spec/nat.md, "Asking how one is seen"): what a
 * node asks those that it connected to about itself. One question and one answer on a stream.
 */
import { type Endpoint, mapIp, unmapIp } from '../../base/address.ts';
import { asBuffer, type Bytes } from '../../base/bytes.ts';

export const reachProtocol = '/altnet/reach/1';

const types = { seen: 0x01, dialBack: 0x02, seenAt: 0x81, dialled: 0x82 } as const;

/** What became of a dial back; the order is that of the octets on the wire. */
export const dialResults = ['reached', 'unreached', 'refused'] as const;
export type DialResult = (typeof dialResults)[number];

export type ReachQuestion =
  /** From where does this connection come? */
  | { readonly type: 'seen' }
  /** Connect to me at the address that this connection comes from, and this port. */
  | { readonly type: 'dialBack'; readonly port: number };

export type ReachAnswer =
  | { readonly type: 'seenAt'; readonly endpoint: Endpoint }
  | { readonly type: 'dialled'; readonly result: DialResult };

/** Of either kind. */
export const reachQuestionBytes = 3;
export const reachAnswerBytes = 19;

export function encodeQuestion(question: ReachQuestion): Bytes {
  const bytes = Buffer.alloc(reachQuestionBytes);
  bytes[0] = types[question.type];
  if (question.type === 'dialBack') bytes.writeUInt16BE(question.port, 1);
  return bytes;
}

/** Undefined for anything else. */
export function decodeQuestion(bytes: Bytes): ReachQuestion | undefined {
  if (bytes.length !== reachQuestionBytes) return undefined;
  const port = asBuffer(bytes).readUInt16BE(1);
  if (bytes[0] === types.dialBack) return port === 0 ? undefined : { type: 'dialBack', port };
  return bytes[0] === types.seen && port === 0 ? { type: 'seen' } : undefined;
}

export function encodeAnswer(answer: ReachAnswer): Bytes {
  const bytes = Buffer.alloc(reachAnswerBytes);
  bytes[0] = types[answer.type];
  if (answer.type === 'seenAt') putEndpoint(bytes, answer.endpoint);
  else bytes[1] = dialResults.indexOf(answer.result);
  return bytes;
}

/** Undefined for anything else. */
export function decodeAnswer(bytes: Bytes): ReachAnswer | undefined {
  if (bytes.length !== reachAnswerBytes) return undefined;
  if (bytes[0] === types.seenAt) {
    const endpoint = takeEndpoint(bytes);
    return endpoint && { type: 'seenAt', endpoint };
  }
  const result = dialResults[bytes[1] ?? 0];
  return bytes[0] === types.dialled && result ? { type: 'dialled', result } : undefined;
}

/** An address of 16 octets, IPv4 as ::ffff:a.b.c.d, and a port of 2, from the second octet on. */
export function putEndpoint(bytes: Buffer, { ip, port }: Endpoint): void {
  bytes.set(mapIp(ip), 1);
  bytes.writeUInt16BE(port, 17);
}

/** Undefined for port 0. */
export function takeEndpoint(bytes: Bytes): Endpoint | undefined {
  const port = asBuffer(bytes).readUInt16BE(17);
  return port === 0 ? undefined : { ip: unmapIp(Uint8Array.from(bytes.subarray(1, 17))), port };
}
