/**
 * The certificate authority of this installation (docs/spec/ca.md): opened from its folder, and
 * what a TLS server shows for each site. It knows no sockets and no browsers.
 */
import type { X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { TokenBucket } from '../base/buckets.ts';
import { AltNetError } from '../base/errors.ts';
import { LruMap } from '../base/limits.ts';
import { writeOnce } from '../base/whole-file.ts';
import {
  authorityNameOf,
  type CaWorld,
  flawOfAuthority,
  type Leaf,
  makeAuthority,
  makeLeaf,
  parseCertificate,
} from './certificate.ts';
import { certificateFileIn, keyFileIn, readSecret, readText } from './files.ts';
import { type CertificateKey, encodeKey, makeKey, parseKey } from './keys.ts';
import { siteOfHost } from './site-host.ts';

export interface AuthorityOptions {
  /** The ending that it signs for: "alt". */
  readonly tld: string;
  readonly world: CaWorld;
}

const leavesMax = 512;
/**
 * A leaf costs one or two milliseconds, and whoever reaches the gateway can ask for any number of
 * names: at most some hundredths of a processor go there. The burst is more than anybody opens at
 * once.
 */
const leafRate = { burst: 128, perSecond: 10 } as const;
/** How much of its life a leaf has left when another one takes its place. */
const renewalPart = 1 / 3;

interface Shown {
  readonly context: SecureContext;
  readonly fromMs: number;
  readonly toMs: number;
  readonly renewAtMs: number;
}

/** Both as PEM. */
export interface CertificatePair {
  readonly cert: string;
  readonly key: string;
}

export class CertificateAuthority {
  /** ca.pem, which browsers and systems are told to trust. */
  readonly file: string;
  readonly #key: CertificateKey;
  readonly #certificate: X509Certificate;
  readonly #options: AuthorityOptions;
  readonly #leaves = new LruMap<string, Shown>(leavesMax); // BOUNDED by its size
  readonly #rate: TokenBucket;
  /** One for all sites, in memory alone: a new process has another one. */
  #leafKey: CertificateKey | undefined;

  private constructor(
    file: string,
    { key, certificate }: { readonly key: CertificateKey; readonly certificate: X509Certificate },
    options: AuthorityOptions,
  ) {
    this.file = file;
    this.#key = key;
    this.#certificate = certificate;
    this.#options = options;
    this.#rate = new TokenBucket(options.world.clock, leafRate);
  }

  /**
   * The authority in `folder`, made when there is none. Rejects with CA_UNUSABLE, KEY_EXPOSED,
   * PATH_UNREADABLE, PATH_UNSUPPORTED or DISK_FULL.
   */
  static async open(folder: string, options: AuthorityOptions): Promise<CertificateAuthority> {
    const found = await CertificateAuthority.find(folder, options);
    if (found) return found;
    const { random } = options.world;
    const keyFile = keyFileIn(folder);
    // The key first, and the certificate for the key that is there then: so two that begin at the
    // same time, or one that was killed in between, end with a pair.
    await writeOnce(keyFile, { text: encodeKey(makeKey()), mode: 0o600 }, random);
    const key = await keyIn(keyFile);
    if (key) {
      const text = makeAuthority(key, options);
      await writeOnce(certificateFileIn(folder), { text, mode: 0o644 }, random);
    }
    const authority = await CertificateAuthority.find(folder, options);
    if (authority) return authority;
    throw new AltNetError('CA_UNUSABLE', { file: keyFile, why: 'it was taken away' });
  }

  /** The same, or undefined when there is none: nothing is made. */
  static async find(
    folder: string,
    options: AuthorityOptions,
  ): Promise<CertificateAuthority | undefined> {
    const file = certificateFileIn(folder);
    const pem = await readText(file);
    if (pem === undefined) return undefined;
    const keyFile = keyFileIn(folder);
    const key = await keyIn(keyFile);
    if (!key) {
      const why = 'it is missing, and without it the certificate beside it is of no use';
      throw new AltNetError('CA_UNUSABLE', { file: keyFile, why });
    }
    const certificate = parseCertificate(pem);
    const nowMs = options.world.clock.unixMs();
    const why = certificate
      ? flawOfAuthority(certificate, key, { tld: options.tld, nowMs })
      : 'it holds no certificate';
    if (!certificate || why !== undefined) {
      throw new AltNetError('CA_UNUSABLE', { file, why: why ?? '' });
    }
    return new CertificateAuthority(file, { key, certificate }, options);
  }

  /** "AltNet local CA 1a2b3c4d", as lists of certificates show it. */
  get name(): string {
    return authorityNameOf(this.#key);
  }

  get pem(): string {
    return this.#certificate.toString();
  }

  /** SHA-256 of the certificate, as browsers show it: "AB:CD:…". */
  get fingerprint(): string {
    return this.#certificate.fingerprint256;
  }

  /** When it has to be made, and trusted, anew. */
  get notAfter(): Date {
    return this.#certificate.validToDate;
  }

  /**
   * What a server shows to who asks for this name. Undefined for a name that is not below the
   * ending, while too many are asked for, and once the authority has expired.
   */
  contextFor(servername: string): SecureContext | undefined {
    const { tld, world } = this.#options;
    const site = siteOfHost(servername, tld);
    const nowMs = world.clock.unixMs();
    if (site === undefined || nowMs >= this.notAfter.getTime()) return undefined;
    const known = this.#leaves.get(site);
    const isValid = known !== undefined && known.fromMs <= nowMs && nowMs < known.toMs;
    if (isValid && nowMs < known.renewAtMs) return known.context;
    if (!this.#rate.take()) return isValid ? known.context : undefined;
    const shown = this.#make(site);
    this.#leaves.set(site, shown);
    return shown.context;
  }

  /**
   * A new certificate for one site with its key, as PEM, for a server that shows it by itself. How
   * often that is, is the caller's to see to. Undefined as for `contextFor`.
   */
  pairFor(host: string): CertificatePair | undefined {
    const site = siteOfHost(host, this.#options.tld);
    if (site === undefined || this.#options.world.clock.unixMs() >= this.notAfter.getTime()) {
      return undefined;
    }
    const { pem, leafKey } = this.#sign(site);
    return { cert: pem, key: encodeKey(leafKey) };
  }

  #make(site: string): Shown {
    const { pem, fromMs, toMs, leafKey } = this.#sign(site);
    const context = createSecureContext({ cert: pem, key: encodeKey(leafKey) });
    return { context, fromMs, toMs, renewAtMs: toMs - (toMs - fromMs) * renewalPart };
  }

  #sign(site: string): Leaf & { readonly leafKey: CertificateKey } {
    const leafKey = (this.#leafKey ??= makeKey());
    const leaf = makeLeaf(
      site,
      { key: this.#key, toMs: this.notAfter.getTime() },
      { leafKey, world: this.#options.world },
    );
    return { ...leaf, leafKey };
  }
}

/** Undefined when there is no such file. */
async function keyIn(file: string): Promise<CertificateKey | undefined> {
  const pem = await readSecret(file);
  if (pem === undefined) return undefined;
  const key = parseKey(pem);
  if (!key) throw new AltNetError('CA_UNUSABLE', { file, why: 'it holds no private key on P-256' });
  return key;
}
