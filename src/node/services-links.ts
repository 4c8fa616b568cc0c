/** Alternative links as users see them. */
import type { FoundLinkLine, LinkEndLine, PutLinkResult } from '../api/ports-links.ts';
import type { CallOptions, NodeServices } from '../api/ports.ts';
import { toHex } from '../base/bytes.ts';
import type { FoundLink, PutLink } from '../link/types.ts';
import type { Parts } from './parts.ts';
import { workOptions } from './services-names.ts';
import { parseLinkInput } from './words.ts';

type LinkServices = Pick<NodeServices, 'putLink' | 'getLinks' | 'removeLink' | 'links'>;

export function linkServices({ links }: Parts): LinkServices {
  return {
    async putLink(input, options) {
      return putResult(await links.put(input.url, parseLinkInput(input), workOptions(options)));
    },

    async *getLinks(url, { signal }: CallOptions = {}) {
      const search = links.get(url, { signal });
      let step = await search.next();
      try {
        for (; step.done !== true; step = await search.next()) yield foundLine(url, step.value);
        yield { done: true, ...step.value } satisfies LinkEndLine;
      } finally {
        // Who stops reading ends the search; its totals no longer matter.
        if (step.done !== true) await search.return({ found: 0, asked: 0, seconds: 0 });
      }
    },

    async removeLink({ url, target }, options) {
      return putResult(await links.remove(url, target, workOptions(options)));
    },

    async links() {
      return links.list().map((link) => ({ ...link }));
    },
  };
}

function putResult({ publisher, ...rest }: PutLink): PutLinkResult {
  return { ...rest, publisher: toHex(publisher) };
}

function foundLine(url: string, found: FoundLink): FoundLinkLine {
  const { target, publisher, issued, sha256, size, type, captured, note, seconds } = found;
  const { variant, stale } = found;
  return {
    url,
    target,
    publisher: toHex(publisher),
    issued,
    ...(sha256 && { sha256: toHex(sha256) }),
    ...(size !== undefined && { size }),
    ...(type !== undefined && { type }),
    ...(captured !== undefined && { captured }),
    ...(note !== undefined && { note }),
    seconds,
    ...(variant !== undefined && { variant }),
    ...(stale && { stale }),
  };
}
