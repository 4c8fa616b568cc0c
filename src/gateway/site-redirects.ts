/**
 * The redirects of sites, read once for each root and remembered: what a root holds can never
 * change. It also finds out whether a redirect leads in a circle.
 */
import type { CID } from 'multiformats/cid';
import { concatBytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { SiteFile } from '../content/types.ts';
import { BudgetedMap } from './budgeted.ts';
import type { SitePath } from './path.ts';
import {
  type BadRedirects,
  followRedirects,
  parseRedirects,
  type Redirects,
  redirectsBytesMax,
} from './redirects.ts';

/** Of all that is remembered. One file of 64 KiB may become nearly as much. */
const keptBytesMax = 4 * 1024 * 1024;
const ruleBytes = 600;
/** Two characters may become two parts of a rule. */
const heldBytesPerByte = 40;
/** Browsers give up after twenty. */
const stepsMax = 8;

const none: Redirects = { rules: [] };

export class SiteRedirects {
  #kept = new BudgetedMap<Redirects | BadRedirects>(keptBytesMax); // BOUNDED by its budget

  /** `open` brings the file, or undefined where the site has none. Rejects like it, or reading. */
  async of(
    root: CID,
    open: () => Promise<SiteFile | undefined>,
    signal: AbortSignal,
  ): Promise<Redirects | BadRedirects> {
    const kept = this.#kept; // what is read while all is forgotten must not stay
    const key = root.toString();
    const before = kept.get(key);
    if (before) return before;
    const file = await open();
    const read = file ? await readRedirects(file, signal) : none;
    const rules = 'rules' in read ? read.rules : [];
    const held = rules.length > 0 && file ? file.size * heldBytesPerByte : 0;
    kept.set(key, read, held + rules.length * ruleBytes);
    return read;
  }

  forget(): void {
    this.#kept = new BudgetedMap(keptBytesMax);
  }
}

async function readRedirects(
  file: SiteFile,
  signal: AbortSignal,
): Promise<Redirects | BadRedirects> {
  if (file.size > redirectsBytesMax) {
    return { why: `it has more than ${redirectsBytesMax / 1024} KiB` };
  }
  const pieces: Uint8Array[] = []; // BOUNDED by redirectsBytesMax
  let bytes = 0;
  for await (const piece of file.read({ signal })) {
    bytes += piece.length;
    if (bytes > file.size) break;
    pieces.push(piece);
  }
  if (bytes === file.size) return parseRedirects(concatBytes(...pieces));
  const why = 'a file does not have the length that it claims';
  throw new AltNetError('CONTENT_BAD', { root: file.cid.toString(), why });
}

/**
 * Whether who follows the redirects from `path` on never arrives: the rules alone lead on and on,
 * and nothing exists at any of the places in between.
 */
export async function leadsInCircle(
  redirects: Redirects,
  path: SitePath,
  exists: (path: SitePath) => Promise<boolean>,
): Promise<boolean> {
  const places: SitePath[] = []; // BOUNDED by stepsMax
  for (let at: SitePath | undefined = path; at !== undefined;) {
    if (places.length === stepsMax) break;
    places.push(at);
    const hit = followRedirects(redirects, at);
    if (hit?.kind !== 'redirect' || !hit.path) return false;
    at = hit.path;
  }
  for (const place of places) if (await exists(place)) return false;
  return true;
}
