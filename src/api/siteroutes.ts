/** The endpoints for sites and their names (docs/spec/http.md, "API"). */
import path from 'node:path';
import { AltNetError } from '../base/errors.ts';
import { checkName } from './check.ts';
import type { FetchFileInput, PublishInput } from './ports-sites.ts';
import { counted, type Route, route } from './route.ts';
import {
  inputs,
  type NameInput,
  type PublishTarQuery,
  type RegisterInput,
  type ResolveInput,
  type SitesInput,
} from './inputs.ts';
import { type Domain, outputs, type PublishAnswer } from './outputs.ts';

/** Each has megabytes in memory on their way to the disk. */
const archivesAtOnceMax = 4;

export const siteRoutes: readonly Route[] = [
  route<PublishInput>({
    method: 'POST',
    path: '/api/publish',
    summary: 'Publish a folder, a file or a tar archive; with a name, register or update that too',
    from: 'body',
    input: inputs.publish,
    answer: { json: outputs.publish, long: true },
    run: async (services, input, options): Promise<PublishAnswer> => {
      requireAbsolute('path', input.path);
      const result = await services.publish(input, options);
      return { ...result, entry_count: result.files };
    },
    tar: {
      query: inputs.publishTar,
      atOnceMax: archivesAtOnceMax,
      run: async (services, { input, body }, options): Promise<PublishAnswer> => {
        const { keep, ...rest } = input as PublishTarQuery;
        const result = await services.publishTar({ ...rest, keep: keep === 'true' }, body, options);
        return { ...result, entry_count: result.files };
      },
    },
  }),
  route<{ what: string }>({
    method: 'POST',
    path: '/api/unpublish',
    summary: 'Stop keeping a site that was published here; names that point to it stay',
    from: 'body',
    input: inputs.unpublish,
    answer: { json: outputs.unpublish, long: true },
    run: (services, input, options) => services.unpublish(input, options),
  }),
  route<SitesInput>({
    method: 'GET',
    path: '/api/sites',
    summary: 'What this node holds, what was used last first',
    from: 'query',
    input: inputs.sites,
    answer: { json: outputs.sites },
    run: async (services, { own }) =>
      counted('sites', await services.sites({ own: own === 'true' })),
  }),
  route<{ what: string; dest: string }>({
    method: 'POST',
    path: '/api/fetch',
    summary: 'Fetch a site into a folder',
    from: 'body',
    input: inputs.fetch,
    answer: { json: outputs.fetch, long: true },
    run: (services, input, options) => {
      requireAbsolute('dest', input.dest);
      return services.fetch(input, options);
    },
  }),
  route<FetchFileInput>({
    method: 'POST',
    path: '/api/fetch-file',
    summary: 'Fetch one file of a site',
    from: 'body',
    input: inputs.fetchFile,
    answer: { json: outputs.fetchFile },
    run: (services, input, options) => {
      requireAbsolute('dest', input.dest);
      return services.fetchFile(input, options);
    },
  }),
  route<NameInput>({
    method: 'GET',
    path: '/api/check/:name',
    summary: 'Whether a name is free',
    from: 'params',
    input: inputs.name,
    answer: { json: outputs.check },
    open: true,
    run: (services, { name }, options) => checkName(services, name, options),
  }),
  route<RegisterInput>({
    method: 'POST',
    path: '/api/register',
    summary: 'Register a name for a root',
    from: 'body',
    input: inputs.register,
    answer: { json: outputs.name, long: true, status: 201 },
    run: (services, input, options) => services.register(input, options),
  }),
  route<{ name: string; root: string }>({
    method: 'POST',
    path: '/api/update',
    summary: 'Point a name to another root',
    from: 'body',
    input: inputs.update,
    answer: { json: outputs.name, long: true },
    run: (services, input, options) => services.update(input, options),
  }),
  route<{ name: string; author: string }>({
    method: 'POST',
    path: '/api/transfer',
    summary: 'Offer a name to another author, who takes it by registering it',
    from: 'body',
    input: inputs.transfer,
    answer: { json: outputs.transfer, long: true },
    run: (services, input, options) => services.transfer(input, options),
  }),
  route<NameInput>({
    method: 'POST',
    path: '/api/release',
    summary: 'Give a name up',
    from: 'body',
    input: inputs.name,
    answer: { json: outputs.release, long: true },
    run: (services, input, options) => services.release(input, options),
  }),
  route<NameInput>({
    method: 'POST',
    path: '/api/unregister',
    summary: 'Give a name up, as desktop clients ask for it',
    from: 'body',
    input: inputs.name,
    answer: { json: outputs.unregister },
    run: async (services, input, options) => {
      const { name, ok } = await services.release(input, options);
      return { name, ok };
    },
  }),
  route<ResolveInput>({
    method: 'GET',
    path: '/api/resolve/:name',
    summary: 'What a name points to',
    from: 'params',
    input: inputs.name,
    query: inputs.resolveQuery,
    answer: { json: outputs.resolve },
    run: (services, { name, fresh }, options) =>
      services.resolve(name, { ...options, fresh: fresh === 'true' }),
  }),
  route({
    method: 'GET',
    path: '/api/names',
    summary: "This node's own names",
    answer: { json: outputs.names },
    run: async (services) => counted('names', await services.names()),
  }),
  route({
    method: 'GET',
    path: '/api/domains',
    summary: "This node's own names, as desktop clients read them",
    answer: { json: outputs.domains },
    run: async (services) => {
      const { author } = services.keys();
      const names = await services.names();
      const domains = names.map(
        ({ name, root, cid, registrant, registered_at, updated_at, version }): Domain => {
          const owner = registrant ?? author;
          return { name, root, cid, owner, registered_at, updated_at, version };
        },
      );
      return counted('domains', domains);
    },
  }),
];

/** The node's working folder is not the caller's: a relative path would mean something else here. */
function requireAbsolute(what: string, value: string): void {
  if (path.isAbsolute(value)) return;
  throw new AltNetError('BAD_ARGUMENT', { what, why: `"${value}" is not an absolute path` });
}
