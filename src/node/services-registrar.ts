/** Certificates as users see them: a registrar's, and those that an author is given. */
import type { CertificateInfo, RegistrarServices } from '../api/ports-trust.ts';
import { toHex } from '../base/bytes.ts';
import { parseCertificate } from '../name/certificate-text.ts';
import type { IssuedCertificate } from '../name/registrar.ts';
import type { Parts } from './parts.ts';
import { workOptions } from './services-names.ts';
import { parseAuthor } from './words.ts';

/** As of other lists: who has more looks at one name after the other. */
const listedMax = 10_000;

export function registrarServices(
  { registrar, names }: Pick<Parts, 'registrar' | 'names'>,
  { onNameChanged }: { readonly onNameChanged: () => void },
): RegistrarServices {
  return {
    async certify({ name, owner, days }, { signal } = {}) {
      return shownCertificate(await registrar.certify(name, parseAuthor(owner), { days, signal }));
    },

    async certificates() {
      return registrar.list().slice(0, listedMax).map(shownCertificate);
    },

    async withdraw({ name }, { signal } = {}) {
      try {
        return { ...(await registrar.withdraw(name, { signal })), ok: true };
      } finally {
        onNameChanged();
      }
    },

    async accept({ certificate: text }, options) {
      const certificate = parseCertificate(text);
      const written = await names.accept(certificate, workOptions(options));
      const { label, zone, serial, notAfter } = certificate;
      return {
        name: `${label}.alt`,
        zone: toHex(zone),
        serial,
        not_after: notAfter,
        ...(written && { version: written.version, stored: written.stored }),
      };
    },
  };
}

function shownCertificate(issued: IssuedCertificate): CertificateInfo {
  const { name, zone, owner, serial, notBefore, notAfter, state, text } = issued;
  return {
    name,
    zone: toHex(zone),
    owner: toHex(owner),
    serial,
    not_before: notBefore,
    not_after: notAfter,
    state,
    certificate: text,
  };
}
