/**
 * SymmetricState and CipherState of the Noise specification (revision 34, 5.1 and 5.2), with their
 * names. They know nothing of patterns or tokens.
 */
import { type Bytes, utf8 } from '../base/bytes.ts';
import type { NoiseCrypto } from './crypto.ts';

/** One direction of what follows the handshake. */
export class CipherState {
  readonly #crypto: NoiseCrypto;
  readonly #k: Bytes;
  #n = 0;

  constructor(crypto: NoiseCrypto, k: Bytes) {
    this.#crypto = crypto;
    this.#k = k;
  }

  encryptWithAd(ad: Bytes, plaintext: Bytes): Bytes {
    return this.#crypto.encrypt(this.#k, this.#n++, ad, plaintext);
  }

  /** Undefined when the tag does not verify; the nonce then stays as it was. */
  decryptWithAd(ad: Bytes, ciphertext: Bytes): Bytes | undefined {
    const plaintext = this.#crypto.decrypt(this.#k, this.#n, ad, ciphertext);
    if (plaintext) this.#n++;
    return plaintext;
  }
}

export class SymmetricState {
  readonly #crypto: NoiseCrypto;
  #ck: Bytes;
  #h: Bytes;
  /** Empty until the first mixKey: IK never encrypts before it. */
  #k: Bytes = new Uint8Array(0);
  #n = 0;

  /** InitializeSymmetric. `protocolName` has at most 32 ASCII characters. */
  constructor(crypto: NoiseCrypto, protocolName: string) {
    this.#crypto = crypto;
    this.#h = new Uint8Array(32);
    this.#h.set(utf8(protocolName));
    this.#ck = this.#h;
  }

  /** A second state that goes its own way from here. */
  clone(): SymmetricState {
    const copy = new SymmetricState(this.#crypto, '');
    copy.#ck = this.#ck;
    copy.#h = this.#h;
    copy.#k = this.#k;
    copy.#n = this.#n;
    return copy;
  }

  mixKey(inputKeyMaterial: Bytes): void {
    const [ck, k] = this.#crypto.hkdf(this.#ck, inputKeyMaterial);
    this.#ck = ck;
    this.#k = k;
    this.#n = 0;
  }

  mixHash(data: Bytes): void {
    this.#h = this.#crypto.hash(this.#h, data);
  }

  encryptAndHash(plaintext: Bytes): Bytes {
    const ciphertext = this.#crypto.encrypt(this.#k, this.#n++, this.#h, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  /** Undefined when the tag does not verify: the handshake has then failed for good. */
  decryptAndHash(ciphertext: Bytes): Bytes | undefined {
    const plaintext = this.#crypto.decrypt(this.#k, this.#n++, this.#h, ciphertext);
    if (plaintext) this.mixHash(ciphertext);
    return plaintext;
  }

  /** The cipher states of the initiator's and of the responder's messages. */
  split(): readonly [CipherState, CipherState] {
    const [k1, k2] = this.#crypto.hkdf(this.#ck, new Uint8Array(0));
    return [new CipherState(this.#crypto, k1), new CipherState(this.#crypto, k2)];
  }

  getHandshakeHash(): Bytes {
    return this.#h;
  }
}
