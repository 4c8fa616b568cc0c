/** The keys of certificates: ECDSA on P-256, which every browser takes. It knows no files. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto';
import type { Bytes } from '../base/bytes.ts';

export interface CertificateKey {
  readonly secret: KeyObject;
  /** SubjectPublicKeyInfo. */
  readonly spki: Bytes;
}

export function makeKey(): CertificateKey {
  return keyOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey);
}

/** PKCS #8, unencrypted: the file is what protects it. */
export function encodeKey({ secret }: CertificateKey): string {
  return secret.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** Undefined for what is no private key on P-256. */
export function parseKey(pem: string): CertificateKey | undefined {
  try {
    const secret = createPrivateKey(pem);
    const isOurs = secret.asymmetricKeyDetails?.namedCurve === 'prime256v1';
    return isOurs ? keyOf(secret) : undefined;
  } catch {
    return undefined;
  }
}

function keyOf(secret: KeyObject): CertificateKey {
  return { secret, spki: createPublicKey(secret).export({ format: 'der', type: 'spki' }) };
}

/** Eight hex digits that tell one key from another, for people. */
export function shortNameOf({ spki }: Pick<CertificateKey, 'spki'>): string {
  return createHash('sha256').update(spki).digest('hex').slice(0, 8);
}
