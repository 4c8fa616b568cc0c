/**
 * Noise_IK_25519_AESGCM_SHA256 with the names of the Noise specification (revision 34):
 *
 *     <- s
 *     ...
 *     -> e, es, s, ss
 *     <- e, ee, se
 *
 * One handshake carries one request and one reply, so each object writes one message and reads
 * one. It knows nothing of packets, payloads or Ed25519. What came from the other side and does not
 * fit gives `undefined`. A responder is then of no more use; an initiator still waits for the true
 * answer, so that a forged one that comes first does no harm.
 */
import { type Bytes, concatBytes } from '../base/bytes.ts';
import type { DhKeyPair, DhPublicKey, NoiseCrypto } from './crypto.ts';
import { type CipherState, SymmetricState } from './symmetric.ts';

export const protocolName = 'Noise_IK_25519_AESGCM_SHA256';

/** Message 1 without its payload: e, then s and its tag; the payload's tag comes on top. */
export const message1HeadBytes = 80;
/** Message 2 without its payload: e. */
export const message2HeadBytes = 32;
export const tagBytes = 16;

/**
 * The other side's static key, with the DH of both static keys: the one result that does not
 * change between handshakes and is worth keeping.
 */
export interface RemoteStatic {
  readonly publicKey: DhPublicKey;
  readonly ss: Bytes;
}

/** Undefined for a u coordinate that is not canonical or a point of small order. */
export function remoteStaticOf(
  crypto: NoiseCrypto,
  s: DhKeyPair,
  publicKey: Bytes,
): RemoteStatic | undefined {
  const imported = crypto.importPublicKey(publicKey);
  const ss = imported && crypto.dh(s, imported);
  return ss && { publicKey: imported, ss };
}

/** The state after the pre-message `<- s`. */
function startHandshake(crypto: NoiseCrypto, prologue: Bytes, responderS: Bytes): SymmetricState {
  const symmetric = new SymmetricState(crypto, protocolName);
  symmetric.mixHash(prologue);
  symmetric.mixHash(responderS);
  return symmetric;
}

export class InitiatorHandshake {
  readonly #crypto: NoiseCrypto;
  #symmetric: SymmetricState;
  readonly #s: DhKeyPair;
  readonly #rs: RemoteStatic;
  readonly #e: DhKeyPair;

  constructor(
    crypto: NoiseCrypto,
    { s, rs, prologue }: { s: DhKeyPair; rs: RemoteStatic; prologue: Bytes },
  ) {
    this.#crypto = crypto;
    this.#s = s;
    this.#rs = rs;
    this.#symmetric = startHandshake(crypto, prologue, rs.publicKey.bytes);
    this.#e = crypto.generateKeyPair();
  }

  /** -> e, es, s, ss */
  writeMessage1(payload: Bytes): Bytes | undefined {
    const e = this.#e.publicKey.bytes;
    this.#symmetric.mixHash(e);
    const es = this.#crypto.dh(this.#e, this.#rs.publicKey);
    if (!es) return undefined;
    this.#symmetric.mixKey(es);
    const s = this.#symmetric.encryptAndHash(this.#s.publicKey.bytes);
    this.#symmetric.mixKey(this.#rs.ss);
    return concatBytes(e, s, this.#symmetric.encryptAndHash(payload));
  }

  /** <- e, ee, se. The payload. */
  readMessage2(message: Bytes): Bytes | undefined {
    if (message.length < message2HeadBytes + tagBytes) return undefined;
    const re = this.#crypto.importPublicKey(message.subarray(0, message2HeadBytes));
    if (!re) return undefined;
    const symmetric = this.#symmetric.clone();
    symmetric.mixHash(re.bytes);
    const ee = this.#crypto.dh(this.#e, re);
    if (!ee) return undefined;
    symmetric.mixKey(ee);
    const se = this.#crypto.dh(this.#s, re);
    if (!se) return undefined;
    symmetric.mixKey(se);
    const payload = symmetric.decryptAndHash(message.subarray(message2HeadBytes));
    if (payload) this.#symmetric = symmetric;
    return payload;
  }

  /** First what this side sends, then what it receives. */
  split(): readonly [CipherState, CipherState] {
    return this.#symmetric.split();
  }

  getHandshakeHash(): Bytes {
    return this.#symmetric.getHandshakeHash();
  }
}

export class ResponderHandshake {
  readonly #crypto: NoiseCrypto;
  readonly #symmetric: SymmetricState;
  readonly #s: DhKeyPair;
  readonly #remoteStatic: (publicKey: Bytes) => RemoteStatic | undefined;
  #re: DhPublicKey | undefined;
  #rs: RemoteStatic | undefined;

  /** `remoteStatic` finds or makes the entry of an initiator's key. */
  constructor(
    crypto: NoiseCrypto,
    {
      s,
      prologue,
      remoteStatic,
    }: {
      s: DhKeyPair;
      prologue: Bytes;
      remoteStatic: (publicKey: Bytes) => RemoteStatic | undefined;
    },
  ) {
    this.#crypto = crypto;
    this.#s = s;
    this.#remoteStatic = remoteStatic;
    this.#symmetric = startHandshake(crypto, prologue, s.publicKey.bytes);
  }

  /** -> e, es, s, ss. The payload and who sent it. */
  readMessage1(message: Bytes): { payload: Bytes; rs: RemoteStatic } | undefined {
    if (message.length < message1HeadBytes + tagBytes) return undefined;
    const re = this.#crypto.importPublicKey(message.subarray(0, 32));
    if (!re) return undefined;
    this.#symmetric.mixHash(re.bytes);
    const es = this.#crypto.dh(this.#s, re);
    if (!es) return undefined;
    this.#symmetric.mixKey(es);
    const s = this.#symmetric.decryptAndHash(message.subarray(32, message1HeadBytes));
    const rs = s && this.#remoteStatic(s);
    if (!rs) return undefined;
    this.#symmetric.mixKey(rs.ss);
    const payload = this.#symmetric.decryptAndHash(message.subarray(message1HeadBytes));
    if (!payload) return undefined;
    this.#re = re;
    this.#rs = rs;
    return { payload, rs };
  }

  /** <- e, ee, se. Undefined unless message 1 was read. */
  writeMessage2(payload: Bytes): Bytes | undefined {
    if (!this.#re || !this.#rs) return undefined;
    const e = this.#crypto.generateKeyPair();
    this.#symmetric.mixHash(e.publicKey.bytes);
    const ee = this.#crypto.dh(e, this.#re);
    if (!ee) return undefined;
    this.#symmetric.mixKey(ee);
    const se = this.#crypto.dh(e, this.#rs.publicKey);
    if (!se) return undefined;
    this.#symmetric.mixKey(se);
    return concatBytes(e.publicKey.bytes, this.#symmetric.encryptAndHash(payload));
  }

  /** First what this side receives, then what it sends. */
  split(): readonly [CipherState, CipherState] {
    return this.#symmetric.split();
  }

  getHandshakeHash(): Bytes {
    return this.#symmetric.getHandshakeHash();
  }
}
