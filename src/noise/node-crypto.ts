/**
 * The suite 25519_AESGCM_SHA256 on node:crypto. It knows nothing of handshakes. Public keys are
 * imported as PEM strings and AES keys are wrapped in a KeyObject, because for every other form
 * node:crypto throws and catches exceptions within: 25 µs instead of 9, and 14 instead of 3.
 */
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import { asBuffer, type Bytes, concatBytes } from '../base/bytes.ts';
import { hmacSha256, sha256 } from '../base/hash.ts';
import type { DhKeyPair, DhPublicKey, NoiseCrypto } from './crypto.ts';
import { isCanonicalU } from './curve.ts';

const tagBytes = 16;
const pkcs8Prefix: Bytes = Uint8Array.from(Buffer.from('302e020100300506032b656e04220420', 'hex'));
/** The DER prefix of an X25519 public key has 12 octets, so its base64 ends before the key's. */
const pemHead = '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA';
const pemTail = '\n-----END PUBLIC KEY-----\n';
const byte1 = Uint8Array.of(1);
const byte2 = Uint8Array.of(2);

export const nodeCrypto: NoiseCrypto = {
  generateKeyPair() {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    return { publicKey: { bytes: exportPublic(publicKey), key: publicKey }, privateKey };
  },

  importPublicKey,

  dh({ privateKey }, { key }) {
    try {
      return new Uint8Array(diffieHellman({ privateKey, publicKey: key }));
    } catch {
      return undefined; // OpenSSL refuses a result of zero
    }
  },

  hash: sha256,

  hkdf(chainingKey, inputKeyMaterial) {
    const temporaryKey = hmacSha256(chainingKey, inputKeyMaterial);
    const output1 = hmacSha256(temporaryKey, byte1);
    return [output1, hmacSha256(temporaryKey, output1, byte2)];
  },

  encrypt(k, n, ad, plaintext) {
    const cipher = createCipheriv('aes-256-gcm', createSecretKey(k), nonce(n));
    cipher.setAAD(ad);
    const body = cipher.update(plaintext);
    cipher.final();
    return concatBytes(body, cipher.getAuthTag());
  },

  decrypt(k, n, ad, ciphertext) {
    const bodyBytes = ciphertext.length - tagBytes;
    if (bodyBytes < 0) return undefined;
    const decipher = createDecipheriv('aes-256-gcm', createSecretKey(k), nonce(n), {
      authTagLength: tagBytes,
    });
    decipher.setAAD(ad);
    decipher.setAuthTag(ciphertext.subarray(bodyBytes));
    const plaintext = decipher.update(ciphertext.subarray(0, bodyBytes));
    try {
      decipher.final();
    } catch {
      return undefined;
    }
    return new Uint8Array(plaintext.buffer, plaintext.byteOffset, plaintext.length);
  },
};

/** Four zero bytes, then the counter as 64 bits big-endian (Noise, "AESGCM"). */
function nonce(n: number): Bytes {
  const bytes = Buffer.alloc(12);
  bytes.writeBigUInt64BE(BigInt(n), 4);
  return bytes;
}

function importPublicKey(bytes: Bytes): DhPublicKey | undefined {
  if (!isCanonicalU(bytes)) return undefined;
  const key = createPublicKey(`${pemHead}${asBuffer(bytes).toString('base64')}${pemTail}`);
  return { bytes: bytes.slice(), key };
}

/** The key pair of a 32-byte X25519 secret; the clamping is part of every DH. */
export function keyPairFromSecret(secret: Bytes): DhKeyPair {
  const der = Buffer.from(concatBytes(pkcs8Prefix, secret));
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  const publicKey = createPublicKey(privateKey);
  return { publicKey: { bytes: exportPublic(publicKey), key: publicKey }, privateKey };
}

function exportPublic(publicKey: KeyObject): Bytes {
  return new Uint8Array(Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url'));
}
