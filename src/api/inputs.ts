/**
 * What callers of the API may send. Every string is bounded; what it means is for the node to
 * judge.
 */
import type { LinkInput } from './ports-links.ts';
import type { FetchFileInput, PublishInput } from './ports-sites.ts';
import { boolean, count, type Schema, shape, unixTime } from './schema.ts';

const nameInput: Schema = { type: 'string', minLength: 1, maxLength: 255 };
const rootInput: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description: 'CID, or 64 hex digits of SHA-256',
};
const pathInput: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 4096,
  description: "absolute, on the node's machine",
};
const urlInput: Schema = { type: 'string', minLength: 1, maxLength: 4096 };
const hashInput: Schema = { type: 'string', pattern: '^[0-9a-fA-F]{64}$' };
const ownerInput: Schema = {
  type: 'string',
  pattern: '^[^\\p{Cc}]{1,255}$',
  description: 'for whom, in words of the caller; listed with the name, known to nobody else',
};
/** A registrar's certificate, as its owner is given it; lines may be broken. */
export const certificateInput: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 1000,
  description: "a registrar's certificate: altcert1…",
};
const authorInput: Schema = {
  type: 'string',
  minLength: 1,
  maxLength: 255,
  description: "the author's key name, or 64 hex digits of the public key",
};
const idInput: Schema = {
  type: 'string',
  pattern: '^([0-9a-fA-F]{40}|[0-9a-fA-F]{64})$',
  description: 'node ID: all 64 hex digits or the first 40',
};

export interface NameInput {
  name: string;
}
export interface ResolveInput extends NameInput {
  fresh?: 'true' | 'false';
}
export interface PublishTarQuery {
  name?: string;
  keep?: 'true' | 'false';
  replaces?: string;
  certificate?: string;
}
export interface SitesInput {
  own?: 'true' | 'false';
}
export interface RegisterInput extends NameInput {
  root: string;
  owner?: string;
  certificate?: string;
}
export interface LinkKey {
  url: string;
  target: string;
}

type InputName =
  | 'name'
  | 'resolveQuery'
  | 'publish'
  | 'publishTar'
  | 'unpublish'
  | 'sites'
  | 'fetch'
  | 'fetchFile'
  | 'register'
  | 'update'
  | 'transfer'
  | 'link'
  | 'linkKey'
  | 'linkSearch'
  | 'valueKey'
  | 'ping'
  | 'id'
  | 'address';

export const inputs: Readonly<Record<InputName, Schema>> = {
  name: shape<NameInput>({ name: nameInput }, {}),
  resolveQuery: shape<Omit<ResolveInput, 'name'>>(
    {},
    { fresh: { enum: ['true', 'false'], description: 'ask the network, not the memory' } },
  ),
  publish: shape<PublishInput>(
    { path: pathInput },
    { name: nameInput, keep: boolean, replaces: rootInput, certificate: certificateInput },
  ),
  publishTar: shape<PublishTarQuery>(
    {},
    {
      name: nameInput,
      keep: { enum: ['true', 'false'] },
      replaces: rootInput,
      certificate: certificateInput,
    },
  ),
  unpublish: shape<{ what: string }>({ what: rootInput }, {}),
  sites: shape<SitesInput>(
    {},
    { own: { enum: ['true', 'false'], description: 'only what was published here' } },
  ),
  fetch: shape<{ what: string; dest: string }>({ what: rootInput, dest: pathInput }, {}),
  fetchFile: shape<FetchFileInput>(
    {
      what: rootInput,
      path: { type: 'string', maxLength: 4096, description: 'within the site' },
      dest: pathInput,
      bytesMax: count,
    },
    {},
  ),
  register: shape<RegisterInput>(
    { name: nameInput, root: rootInput },
    { owner: ownerInput, certificate: certificateInput },
  ),
  update: shape<{ name: string; root: string }>({ name: nameInput, root: rootInput }, {}),
  transfer: shape<{ name: string; author: string }>({ name: nameInput, author: authorInput }, {}),
  link: shape<LinkInput>(
    { url: urlInput, target: urlInput },
    {
      sha256: hashInput,
      captured: unixTime,
      type: { type: 'string', maxLength: 255 },
      note: { type: 'string', maxLength: 1024 },
    },
  ),
  linkKey: shape<LinkKey>({ url: urlInput, target: urlInput }, {}),
  linkSearch: shape<{ url?: string }>({}, { url: urlInput }),
  valueKey: shape<{ key: string }>({ key: hashInput }, {}),
  ping: shape<{ id?: string }>({}, { id: idInput }),
  id: shape<{ id: string }>({ id: idInput }, {}),
  address: shape<{ address: string }>(
    { address: { type: 'string', minLength: 1, maxLength: 512 } },
    {},
  ),
};
