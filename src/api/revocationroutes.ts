/** The endpoints for signed revocation (docs/spec/http.md, "API"). */
import type { RevocationListInfo, RevokeResult } from './ports-trust.ts';
import { counted, type Route, route } from './route.ts';
import { boolean, count, countedList, hash, type Schema, shape, text, unixTime } from './schema.ts';

interface RevokeInput {
  /** What clients know as `name` may be a root as well. */
  name: string;
  undo?: boolean;
}

const nameInput: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 300,
  description: 'name, CID or 64 hex digits',
};

const revokeResult = shape<RevokeResult>(
  {
    name: text,
    chunk_count: count,
    ok: { const: true },
    changed: count,
    entries: count,
    stored: count,
  },
  { root: hash, wait_seconds: count },
);
const listInfo = shape<RevocationListInfo>(
  { revoker: hash, entries: count, state: { enum: ['fresh', 'stale', 'unknown'] } },
  {
    issued: unixTime,
    next_update: unixTime,
    equivocated: { const: true },
    lacking: { const: true },
  },
);

export const revocationRoutes: readonly Route[] = [
  route<RevokeInput>({
    method: 'POST',
    path: '/api/revoke',
    summary: 'Revoke a name and what it shows, or a root, wherever this author is trusted',
    from: 'body',
    input: shape<RevokeInput>({ name: nameInput }, { undo: boolean }),
    answer: { json: revokeResult },
    run: (services, { name, undo }, options) => services.revoke({ what: name, undo }, options),
  }),
  route({
    method: 'GET',
    path: '/api/revocations',
    summary: 'The lists of revokers that this node goes by',
    answer: { json: countedList('revocations', listInfo) },
    run: async (services) => counted('revocations', await services.revocations()),
  }),
];
