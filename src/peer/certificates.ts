/**
 * The certificate that this node shows, and those of others. One is made for the life of the host,
 * and each is verified once: both take milliseconds, for which the other end would wait. What a
 * certificate must say is left to @libp2p/tls. It knows no connections.
 */
import { X509Certificate } from 'node:crypto';
import { publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { PeerId, PrivateKey } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { generateCertificate, verifyPeerCertificate } from '@libp2p/tls/utils';
import { type Bytes, equalBytes, toHex } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import { sha256 } from '../base/hash.ts';
import { LruMap } from '../base/limits.ts';

/** PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Those that libp2p makes have about 500. */
const certificateBytesMax = 4096;

interface Verified {
  /** A copy: a peer ID keeps the memory in which it was decoded, 6 kB with what lies beside it. */
  readonly publicKey: Bytes;
  /** Unix milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
}

export class Certificates {
  readonly #clock: Pick<Clock, 'unixMs'>;
  /** By the SHA-256 of the certificate. BOUNDED by its size. */
  readonly #verified = new LruMap<string, Verified>(512);
  #own: Promise<Certificate> | undefined;

  constructor(clock: Pick<Clock, 'unixMs'>) {
    this.#clock = clock;
  }

  /** The same one every time, and its key stays in memory: a new process has another one. */
  own(privateKey: PrivateKey): Promise<Certificate> {
    this.#own ??= this.#make(privateKey).catch((error: unknown) => {
      this.#own = undefined;
      throw error;
    });
    return this.#own;
  }

  async #make(privateKey: PrivateKey): Promise<Certificate> {
    const made = await generateCertificate(privateKey);
    // What the first peer would otherwise wait for: code that never ran takes three times as long.
    await verifyPeerCertificate(new X509Certificate(made.cert).raw);
    return made;
  }

  /**
   * The node key that it proves. The connection must have proven that the peer has the key of the
   * certificate. Rejects when it may not be believed.
   */
  async verify(raw: Bytes): Promise<PeerId> {
    if (raw.length > certificateBytesMax) throw new Error('the certificate is too large');
    const key = toHex(sha256(raw));
    const nowMs = this.#clock.unixMs();
    const before = this.#verified.get(key);
    if (before && before.fromMs <= nowMs && nowMs <= before.toMs) return peerOf(before);
    const found = await verifyPeerCertificate(raw);
    if (found.type !== 'Ed25519') return found; // no AltNet node: it is not met again
    const { validFromDate, validToDate } = new X509Certificate(raw);
    const [fromMs, toMs] = [validFromDate.getTime(), validToDate.getTime()];
    this.#verified.set(key, { publicKey: new Uint8Array(found.publicKey.raw), fromMs, toMs });
    return found;
  }

  /** SHA-256, in hexadecimal, of the valid certificates that a peer has proven to be its own. */
  proofsOf(publicKey: Bytes): readonly string[] {
    const nowMs = this.#clock.unixMs();
    return [...this.#verified.entries()].flatMap(([hash, { fromMs, toMs, publicKey: of }]) =>
      fromMs <= nowMs && nowMs <= toMs && equalBytes(of, publicKey) ? [hash] : [],
    );
  }
}

function peerOf({ publicKey }: Verified): PeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey));
}
