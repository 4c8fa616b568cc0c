/** Alternative links as users see them. */
import type {
  CallOptions,
  FoundLinkLine,
  LinkEndLine,
  LinkInput,
  NodeServices,
  PutLinkResult,
} from '../api/ports.ts';
import { parseHex, toHex } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { FoundLink, Link, PutLink } from '../link/types.ts';
import type { Parts } from './parts.ts';
import { workOptions } from './services-names.ts';

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

function parseLinkInput({ target, sha256: hash, captured, type, note }: LinkInput): Link {
  const sha256 = hash === undefined ? undefined : parseHex(hash, 32);
  if (hash !== undefined && !sha256) {
    throw new AltNetError('BAD_ARGUMENT', { what: 'sha256', why: 'write 64 hex digits' });
  }
  return { target, sha256, captured, type, note };
}

function putResult({ publisher, ...rest }: PutLink): PutLinkResult {
  return { ...rest, publisher: toHex(publisher) };
}

function foundLine(url: string, found: FoundLink): FoundLinkLine {
  const { target, publisher, issued, sha256, size, type, captured, note, seconds } = found;
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
  };
}
