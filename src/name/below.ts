/** Names below a name: found in its record, or in the zone file that the record points to. */
import type { CID } from 'multiformats/cid';
import { toHex } from '../base/bytes.ts';
import type { Denials } from '../base/denial.ts';
import { AltNetError } from '../base/errors.ts';
import { LruMap } from '../base/limits.ts';
import { parseName } from '../record/name.ts';
import type { Answer } from './answer.ts';
import type { NameAddress } from './place.ts';
import type { ReadZoneFile } from './ports.ts';
import type { ResolvedName } from './types.ts';
import { parseZoneFile, type ZoneFile, zoneFileBytesMax } from './zone-file.ts';

/** Some hundred names each as a rule, some thousand at most. */
const filesKept = 16;

export class NamesBelow {
  readonly #read: ReadZoneFile;
  readonly #denials: Pick<Denials, 'ofBlock'>;
  // BOUNDED by filesKept
  readonly #files = new LruMap<string, ZoneFile>(filesKept);

  constructor(read: ReadZoneFile, denials: Pick<Denials, 'ofBlock'>) {
    this.#read = read;
    this.#denials = denials;
  }

  /**
   * What `apex` says of the label below it. A name that cannot be opened keeps its state. Rejects
   * with CONTENT_BAD for a zone file that is none, and like reading it.
   */
  async resolve(
    { name, sub }: NameAddress & { readonly sub: string },
    { resolved, record }: Answer,
    signal: AbortSignal | undefined,
  ): Promise<ResolvedName> {
    const { root: _apexRoot, ...shown } = resolved;
    if (resolved.state !== 'ok' && resolved.state !== 'new') return { ...shown, name };
    const body = record && parseName(record);
    const root = body?.subnames?.get(sub) ?? (await this.#inFile(body?.zoneFile, sub, signal));
    if (root) return { ...shown, name, root };
    const { asked, ageSeconds } = resolved;
    return { name, state: 'not-found', asked, ...(ageSeconds !== undefined && { ageSeconds }) };
  }

  async #inFile(
    cid: CID | undefined,
    sub: string,
    signal: AbortSignal | undefined,
  ): Promise<CID | undefined> {
    if (!cid) return undefined;
    const id = toHex(cid.multihash.digest);
    // Of a file that is denied by now, reading says so.
    const known = this.#denials.ofBlock(cid.multihash.digest) ? undefined : this.#files.get(id);
    if (known) return known.get(sub);
    const file = parseZoneFile(await this.#read(cid, { bytesMax: zoneFileBytesMax, signal }));
    if (!file) {
      const why = 'it is not a list of names; see "Zone files" in the specification of names';
      throw new AltNetError('CONTENT_BAD', { root: cid.toString(), why });
    }
    this.#files.set(id, file);
    return file.get(sub);
  }
}
