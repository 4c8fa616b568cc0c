/** Sites and small values as users see them. */
import type { CID } from 'multiformats/cid';
import type { CallOptions, NodeServices } from '../api/ports.ts';
import { parseHex, toHex } from '../base/bytes.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { parseRoot, rootHex } from '../content/dag/root.ts';
import type { Parts } from './parts.ts';
import { publishSite, type SiteContext } from './publish-site.ts';
import { rootOf, shownRoot } from './services-names.ts';
import { writeSiteFile } from './site-file.ts';

type SiteServices = Pick<
  NodeServices,
  'publish' | 'publishTar' | 'fetch' | 'fetchFile' | 'putValue' | 'getValue'
>;

export function siteServices(parts: Parts, context: SiteContext): SiteServices {
  const { sites } = parts;
  return {
    publish: ({ path, ...input }, options = {}) =>
      publishSite(parts, context, { input, options, add: (how) => sites.add(path, how) }),

    publishTar: (input, body, options = {}) =>
      publishSite(parts, context, { input, options, add: (how) => sites.addTar(body, how) }),

    async fetch({ what, dest }, options = {}) {
      const found = await findRoot(parts, what, options);
      const { root } = found;
      const { files, bytes, seconds, peers } = await sites
        .fetch(root, dest, options)
        .catch((error: unknown) => Promise.reject(asGiven(error, found)));
      return { ...shownRoot(root), files, bytes, seconds, peers };
    },

    async fetchFile({ what, path, dest, bytesMax }, { signal } = {}) {
      const found = await findRoot(parts, what, { signal });
      const { root } = found;
      const bytes = await writeSiteFile(sites, { root, path, dest, bytesMax }, { signal }).catch(
        (error: unknown) => Promise.reject(asGiven(error, found)),
      );
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

/**
 * The same error about what the caller has in hand: parts of the program name a root by its hash,
 * and whoever gave a CID does not find that again. What is below the root keeps its hash.
 */
function asGiven(error: unknown, { root, given }: Found): unknown {
  const isOfRoot = isAltNetError(error) && 'root' in error.details;
  if (!isOfRoot || error.details.root !== rootHex(root)) return error;
  return new AltNetError(error.code, { ...error.details, root: given }, { cause: error });
}

interface Found {
  readonly root: CID;
  /** As the caller has it; of a name, the CID. */
  readonly given: string;
}

/** A root as CID or 64 hex digits, or what a name shows. */
async function findRoot({ names }: Parts, what: string, { signal }: CallOptions): Promise<Found> {
  try {
    return { root: parseRoot(what), given: what };
  } catch (error) {
    if (!isAltNetError(error, 'BAD_ROOT')) throw error;
  }
  const root = rootOf(await names.resolve(what, signal ? { signal } : {}));
  return { root, given: root.toString() };
}
