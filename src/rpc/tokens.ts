/**
 * Address tokens: proof that a requester receives what is sent to its address. The answerer makes
 * and checks them without keeping anything; the requester keeps the last one of each endpoint.
 */
import { type Endpoint, formatEndpoint, mapIp } from '../base/address.ts';
import { type Bytes, utf8 } from '../base/bytes.ts';
import type { Clock, World } from '../base/clock.ts';
import { LruMap } from '../base/limits.ts';
import { tokenBytes } from '../wire/requests.ts';
import { equalMacs, RotatingSecret } from './rotating-secret.ts';

const rotationMs = 5 * 60_000;
const label = utf8('tok');

/** Who a token is for: an address without its port (NATs change ports) and a key. */
export interface TokenHolder {
  readonly ip: Bytes;
  /** X25519, 32 bytes. */
  readonly publicKey: Bytes;
}

export class AddressTokens {
  readonly #secret: RotatingSecret;

  constructor(world: Pick<World, 'clock' | 'random'>) {
    this.#secret = new RotatingSecret(world, rotationMs);
  }

  issue({ ip, publicKey }: TokenHolder): Bytes {
    return this.#secret.mac(tokenBytes, label, mapIp(ip), publicKey);
  }

  verifies(token: Bytes, { ip, publicKey }: TokenHolder): boolean {
    for (const valid of this.#secret.validMacs(tokenBytes, label, mapIp(ip), publicKey)) {
      if (equalMacs(token, valid)) return true;
    }
    return false;
  }
}

/** The tokens that others gave to this node. One counts as lost when it may have expired. */
export class TokenMemory {
  readonly #clock: Clock;
  // BOUNDED by its size
  readonly #tokens = new LruMap<string, { token: Bytes; givenMs: number }>(4096);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(endpoint: Endpoint): Bytes | undefined {
    const kept = this.#tokens.get(formatEndpoint(endpoint));
    return kept && this.#clock.monotonicMs() - kept.givenMs < rotationMs ? kept.token : undefined;
  }

  set(endpoint: Endpoint, token: Bytes): void {
    const givenMs = this.#clock.monotonicMs();
    this.#tokens.set(formatEndpoint(endpoint), { token, givenMs });
  }

  delete(endpoint: Endpoint): void {
    this.#tokens.delete(formatEndpoint(endpoint));
  }
}
