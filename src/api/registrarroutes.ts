/** The endpoints for a registrar and those whom it certifies (docs/spec/http.md, "API"). */
import { certificateInput } from './inputs.ts';
import type { AcceptResult, CertificateInfo } from './ports-trust.ts';
import { counted, type Route, route } from './route.ts';
import { count, countedList, hash, type Schema, shape, text, unixTime } from './schema.ts';

interface CertifyInput {
  name: string;
  owner: string;
  days?: number;
}

const nameInput: Schema = { type: 'string', minLength: 1, maxLength: 255 };
const ownerInput: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description: "the owner's key name, or 64 hex digits of the public key",
};
const daysInput: Schema = { type: 'integer', minimum: 1, maximum: 3650, default: 365 };

const certificate = shape<CertificateInfo>(
  {
    name: text,
    zone: hash,
    owner: hash,
    serial: count,
    not_before: unixTime,
    not_after: unixTime,
    state: { enum: ['valid', 'not-yet', 'expired', 'withdrawn'] },
    certificate: text,
  },
  {},
);
const withdrawn = shape<{ name: string; ok: true; stored: number }>(
  { name: text, ok: { const: true }, stored: count },
  {},
);
const accepted = shape<AcceptResult>(
  { name: text, zone: hash, serial: count, not_after: unixTime },
  { version: count, stored: count },
);

export const registrarRoutes: readonly Route[] = [
  route<CertifyInput>({
    method: 'POST',
    path: '/api/registrar/certify',
    summary: "Let an author write a name of this node's zone",
    from: 'body',
    input: shape<CertifyInput>({ name: nameInput, owner: ownerInput }, { days: daysInput }),
    answer: { json: certificate },
    run: (services, input, options) => services.certify(input, options),
  }),
  route({
    method: 'GET',
    path: '/api/registrar/certificates',
    summary: "The latest certificate of each name of this node's zone",
    answer: { json: countedList('certificates', certificate) },
    run: async (services) => counted('certificates', await services.certificates()),
  }),
  route<{ name: string }>({
    method: 'POST',
    path: '/api/registrar/withdraw',
    summary: "Take a name of this node's zone away from whoever holds it",
    from: 'body',
    input: shape<{ name: string }>({ name: nameInput }, {}),
    answer: { json: withdrawn },
    run: (services, input, options) => services.withdraw(input, options),
  }),
  route<{ certificate: string }>({
    method: 'POST',
    path: '/api/registrar/accept',
    summary: "Keep a registrar's certificate for this node's author; a name that it has lives on",
    from: 'body',
    input: shape<{ certificate: string }>({ certificate: certificateInput }, {}),
    answer: { json: accepted },
    run: (services, input, options) => services.accept(input, options),
  }),
];
