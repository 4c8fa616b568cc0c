/**
 * Ed25519 keys. A *node key* identifies a peer and owns nothing; an *author key* signs names and
 * links. They are never the same key (docs/spec/identity.md).
 */
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { asBuffer, type Bytes, concatBytes } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { LruMap } from '../base/limits.ts';
import { isSoundPoint } from './point.ts';

export type KeyKind = 'node' | 'author';

/** A private key that can only sign. The seed leaves it through `exportSeed` alone. */
export class SigningKey {
  readonly kind: KeyKind;
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  /** SHA-256 of the public key, 32 bytes: the node ID or the author's key ID. */
  readonly id: Bytes;
  readonly #seed: Bytes;
  readonly #privateKey: KeyObject;

  /** `seed` is the 32 secret bytes of RFC 8032. */
  constructor(kind: KeyKind, seed: Bytes) {
    this.kind = kind;
    this.#seed = seed.slice();
    this.#privateKey = createPrivateKey({
      key: Buffer.from(concatBytes(pkcs8Prefix, seed)),
      format: 'der',
      type: 'pkcs8',
    });
    const spki = createPublicKey(this.#privateKey).export({ format: 'der', type: 'spki' });
    this.publicKey = new Uint8Array(spki.subarray(spkiPrefix.length));
    this.id = keyId(this.publicKey);
  }

  /** A 64-byte Ed25519 signature. */
  sign(message: Bytes): Bytes {
    return new Uint8Array(sign(null, message, this.#privateKey));
  }

  /** The secret, 32 bytes: for key files, export, and deriving the Noise and libp2p keys. */
  exportSeed(): Bytes {
    return this.#seed.slice();
  }

  /** Keeps secrets out of logs and error reports. */
  toJSON(): string {
    return `${this.kind} key`;
  }
}

const pkcs8Prefix: Bytes = Uint8Array.from(Buffer.from('302e020100300506032b657004220420', 'hex'));
const spkiPrefix: Bytes = Uint8Array.from(Buffer.from('302a300506032b6570032100', 'hex'));

/** SHA-256 of a public key: node ID or key ID, 32 bytes. */
export function keyId(publicKey: Bytes): Bytes {
  return sha256(publicKey);
}

// BOUNDED by its size. Importing a key costs 24 µs, a third of a verification.
const importedKeys = new LruMap<string, KeyObject>(4096);

function importPublicKey(publicKey: Bytes): KeyObject | undefined {
  if (!isSoundPoint(publicKey)) return undefined;
  const cacheKey = asBuffer(publicKey).toString('latin1');
  const known = importedKeys.get(cacheKey);
  if (known) return known;
  try {
    const der = Buffer.from(concatBytes(spkiPrefix, publicKey));
    const imported = createPublicKey({ key: der, format: 'der', type: 'spki' });
    importedKeys.set(cacheKey, imported);
    return imported;
  } catch {
    return undefined;
  }
}

/**
 * Whether `signature` (64 bytes) is the key's over `message`. False for anything malformed, and for
 * keys that prove nothing (see `isSoundPoint`).
 */
export function verifySignature({
  publicKey,
  message,
  signature,
}: {
  publicKey: Bytes;
  message: Bytes;
  signature: Bytes;
}): boolean {
  if (signature.length !== 64) return false;
  const key = importPublicKey(publicKey);
  return key !== undefined && verify(null, message, key, signature);
}
