/**
 * The frames of `/altnet/relay/1` as octets (docs/spec/relay.md, "Places"): a node asks a relay for
 * a place, and both ends learn within seconds when the other is gone. Knows no connections.
 */
import { type Endpoint, mapIp, unmapIp } from '../../base/address.ts';
import { asBuffer, type Bytes, concatBytes } from '../../base/bytes.ts';

export const relayProtocol = '/altnet/relay/1';

const types = {
  /** Client: asks for a place. */
  reserve: 0x01,
  /** Client: are you there? */
  ping: 0x02,
  granted: 0x81,
  refused: 0x82,
  pong: 0x83,
  /** The relay is about to end. */
  leaving: 0x84,
} as const;

/** Why a relay gives no place, or no circuit; the order is that of the octets on the wire. */
export const refusals = ['full', 'network', 'peer', 'absent', 'malformed'] as const;
/**
 * full: no place left; network: too many of one network; peer: too many to one peer; absent: whom
 * the circuit is for has no place here, or refuses; malformed: what came is no question.
 */
export type Refusal = (typeof refusals)[number];

export interface Grant {
  /** A place lasts so long after the last frame of who has it. */
  readonly leaseSeconds: number;
  /** What one circuit may carry, each way, and for how long. */
  readonly circuitBytesMax: number;
  readonly circuitSeconds: number;
  /** Where the relay sees this connection come from. */
  readonly observed: Endpoint | undefined;
}

export type RelayFrame =
  | { readonly type: 'reserve' | 'ping' | 'pong' | 'leaving' }
  | { readonly type: 'granted'; readonly grant: Grant }
  | { readonly type: 'refused'; readonly reason: Refusal };

/** Type 1, length of the body 1. */
const headBytes = 2;
const grantBytes = 34;

export function encodeRelayFrame(frame: RelayFrame): Bytes {
  const body = bodyOf(frame);
  return concatBytes(Uint8Array.of(types[frame.type], body.length), body);
}

function bodyOf(frame: RelayFrame): Bytes {
  if (frame.type === 'refused') return Uint8Array.of(refusals.indexOf(frame.reason) + 1);
  if (frame.type !== 'granted') return new Uint8Array();
  const { leaseSeconds, circuitBytesMax, circuitSeconds, observed } = frame.grant;
  const body = Buffer.alloc(grantBytes);
  body.writeUInt32BE(leaseSeconds, 0);
  body.writeBigUInt64BE(BigInt(circuitBytesMax), 4);
  body.writeUInt32BE(circuitSeconds, 12);
  if (observed) {
    body.set(mapIp(observed.ip), 16);
    body.writeUInt16BE(observed.port, 32);
  }
  return body;
}

function parseBody(type: number, body: Bytes): RelayFrame | undefined {
  if (type === types.granted) {
    const grant = parseGrant(body);
    return grant && { type: 'granted', grant };
  }
  if (type === types.refused) {
    const reason = refusals[(body[0] ?? 0) - 1];
    return reason && body.length === 1 ? { type: 'refused', reason } : undefined;
  }
  if (body.length > 0) return undefined;
  if (type === types.reserve) return { type: 'reserve' };
  if (type === types.ping) return { type: 'ping' };
  if (type === types.pong) return { type: 'pong' };
  return type === types.leaving ? { type: 'leaving' } : undefined;
}

function parseGrant(bytes: Bytes): Grant | undefined {
  if (bytes.length !== grantBytes) return undefined;
  const body = asBuffer(bytes);
  const port = body.readUInt16BE(32);
  const circuitBytesMax = Number(body.readBigUInt64BE(4));
  if (!Number.isSafeInteger(circuitBytesMax)) return undefined;
  return {
    leaseSeconds: body.readUInt32BE(0),
    circuitBytesMax,
    circuitSeconds: body.readUInt32BE(12),
    observed: port > 0 ? { ip: unmapIp(bytes.slice(16, 32)), port } : undefined,
  };
}

/**
 * Frames as they come; undefined in the place of the first thing that is none, which ends them. At
 * most 257 octets are kept of a frame that has not come whole.
 */
export async function* readRelayFrames(
  chunks: AsyncIterable<Bytes>,
): AsyncGenerator<RelayFrame | undefined, void, undefined> {
  let rest: Bytes = new Uint8Array();
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : concatBytes(rest, chunk);
    for (;;) {
      const [type = 0, length = 0] = rest;
      const end = headBytes + length;
      if (rest.length < headBytes || rest.length < end) break;
      const frame = parseBody(type, rest.subarray(headBytes, end));
      yield frame;
      if (!frame) return;
      rest = rest.subarray(end);
    }
  }
}
