/**
 * Cookies: under load an INIT is opened only if its sender shows, by mac2, that it got the cookie
 * that was sent to its address and port. Making and checking one keeps nothing.
 */
import { type Endpoint, mapIp } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { hmacSha256 } from '../base/hash.ts';
import { type InitPacket, mac2Parts, macBytes } from '../wire/packets.ts';
import { equalMacs, RotatingSecret } from './rotating-secret.ts';

const rotationMs = 120_000;

export class Cookies {
  readonly #secret: RotatingSecret;

  constructor(world: Pick<World, 'clock' | 'random'>) {
    this.#secret = new RotatingSecret(world, rotationMs);
  }

  issue(endpoint: Endpoint): Bytes {
    return this.#secret.mac(macBytes, ...cookieParts(endpoint));
  }

  /** Whether the INIT's mac2 was made with a cookie of this endpoint. */
  verifies(init: InitPacket, endpoint: Endpoint): boolean {
    for (const cookie of this.#secret.validMacs(macBytes, ...cookieParts(endpoint))) {
      if (equalMacs(init.mac2, mac2Of(cookie, init.bytes))) return true;
    }
    return false;
  }
}

function cookieParts({ ip, port }: Endpoint): Bytes[] {
  return [mapIp(ip), Uint8Array.of(port >> 8, port & 255)];
}

/** The mac2 of an encoded INIT under a cookie. */
export function mac2Of(cookie: Bytes, init: Bytes): Bytes {
  return hmacSha256(cookie, ...mac2Parts(init)).subarray(0, macBytes);
}
