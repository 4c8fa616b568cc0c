/** Sites and small values as users see them. */
import type { CID } from 'multiformats/cid';
import type { CallOptions, NodeServices, PublishInput, PublishResult } from '../api/ports.ts';
import { parseHex, toHex } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { parseRoot } from '../content/dag/root.ts';
import { parseAddress } from '../name/place.ts';
import type { Parts } from './parts.ts';
import { type NameContext, rootOf, shownRoot, workOptions } from './services-names.ts';
import { writeSiteFile } from './site-file.ts';

type SiteServices = Pick<NodeServices, 'publish' | 'fetch' | 'fetchFile' | 'putValue' | 'getValue'>;

export interface SiteContext extends NameContext {
  readonly siteUrl: (host: string) => string | undefined;
}

export function siteServices(parts: Parts, context: SiteContext): SiteServices {
  const { sites } = parts;
  return {
    publish: (input, options = {}) => publish(parts, context, { input, options }),

    async fetch({ what, dest }, options = {}) {
      const root = await findRoot(parts, what, options);
      const { files, bytes, seconds, peers } = await sites.fetch(root, dest, options);
      return { ...shownRoot(root), files, bytes, seconds, peers };
    },

    async fetchFile({ what, path, dest, bytesMax }, { signal } = {}) {
      const root = await findRoot(parts, what, { signal });
      const bytes = await writeSiteFile(sites, { root, path, dest, bytesMax }, { signal });
      return { ...shownRoot(root), bytes };
    },

    async putValue(value, { signal } = {}) {
      const { hash, stored } = await sites.putValue(value, { signal });
      return { key: toHex(hash), stored };
    },

    async getValue(key, { signal } = {}) {
      const hash = parseHex(key, 32);
      if (!hash) {
        const why = 'write the 64 hex digits that "put" printed';
        throw new AltNetError('BAD_ARGUMENT', { what: key, why });
      }
      return { key: toHex(hash), value: await sites.getValue(hash, { signal }) };
    },
  };
}

async function publish(
  parts: Parts,
  context: SiteContext,
  { input, options }: { input: PublishInput; options: CallOptions },
): Promise<PublishResult> {
  const { path, keep } = input;
  const { versions } = context;
  // Both before a long import, not after it.
  const name = input.name === undefined ? undefined : parseAddress(input.name).name;
  const given = input.replaces === undefined ? undefined : parseRoot(input.replaces);
  const replaces = versions.replacedBy({ name, root: given });
  const published = await parts.sites.publish(path, { ...options, keep, replaces });
  const { root, files, bytes, announced, entry, replicas, wanted, refused } = published;
  await versions.replace(given, root);
  const version = await showUnder(name, { root, given }, { parts, context, options });
  const host = name === undefined ? root.toString() : name.replace(/\.alt$/, '');
  const address = context.siteUrl(host) ?? `http://${host}.alt/`;
  const opened = entry.replace(/^\//, '').split('/').map(encodeURIComponent).join('/');
  return {
    ...shownRoot(root),
    ...(name !== undefined && { name }),
    ...(version !== undefined && { version }),
    files,
    bytes,
    replicas,
    replicasWanted: wanted,
    refused: refused.map((reason) => ({ ...reason })),
    announced,
    url: new URL(opened, address).href,
  };
}

/** Its version. A name that shows this root already, as the caller knew, is left as it is. */
async function showUnder(
  name: string | undefined,
  { root, given }: { root: CID; given: CID | undefined },
  {
    parts: { names },
    context,
    options,
  }: { parts: Parts; context: SiteContext; options: CallOptions },
): Promise<number | undefined> {
  if (name === undefined) return undefined;
  const own = names.list().find((each) => each.name === name);
  if (own?.root.equals(root) && given?.equals(root)) return own.version;
  const registered = await context.versions.follow(() =>
    names.register(name, root, workOptions(options)),
  );
  context.onNameChanged();
  return registered.version;
}

/** A root as CID or 64 hex digits, or what a name shows. */
async function findRoot({ names }: Parts, what: string, { signal }: CallOptions): Promise<CID> {
  try {
    return parseRoot(what);
  } catch (error) {
    if (!isAltNetError(error, 'BAD_ROOT')) throw error;
  }
  return rootOf(await names.resolve(what, signal ? { signal } : {}));
}
