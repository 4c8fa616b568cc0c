/** SHA-256 and HMAC-SHA256, the only hash functions of AltNet. */
import { createHmac, hash } from 'node:crypto';
import { type Bytes, concatBytes } from './bytes.ts';

/** 32 bytes: the digest of the concatenated parts. */
export function sha256(...parts: readonly Bytes[]): Bytes {
  const [only] = parts;
  const input = parts.length === 1 && only !== undefined ? only : concatBytes(...parts);
  return new Uint8Array(hash('sha256', input, 'buffer'));
}

/** 32 bytes: HMAC-SHA256 of the concatenated parts under `key`. */
export function hmacSha256(key: Bytes, ...parts: readonly Bytes[]): Bytes {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return new Uint8Array(mac.digest());
}
