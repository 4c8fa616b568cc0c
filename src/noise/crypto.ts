/**
 * The crypto functions that the handshake is made of, as one interface: node:crypto implements it
 * (node-crypto.ts), and test vectors replace `generateKeyPair`. Sizes are those of the suite
 * 25519_AESGCM_SHA256: DHLEN 32, HASHLEN 32, keys 32, tags 16 bytes.
 */
import type { KeyObject } from 'node:crypto';
import type { Bytes } from '../base/bytes.ts';

export interface DhPublicKey {
  /** The u coordinate, 32 bytes little-endian. */
  readonly bytes: Bytes;
  readonly key: KeyObject;
}

export interface DhKeyPair {
  readonly publicKey: DhPublicKey;
  readonly privateKey: KeyObject;
}

export interface NoiseCrypto {
  /** GENERATE_KEYPAIR: the ephemeral keys of one handshake. */
  generateKeyPair(): DhKeyPair;
  /** Undefined unless the bytes are the one canonical encoding of a u coordinate. */
  importPublicKey(bytes: Bytes): DhPublicKey | undefined;
  /** DH: 32 bytes, or undefined for a point of small order (the result would be zero). */
  dh(keyPair: DhKeyPair, publicKey: DhPublicKey): Bytes | undefined;
  /** HASH of the concatenated parts, 32 bytes. */
  hash(...parts: readonly Bytes[]): Bytes;
  /** HKDF with two outputs of 32 bytes. */
  hkdf(chainingKey: Bytes, inputKeyMaterial: Bytes): readonly [Bytes, Bytes];
  /** ENCRYPT: ciphertext and tag. `n` is the nonce's counter. */
  encrypt(k: Bytes, n: number, ad: Bytes, plaintext: Bytes): Bytes;
  /** DECRYPT: undefined when the tag does not verify. */
  decrypt(k: Bytes, n: number, ad: Bytes, ciphertext: Bytes): Bytes | undefined;
}
