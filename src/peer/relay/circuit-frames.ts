/**
 * The messages of libp2p's circuit relay v2 by which a circuit is asked for (hop) and offered
 * (stop), as far as a relay needs them: protocol buffers behind their length. It is written out
 * here, as what the package has is not exported. It knows no connections.
 * https://github.com/libp2p/specs/blob/master/relay/circuit-v2.md
 */
import { type Bytes, concatBytes } from '../../base/bytes.ts';

export const hopProtocol = '/libp2p/circuit/relay/0.2.0/hop';
export const stopProtocol = '/libp2p/circuit/relay/0.2.0/stop';

/** Statuses of the protocol, by its own names. */
export const circuitStatus = {
  ok: 100,
  resourceLimitExceeded: 201,
  permissionDenied: 202,
  connectionFailed: 203,
  noReservation: 204,
  malformedMessage: 400,
  unexpectedMessage: 401,
} as const;

/** What one circuit may carry, each way, and for how long. */
export interface CircuitLimit {
  readonly bytes: number;
  readonly seconds: number;
}

/** Of hop and of stop, in which the same numbers stand for other fields. */
const hop = { type: 1, peer: 2, limit: 4, status: 5 } as const;
const stop = { type: 1, peer: 2, limit: 3, status: 4 } as const;
const hopTypes = { connect: 1, status: 2 } as const;
const stopTypes = { connect: 0, status: 1 } as const;
/** Field 1 of a peer: its multihash. Its addresses are nothing to a relay. */
const peerId = 1;

/** A message is shorter; what says that it is longer is none. */
export const circuitMessageBytesMax = 1024;

/** What a client asks: a circuit to the peer with this multihash. Anything else is undefined. */
export function decodeHopConnect(message: Bytes): Bytes | undefined {
  const fields = decodeFields(message);
  const peer = fields?.get(hop.peer);
  if (fields?.get(hop.type) !== hopTypes.connect || !(peer instanceof Uint8Array)) return undefined;
  const id = decodeFields(peer)?.get(peerId);
  return id instanceof Uint8Array ? id : undefined;
}

export function encodeHopStatus(status: number, limit?: CircuitLimit): Bytes {
  return delimited(
    concatBytes(
      varintField(hop.type, hopTypes.status),
      ...(limit ? [bytesField(hop.limit, encodeLimit(limit))] : []),
      varintField(hop.status, status),
    ),
  );
}

/** Offers the receiver a circuit from the peer with this multihash. */
export function encodeStopConnect(from: Bytes, limit: CircuitLimit): Bytes {
  return delimited(
    concatBytes(
      varintField(stop.type, stopTypes.connect),
      bytesField(stop.peer, bytesField(peerId, from)),
      bytesField(stop.limit, encodeLimit(limit)),
    ),
  );
}

/** The status of an answer; undefined for anything else. */
export function decodeStopStatus(message: Bytes): number | undefined {
  const fields = decodeFields(message);
  const status = fields?.get(stop.status);
  return fields?.get(stop.type) === stopTypes.status && typeof status === 'number'
    ? status
    : undefined;
}

function encodeLimit({ bytes, seconds }: CircuitLimit): Bytes {
  return concatBytes(varintField(1, seconds), varintField(2, bytes));
}

function delimited(message: Bytes): Bytes {
  return concatBytes(varint(message.length), message);
}

function varintField(field: number, value: number): Bytes {
  return concatBytes(varint(field << 3), varint(value));
}

function bytesField(field: number, value: Bytes): Bytes {
  return concatBytes(varint((field << 3) | 2), varint(value.length), value);
}

/** Seven bits at a time, the lowest first; of whole numbers up to 2⁵³ − 1. */
function varint(value: number): Bytes {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Uint8Array.from([...bytes, rest]);
}

/** The number at `at`, and where it ends; undefined when there is none of at most 2⁵³ − 1. */
export function readVarint(
  bytes: Bytes,
  at: number,
): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  let factor = 1;
  for (let end = at; end < bytes.length && end < at + 8; end++, factor *= 128) {
    const byte = bytes[end] ?? 0;
    value += (byte & 127) * factor;
    if (value > Number.MAX_SAFE_INTEGER) return undefined;
    if (byte < 128) return { value, end: end + 1 };
  }
  return undefined;
}

/** Numbers and octet strings by field, of several the last; undefined for what is no message. */
function decodeFields(message: Bytes): Map<number, number | Bytes> | undefined {
  const fields = new Map<number, number | Bytes>(); // BOUNDED by the length of the message
  for (let at = 0; at < message.length;) {
    const key = readVarint(message, at);
    const value = key && readVarint(message, key.end);
    if (!key || !value) return undefined;
    const field = Math.floor(key.value / 8);
    if (key.value % 8 === 0) {
      fields.set(field, value.value);
      at = value.end;
    } else if (key.value % 8 === 2) {
      at = value.end + value.value;
      if (at > message.length) return undefined;
      fields.set(field, message.subarray(value.end, at));
    } else {
      return undefined; // the messages have no others
    }
  }
  return fields;
}
