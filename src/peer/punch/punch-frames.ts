/**
 * The frames of `/altnet/punch/1` as octets (docs/spec/nat.md, "Direct connections through NATs"):
 * two peers that a relay connects agree on where and when they dial each other. All have the same
 * length, so that how much has come tells nothing more than how many.
 */
import type { Endpoint } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import { putEndpoint, takeEndpoint } from '../reach/reach-frames.ts';

export const punchProtocol = '/altnet/punch/1';

const types = {
  offer: 0x01,
  ping: 0x02,
  go: 0x03,
  accept: 0x81,
  pong: 0x82,
  decline: 0x83,
} as const;

/** The order is that of the octets on the wire. */
export const declineReasons = ['busy', 'unpredictable', 'unusable'] as const;
/**
 * busy: too many attempts; unpredictable: the NAT gives a port for each peer, or none was learned;
 * unusable: the address that was offered cannot be dialled.
 */
export type DeclineReason = (typeof declineReasons)[number];

export type PunchFrame =
  | { readonly type: 'offer' | 'accept'; readonly endpoint: Endpoint }
  | { readonly type: 'ping' | 'pong' | 'go' }
  | { readonly type: 'decline'; readonly reason: DeclineReason };

export const punchFrameBytes = 19;

export function encodePunchFrame(frame: PunchFrame): Bytes {
  const bytes = Buffer.alloc(punchFrameBytes);
  bytes[0] = types[frame.type];
  if (frame.type === 'offer' || frame.type === 'accept') putEndpoint(bytes, frame.endpoint);
  if (frame.type === 'decline') bytes[1] = declineReasons.indexOf(frame.reason);
  return bytes;
}

/** Undefined for anything else. */
export function decodePunchFrame(bytes: Bytes): PunchFrame | undefined {
  if (bytes.length !== punchFrameBytes) return undefined;
  const type = bytes[0];
  if (type === types.offer || type === types.accept) {
    const endpoint = takeEndpoint(bytes);
    return endpoint && { type: type === types.offer ? 'offer' : 'accept', endpoint };
  }
  const reason = declineReasons[bytes[1] ?? 0];
  if (type === types.decline) return reason && { type: 'decline', reason };
  if (type === types.ping) return { type: 'ping' };
  if (type === types.pong) return { type: 'pong' };
  return type === types.go ? { type: 'go' } : undefined;
}
