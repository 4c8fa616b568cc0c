/** The endpoints for alternative links and small values (docs/spec/http.md, "API"). */
import type { LinkInput } from './ports-links.ts';
import { counted, type Route, route } from './route.ts';
import { inputs, type LinkKey } from './inputs.ts';
import { outputs } from './outputs.ts';

export const linkRoutes: readonly Route[] = [
  route<LinkInput>({
    method: 'POST',
    path: '/api/links',
    summary: 'Announce an alternative for a URL',
    from: 'body',
    input: inputs.link,
    answer: { json: outputs.putLink, long: true, status: 201 },
    run: (services, input, options) => services.putLink(input, options),
  }),
  route<{ url?: string }>({
    method: 'GET',
    path: '/api/links',
    summary: "The alternatives for a URL as they are found; without one, this node's own links",
    from: 'query',
    input: inputs.linkSearch,
    answer: { json: outputs.links, lines: outputs.linkLine },
    run: async (services, { url }, options) =>
      url === undefined
        ? counted('links', await services.links())
        : services.getLinks(url, options),
  }),
  route<LinkKey>({
    method: 'DELETE',
    path: '/api/links',
    summary: 'Withdraw an own link',
    from: 'body',
    input: inputs.linkKey,
    answer: { json: outputs.putLink },
    run: (services, input, options) => services.removeLink(input, options),
  }),
];

export const valueRoutes: readonly Route[] = [
  route<Uint8Array>({
    method: 'POST',
    path: '/api/values',
    summary: 'Store a value of at most 64 KiB under its SHA-256',
    from: 'octets',
    answer: { json: outputs.putValue, status: 201 },
    run: (services, value, options) => services.putValue(value, options),
  }),
  route<{ key: string }>({
    method: 'GET',
    path: '/api/values/:key',
    summary: 'The value whose SHA-256 is the key',
    from: 'params',
    input: inputs.valueKey,
    answer: { octets: true },
    run: async (services, { key }, options) => (await services.getValue(key, options)).value,
  }),
];
