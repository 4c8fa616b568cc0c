/** Zone files are content like any other: read through sites, and only as much as one may have. */
import { type Bytes, concatBytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { SiteReader } from '../content/types.ts';
import type { ReadZoneFile } from '../name/ports.ts';

export function zoneFileReader(sites: SiteReader): ReadZoneFile {
  return async (root, { bytesMax, signal }) => {
    const entry = await sites.open(root, '', { signal });
    const bad = (why: string): AltNetError =>
      new AltNetError('CONTENT_BAD', { root: root.toString(), why });
    if (entry.type !== 'file') throw bad('names were looked for in it, and it is a folder');
    if (entry.size > bytesMax) throw bad(`a list of names has at most ${bytesMax} bytes`);
    const pieces: Bytes[] = []; // BOUNDED by bytesMax
    let bytes = 0;
    for await (const piece of entry.read({ signal })) {
      bytes += piece.length;
      if (bytes > bytesMax) throw bad(`a list of names has at most ${bytesMax} bytes`);
      pieces.push(piece);
    }
    return concatBytes(...pieces);
  };
}
