/** By whose leave this node's author writes a name; what is done with it is not known here. */
import type { CallOptions } from '../api/call-options.ts';
import { type NamedCertificate, parseCertificate } from '../name/certificate-text.ts';
import { parseAddress } from '../name/place.ts';
import type { Parts } from './parts.ts';

/**
 * With what a name is to be written: the certificate that the user gives, or the one that this
 * node's author, as a registrar, needs for a name of its own. Undefined: with what was accepted
 * before, if anything. Rejects with CERTIFICATE_BAD, or NAME_TAKEN for a name given to another.
 */
export async function leaveFor(
  { names, registrar, trust, identity }: Pick<Parts, 'names' | 'registrar' | 'trust' | 'identity'>,
  { name, certificate }: { readonly name: string; readonly certificate?: string | undefined },
  { signal }: CallOptions = {},
): Promise<NamedCertificate | undefined> {
  if (certificate !== undefined) return parseCertificate(certificate);
  const { apex, sub } = parseAddress(name);
  if (apex.type === 'key' || sub !== undefined) return undefined;
  if (!trust.registrars.has(identity.author.publicKey)) return undefined;
  if (names.list().some((own) => own.name === apex.name)) return undefined;
  return registrar.leaveForSelf(apex.name, { signal });
}
