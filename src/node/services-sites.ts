/** Sites and small values as users see them. */
import type { CID } from 'multiformats/cid';
import type { CallOptions, NameResult, NodeServices } from '../api/ports.ts';
import { parseHex, toHex } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { parseRoot } from '../content/root.ts';
import { parseAddress } from '../name/place.ts';
import type { Parts } from './parts.ts';
import { rootOf, shownRoot, workOptions } from './services-names.ts';
import { writeSiteFile } from './site-file.ts';

type SiteServices = Pick<NodeServices, 'publish' | 'fetch' | 'fetchFile' | 'putValue' | 'getValue'>;

export interface SiteContext {
  readonly siteUrl: (host: string) => string | undefined;
  readonly onNameChanged: () => void;
}

export function siteServices(parts: Parts, context: SiteContext): SiteServices {
  const { sites } = parts;
  return {
    async publish({ path, name }, options = {}) {
      if (name !== undefined) parseAddress(name); // before a long import, not after it
      const { root, files, bytes, announced, entry } = await sites.publish(path, options);
      const registered =
        name === undefined ? undefined : await registerOrUpdate(parts, { name, root }, options);
      if (registered) context.onNameChanged();
      const host = registered ? registered.name.replace(/\.alt$/, '') : root.toString();
      const address = context.siteUrl(host) ?? `http://${host}.alt/`;
      return {
        ...shownRoot(root),
        ...(registered && { name: registered.name, version: registered.version }),
        files,
        bytes,
        replicas: 0,
        announced,
        url: new URL(entry.replace(/^\//, '').split('/').map(encodeURIComponent).join('/'), address)
          .href,
      };
    },

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

async function registerOrUpdate(
  { names }: Parts,
  { name, root }: { name: string; root: CID },
  options: CallOptions,
): Promise<Pick<NameResult, 'name' | 'version'>> {
  return names.register(name, root, workOptions(options));
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
