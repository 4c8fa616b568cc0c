/**
 * An authority as those see it who are to trust it, and do not have its key: its certificate, held
 * to all that one of our own has to keep (docs/spec/ca.md). It knows no files and no stores.
 */
import { AltNetError } from '../base/errors.ts';
import type { AuthorityOptions } from './authority.ts';
import { authorityNameOf, flawOfAuthority, parseCertificate } from './certificate.ts';

/** What a store is told, and a person shown. */
export interface PublicAuthority {
  /** "AltNet local CA 1a2b3c4d". */
  readonly name: string;
  readonly pem: string;
  /** SHA-256 of the certificate: "AB:CD:…". */
  readonly fingerprint: string;
  readonly notAfter: Date;
}

/** Throws CA_UNUSABLE, which names `file`, for whatever this program would not have made. */
export function parseAuthority(
  pem: string,
  file: string,
  { tld, world }: AuthorityOptions,
): PublicAuthority {
  const certificate = parseCertificate(pem);
  if (!certificate) throw new AltNetError('CA_UNUSABLE', { file, why: 'it holds no certificate' });
  const key = certificate.publicKey;
  const spki = key.export({ format: 'der', type: 'spki' });
  const isOfKind = key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  const nowMs = world.clock.unixMs();
  const why = isOfKind
    ? flawOfAuthority(certificate, { spki }, { tld, nowMs })
    : 'its key is not one on P-256';
  if (why !== undefined) throw new AltNetError('CA_UNUSABLE', { file, why });
  return {
    name: authorityNameOf({ spki }),
    pem: certificate.toString(),
    fingerprint: certificate.fingerprint256,
    notAfter: certificate.validToDate,
  };
}
