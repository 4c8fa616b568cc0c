/**
 * The keys of other nodes in every form that a handshake needs. Converting and importing a key and
 * the static-static DH cost as much as the rest of a handshake, so the results are kept.
 */
import { asBuffer, type Bytes, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { LruMap } from '../base/limits.ts';
import { keyId, type SigningKey } from '../identity/key.ts';
import type { DhKeyPair, NoiseCrypto } from '../noise/crypto.ts';
import {
  edwardsFromMontgomery,
  montgomeryFromEdwards,
  secretFromSeed,
  xSignOf,
} from '../noise/curve.ts';
import { type RemoteStatic, remoteStaticOf } from '../noise/ik.ts';
import { keyPairFromSecret } from '../noise/node-crypto.ts';

/** This node's key in the forms that handshakes need. */
export interface OwnKeys {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  readonly xSign: boolean;
  /** The converted key. */
  readonly s: DhKeyPair;
  /** The key of mac1 in every INIT to this node. */
  readonly mac1Key: Bytes;
}

export function ownKeysOf(key: SigningKey): OwnKeys {
  return {
    publicKey: key.publicKey,
    xSign: xSignOf(key.publicKey),
    s: keyPairFromSecret(secretFromSeed(key.exportSeed())),
    mac1Key: mac1KeyOf(key.publicKey),
  };
}

const mac1Label = utf8('altnet/1 mac1\0');

/** Whoever knows a node's key can make this: mac1 keeps out only those who do not. */
export function mac1KeyOf(responderPublicKey: Bytes): Bytes {
  return sha256(mac1Label, responderPublicKey);
}

export interface Responder {
  readonly publicKey: Bytes;
  readonly rs: RemoteStatic;
  readonly mac1Key: Bytes;
}

export interface Initiator {
  /** Ed25519, 32 bytes: from the X25519 key and the sign flag. */
  readonly publicKey: Bytes;
  readonly id: Bytes;
}

const peersMax = 4096;

export class Peers {
  readonly #crypto: NoiseCrypto;
  readonly #s: DhKeyPair;
  readonly #responders = new LruMap<string, Responder>(peersMax); // BOUNDED by its size
  readonly #statics = new LruMap<string, RemoteStatic>(peersMax); // BOUNDED by its size
  readonly #initiators = new LruMap<string, Initiator>(peersMax); // BOUNDED by its size

  constructor(crypto: NoiseCrypto, s: DhKeyPair) {
    this.#crypto = crypto;
    this.#s = s;
  }

  /** Undefined for a key that cannot be converted or is of small order. */
  responder(publicKey: Bytes): Responder | undefined {
    const cacheKey = cacheKeyOf(publicKey);
    const known = this.#responders.get(cacheKey);
    if (known) return known;
    const u = montgomeryFromEdwards(publicKey);
    const rs = u && this.remoteStatic(u);
    if (!rs) return undefined;
    const responder = { publicKey, rs, mac1Key: mac1KeyOf(publicKey) };
    this.#responders.set(cacheKey, responder);
    this.keep(rs);
    return responder;
  }

  /**
   * The entry of an X25519 key, found or made, but not kept: anybody can name any key, and only a
   * finished handshake shows that its sender has it.
   */
  remoteStatic(u: Bytes): RemoteStatic | undefined {
    return this.#statics.get(cacheKeyOf(u)) ?? remoteStaticOf(this.#crypto, this.#s, u);
  }

  keep(rs: RemoteStatic): void {
    const cacheKey = cacheKeyOf(rs.publicKey.bytes);
    if (!this.#statics.has(cacheKey)) this.#statics.set(cacheKey, rs);
  }

  /** Who an initiator is; undefined for a u that no Ed25519 key has. */
  initiator({ bytes: u }: { readonly bytes: Bytes }, xSign: boolean): Initiator | undefined {
    const cacheKey = cacheKeyOf(u) + (xSign ? '-' : '+');
    const known = this.#initiators.get(cacheKey);
    if (known) return known;
    const publicKey = edwardsFromMontgomery(u, xSign);
    if (!publicKey) return undefined;
    const initiator = { publicKey, id: keyId(publicKey) };
    this.#initiators.set(cacheKey, initiator);
    return initiator;
  }
}

function cacheKeyOf(key: Bytes): string {
  return asBuffer(key).toString('latin1');
}
