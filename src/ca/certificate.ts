/**
 * The two kinds of certificates there are (docs/spec/ca.md): the authority's own, made and checked,
 * and those it signs for sites. It knows no files and no cache.
 */
import { X509Certificate } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { Certificate, Extensions } from '@peculiar/asn1-x509';
import type { World } from '../base/clock.ts';
import { authorityExtensions, leafExtensions } from './extensions.ts';
import { type CertificateKey, shortNameOf } from './keys.ts';
import { signCertificate } from './sign.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * Browsers bound the life of what a server shows, not of a root that its user installed. Ten years
 * outlive most installations, and a root has to be trusted anew by hand.
 */
const authorityMs = 3652 * dayMs;
/** Below the strictest limit there is for what a server shows, 398 days. */
const leafMs = 90 * dayMs;
/** A clock that is a little behind must not meet a certificate from the future. */
const authorityBackMs = dayMs;
const leafBackMs = hourMs;

export interface Leaf {
  readonly pem: string;
  /** Unix milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
}

export type CaWorld = Pick<World, 'clock' | 'random'>;

type PublicKey = Pick<CertificateKey, 'spki'>;

/** A certificate of `key` for itself, in PEM. */
export function makeAuthority(
  key: CertificateKey,
  { tld, world }: { readonly tld: string; readonly world: CaWorld },
): string {
  const fromMs = world.clock.unixMs() - authorityBackMs;
  const name = authorityNameOf(key);
  const { spki } = key;
  return signCertificate(
    {
      subject: name,
      issuer: name,
      fromMs,
      toMs: fromMs + authorityMs,
      spki,
      extensions: authorityExtensions(tld, spki),
      serial: world.random.bytes(16),
    },
    key,
  );
}

/** "AltNet local CA 1a2b3c4d": as random as the key, so that no two are mistaken for each other. */
export function authorityNameOf(key: PublicKey): string {
  return `AltNet local CA ${shortNameOf(key)}`;
}

/** Undefined for what is no certificate. */
export function parseCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

/**
 * Why this must not be used as the certificate of `key`, which is so for whatever this program
 * would not have made: a root without its constraints would be a danger to its user.
 */
export function flawOfAuthority(
  certificate: X509Certificate,
  key: PublicKey,
  { tld, nowMs }: { readonly tld: string; readonly nowMs: number },
): string | undefined {
  const { publicKey, subject, issuer, validFromDate, validToDate } = certificate;
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  if (!spki.equals(key.spki)) return 'it does not belong to the key beside it';
  if (!certificate.verify(publicKey)) return 'its signature is not valid';
  if (subject !== `CN=${authorityNameOf(key)}` || issuer !== subject) return 'its name is another';
  if (!isBound(certificate, tld, key)) return `it is not bound to .${tld} as it must be`;
  if (nowMs < validFromDate.getTime()) {
    return 'it is from the future; set the clock of this machine';
  }
  if (nowMs < validToDate.getTime()) return undefined;
  return `it expired on ${validToDate.toISOString().slice(0, 10)}`;
}

/** Whether its extensions are those that bind an authority to `tld`, and no others. */
function isBound({ raw }: X509Certificate, tld: string, { spki }: PublicKey): boolean {
  const { extensions } = AsnConvert.parse(raw, Certificate).tbsCertificate;
  const wanted = new Extensions(authorityExtensions(tld, spki));
  const [have, want] = [extensions ?? new Extensions(), wanted].map((list) =>
    Buffer.from(AsnConvert.serialize(list)),
  );
  return want !== undefined && have?.equals(want) === true;
}

/** `site`: "alice.alt"; that it is below the ending of the authority is the caller's to see to. */
export function makeLeaf(
  site: string,
  { key, toMs: latestMs }: { readonly key: CertificateKey; readonly toMs: number },
  { leafKey, world }: { readonly leafKey: CertificateKey; readonly world: CaWorld },
): Leaf {
  const nowMs = world.clock.unixMs();
  const fromMs = nowMs - leafBackMs;
  const toMs = Math.min(nowMs + leafMs, latestMs);
  const { spki } = leafKey;
  const pem = signCertificate(
    {
      // Not the host: a common name has at most 64 characters, and nobody reads it for hosts.
      subject: 'AltNet site',
      issuer: authorityNameOf(key),
      fromMs,
      toMs,
      spki,
      extensions: leafExtensions(site, { spki, issuerSpki: key.spki }),
      serial: world.random.bytes(16),
    },
    key,
  );
  return { pem, fromMs, toMs };
}
