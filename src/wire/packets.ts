/**
 * The datagrams of AltNet, octet by octet (docs/spec/packets.md). It knows the layouts, not the
 * cryptography that fills them. Views into the datagram are handed out, not copies, unless said.
 */
import type { Bytes } from '../base/bytes.ts';
import type { Decoded } from './failure.ts';
import { Writer } from './octets.ts';

/** Octet 0. 4–10 collide with no first octet of STUN, DTLS or QUIC (RFC 9443). */
export const packetTypes = { init: 4, resp: 5, cookie: 6, who: 9, iam: 10 } as const;

export const version = 1;
export const suite = 1;

/** No datagram is longer: below the IPv6 minimum MTU with every usual header. */
export const datagramBytesMax = 1200;
export const headBytes = 12;
export const macBytes = 16;

/** Where message 1 of the handshake begins; its first 80 octets are covered by both MACs. */
const message1At = headBytes + 2 * macBytes;
const maskedEnd = message1At + 80;

/** 44 head, 32 e, 48 sealed s, 16 tag: an INIT around a payload of n octets has 140 + n. */
export const initOverheadBytes = 140;
/** 12 head, 32 e, 16 tag. */
export const respOverheadBytes = 60;
/** The smallest payload is a request head. */
export const initBytesMin: number = initOverheadBytes + 24;
export const respBytesMin: number = respOverheadBytes + 48;
export const cookieBytes = 28;
export const whoBytes = 224;
export const iamBytes = 108;

export interface InitPacket {
  /** Octets 0–11: part of the prologue. */
  readonly head: Bytes;
  readonly txid: Bytes;
  readonly mac1: Bytes;
  /** Zeros when the sender has no cookie. */
  readonly mac2: Bytes;
  readonly message1: Bytes;
  /** The whole datagram. */
  readonly bytes: Bytes;
}

/** Type, version, suite, 0, txid: how INIT, RESP and COOKIE begin. */
export function encodeHead(type: number, txid: Bytes): Bytes {
  return new Writer(headBytes).u8(type).u8(version).u8(suite).u8(0).bytes(txid).done();
}

/** An INIT whose MACs are still zero. */
export function encodeInit({ txid, message1 }: { txid: Bytes; message1: Bytes }): Bytes {
  return new Writer(message1At + message1.length)
    .bytes(encodeHead(packetTypes.init, txid))
    .zeros(2 * macBytes)
    .bytes(message1)
    .done();
}

/** What mac1 covers: octets 0–11 and 44–123. */
export function mac1Parts(init: Bytes): [Bytes, Bytes] {
  return [init.subarray(0, headBytes), init.subarray(message1At, maskedEnd)];
}

/** What mac2 covers: octets 0–27 (so mac1 as well) and 44–123. */
export function mac2Parts(init: Bytes): [Bytes, Bytes] {
  return [init.subarray(0, headBytes + macBytes), init.subarray(message1At, maskedEnd)];
}

/** Puts mac1 into an encoded INIT. */
export function setMac1(init: Bytes, mac1: Bytes): void {
  init.set(mac1, headBytes);
}

/** Puts mac2 into an encoded INIT. */
export function setMac2(init: Bytes, mac2: Bytes): void {
  init.set(mac2, headBytes + macBytes);
}

export function decodeInit(bytes: Bytes): Decoded<InitPacket> {
  if (bytes.length < initBytesMin || bytes.length > datagramBytesMax) return 'length';
  const failure = checkHead(bytes, packetTypes.init);
  if (failure) return failure;
  return {
    head: bytes.subarray(0, headBytes),
    txid: bytes.subarray(4, headBytes),
    mac1: bytes.subarray(headBytes, headBytes + macBytes),
    mac2: bytes.subarray(headBytes + macBytes, message1At),
    message1: bytes.subarray(message1At),
    bytes,
  };
}

export interface RespPacket {
  readonly txid: Bytes;
  readonly message2: Bytes;
}

export function encodeResp({ txid, message2 }: RespPacket): Bytes {
  return new Writer(headBytes + message2.length)
    .bytes(encodeHead(packetTypes.resp, txid))
    .bytes(message2)
    .done();
}

export function decodeResp(bytes: Bytes): Decoded<RespPacket> {
  if (bytes.length < respBytesMin || bytes.length > datagramBytesMax) return 'length';
  const failure = checkHead(bytes, packetTypes.resp);
  if (failure) return failure;
  return { txid: bytes.subarray(4, headBytes), message2: bytes.subarray(headBytes) };
}

export interface CookiePacket {
  readonly txid: Bytes;
  /** 16 octets. */
  readonly cookie: Bytes;
}

export function encodeCookie({ txid, cookie }: CookiePacket): Bytes {
  return new Writer(cookieBytes).bytes(encodeHead(packetTypes.cookie, txid)).bytes(cookie).done();
}

export function decodeCookie(bytes: Bytes): Decoded<CookiePacket> {
  if (bytes.length !== cookieBytes) return 'length';
  const failure = checkHead(bytes, packetTypes.cookie);
  if (failure) return failure;
  return { txid: bytes.subarray(4, headBytes), cookie: bytes.slice(headBytes) };
}

export interface WhoPacket {
  readonly txid: Bytes;
}

/** Padded, so that the answer is shorter than the question. */
export function encodeWho({ txid }: WhoPacket): Bytes {
  return new Writer(whoBytes)
    .u8(packetTypes.who)
    .u8(version)
    .zeros(2)
    .bytes(txid)
    .zeros(whoBytes - headBytes)
    .done();
}

/** The padding is not looked at. */
export function decodeWho(bytes: Bytes): Decoded<WhoPacket> {
  if (bytes.length !== whoBytes) return 'length';
  const failure = checkPlainHead(bytes, packetTypes.who);
  return failure ?? { txid: bytes.subarray(4, headBytes) };
}

export interface IamPacket {
  readonly txid: Bytes;
  /** Ed25519, 32 octets. */
  readonly publicKey: Bytes;
  /** 64 octets over "altnet/iam/1\0" ‖ networkId ‖ txid ‖ publicKey. */
  readonly signature: Bytes;
}

export function encodeIam({ txid, publicKey, signature }: IamPacket): Bytes {
  return new Writer(iamBytes)
    .u8(packetTypes.iam)
    .u8(version)
    .zeros(2)
    .bytes(txid)
    .bytes(publicKey)
    .bytes(signature)
    .done();
}

export function decodeIam(bytes: Bytes): Decoded<IamPacket> {
  if (bytes.length !== iamBytes) return 'length';
  const failure = checkPlainHead(bytes, packetTypes.iam);
  if (failure) return failure;
  return {
    txid: bytes.subarray(4, headBytes),
    publicKey: bytes.slice(headBytes, headBytes + 32),
    signature: bytes.slice(headBytes + 32),
  };
}

function checkHead(
  bytes: Bytes,
  type: number,
): 'type' | 'version' | 'suite' | 'reserved' | undefined {
  if (bytes[0] !== type) return 'type';
  if (bytes[1] !== version) return 'version';
  if (bytes[2] !== suite) return 'suite';
  return bytes[3] === 0 ? undefined : 'reserved';
}

/** WHO and IAM have no suite: octets 2 and 3 are zero. */
function checkPlainHead(bytes: Bytes, type: number): 'type' | 'version' | 'reserved' | undefined {
  if (bytes[0] !== type) return 'type';
  if (bytes[1] !== version) return 'version';
  return bytes[2] === 0 && bytes[3] === 0 ? undefined : 'reserved';
}
