/**
 * What the certificates say besides their names and times (docs/spec/ca.md, "The authority" and
 * "Leaves"). It knows no private keys and no files.
 */
import { createHash } from 'node:crypto';
import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  ExtendedKeyUsage,
  Extension,
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_authorityKeyIdentifier as authorityKeyIdentifierId,
  id_ce_basicConstraints as basicConstraintsId,
  id_ce_extKeyUsage as extKeyUsageId,
  id_ce_keyUsage as keyUsageId,
  id_ce_nameConstraints as nameConstraintsId,
  id_ce_subjectAltName as subjectAltNameId,
  id_ce_subjectKeyIdentifier as subjectKeyIdentifierId,
  id_kp_serverAuth as serverAuth,
  KeyUsage,
  KeyUsageFlags,
  NameConstraints,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
} from '@peculiar/asn1-x509';
import type { Bytes } from '../base/bytes.ts';

/** Of the authority for names below `tld`. `spki`: of its key. */
export function authorityExtensions(tld: string, spki: Bytes): Extension[] {
  return [
    // It signs sites, and no other authorities.
    critical(basicConstraintsId, new BasicConstraints({ cA: true, pathLenConstraint: 0 })),
    critical(keyUsageId, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign)),
    plain(extKeyUsageId, new ExtendedKeyUsage([serverAuth])),
    critical(nameConstraintsId, constraintsOf(tld)),
    plain(subjectKeyIdentifierId, new SubjectKeyIdentifier(keyIdOf(spki))),
  ];
}

/**
 * Names below `tld` alone. A constraint on names says nothing of addresses, so that these have to
 * be excluded on their own.
 */
function constraintsOf(tld: string): NameConstraints {
  return new NameConstraints({
    permittedSubtrees: new GeneralSubtrees([subtree({ dNSName: tld })]),
    excludedSubtrees: new GeneralSubtrees([
      subtree({ iPAddress: '0.0.0.0/0' }),
      subtree({ iPAddress: '::/0' }),
    ]),
  });
}

function subtree(base: Partial<GeneralName>): GeneralSubtree {
  return new GeneralSubtree({ base: new GeneralName(base) });
}

/** Of a site's certificate. `site`: "alice.alt". */
export function leafExtensions(
  site: string,
  { spki, issuerSpki }: { readonly spki: Bytes; readonly issuerSpki: Bytes },
): Extension[] {
  const hosts = [site, `*.${site}`].map((dNSName) => new GeneralName({ dNSName }));
  const keyIdentifier = new SubjectKeyIdentifier(keyIdOf(issuerSpki));
  return [
    critical(basicConstraintsId, new BasicConstraints({ cA: false })),
    critical(keyUsageId, new KeyUsage(KeyUsageFlags.digitalSignature)),
    plain(extKeyUsageId, new ExtendedKeyUsage([serverAuth])),
    plain(subjectAltNameId, new SubjectAlternativeName(hosts)),
    plain(subjectKeyIdentifierId, new SubjectKeyIdentifier(keyIdOf(spki))),
    plain(authorityKeyIdentifierId, new AuthorityKeyIdentifier({ keyIdentifier })),
  ];
}

function critical(extnID: string, value: object): Extension {
  const extnValue = new OctetString(AsnConvert.serialize(value));
  return new Extension({ extnID, critical: true, extnValue });
}

function plain(extnID: string, value: object): Extension {
  return new Extension({ extnID, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** What tells a key from others of the same issuer; any 20 octets would do (RFC 7093, §2). */
function keyIdOf(spki: Bytes): Bytes {
  return Uint8Array.from(createHash('sha256').update(spki).digest().subarray(0, 20));
}
