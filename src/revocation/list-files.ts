/**
 * Whole lists as content: a file of raw leaves, which others fetch, keep and provide like any site
 * (docs/spec/content.md). It does not look at what is in a list.
 */
import type { CID } from 'multiformats/cid';
import type { Bytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { chunkBytes, FileBuilder } from '../content/dag/build.ts';
import { cidOf, rootHex } from '../content/dag/root.ts';
import type { Sites } from '../content/sites.ts';
import type { ListFiles } from './ports.ts';

export type ListSites = Pick<Sites, 'open' | 'addFile' | 'replicate' | 'supersede'>;

export function listFiles(sites: ListSites): ListFiles {
  return {
    async read(root, { bytes, signal }) {
      const file = await sites.open(root, '', { signal });
      // Looked at before more than its top is fetched: nobody sends us another gigabyte.
      if (file.type !== 'file' || file.size !== bytes) {
        throw otherSize(root);
      }
      const octets = new Uint8Array(bytes);
      let at = 0;
      for await (const piece of file.read({ signal })) {
        if (at + piece.length > bytes) throw otherSize(root);
        octets.set(piece, at);
        at += piece.length;
      }
      if (at < bytes) throw otherSize(root);
      return octets;
    },

    async publish(octets, { replaces, signal }) {
      const root = await sites.addFile(chunksOf(octets), { signal });
      const isOther = replaces !== undefined && !replaces.equals(root);
      // Copies take their time, and nobody has to wait for them.
      void sites.replicate(root, isOther ? { replaces } : {}).catch(() => undefined);
      if (isOther) await sites.supersede(replaces, { signal });
      return root;
    },

    rootOf: fileRoot,
  };
}

function otherSize(root: CID): AltNetError<'CONTENT_BAD'> {
  const why = 'it is not a list with as many entries as its revoker says';
  return new AltNetError('CONTENT_BAD', { root: rootHex(root), why });
}

/** The root that these octets have as a file. */
export async function fileRoot(octets: Bytes): Promise<CID> {
  const builder = new FileBuilder(() => undefined);
  for (const chunk of chunksOf(octets)) await builder.add(chunk);
  return cidOf(await builder.finish());
}

function* chunksOf(octets: Bytes): Generator<Bytes, void, undefined> {
  for (let at = 0; at < octets.length; at += chunkBytes) {
    yield octets.subarray(at, at + chunkBytes);
  }
}
