/**
 * Shows what stands at a path of a site: a file, a list, a redirect, what the site shows instead of
 * what it lacks. Names, and who may ask for how much, are not its business.
 */
import { type Bytes, utf8 } from '../base/bytes.ts';
import type { SiteReader } from '../content/types.ts';
import type { BodiesLimits } from './bodies.ts';
import { Compressor, isWorthCompressing } from './compress.ts';
import { guessRange } from './conditions.ts';
import {
  acceptedBy,
  FileAnswers,
  formatPlace,
  type SiteRequest,
  typeOf,
  utf8HtmlType,
} from './file-answers.ts';
import { type Found, type FoundFolder, findOnSite } from './find.ts';
import { formatListing, listingLook, longListingEntries } from './listing.ts';
import { formatPath } from './path.ts';
import { problems } from './problem.ts';
import {
  isUnchanged,
  needsBytes,
  type Representation,
  sendBytes,
  sendFile,
  type Sending,
  sendProblem,
  sendRedirect,
  sendStream,
  sendWhole,
} from './send.ts';
import { SiteRedirects } from './site-redirects.ts';

/** Of what the gateway itself adds, or what may come to exist: for a moment, on every host. */
export const shortCacheControl = 'public, max-age=5, must-revalidate';

/** Half of the threads that Node.js has for such work: the others read files meanwhile. */
const compressionsMax = 2;
const noBytes = new Uint8Array(0);

const problemOfStatus = { 404: problems.noPath, 410: problems.gone, 451: problems.withheld };

export class Show {
  readonly #sites: SiteReader;
  readonly #compressor = new Compressor({ atOnceMax: compressionsMax });
  readonly #files: FileAnswers;
  readonly #redirects = new SiteRedirects();

  constructor(sites: SiteReader, limits: BodiesLimits) {
    this.#sites = sites;
    this.#files = new FileAnswers(sites, this.#compressor, limits);
  }

  forget(): void {
    this.#files.forget();
    this.#redirects.forget();
  }

  /** Answers from memory, if what is asked for is there; gives what went out behind the head. */
  showKept(asked: SiteRequest): Bytes | undefined {
    return this.#files.answerKept(asked);
  }

  /** Rejects like the reader of sites, or when the client stops reading. */
  async show(asked: SiteRequest, sending: Sending): Promise<void> {
    const { root, path, cacheControl } = asked;
    const range = guessRange(asked.request.headers.range);
    const site = { sites: this.#sites, root, signal: sending.signal, range };
    const found: Found = await findOnSite(site, path, this.#redirects);
    const file = found.kind === 'missing' ? found.page : found;
    if (file?.kind === 'file') sending.onFound(file.path);
    sending.signal.throwIfAborted();
    switch (found.kind) {
      case 'file':
        return this.#files.answer(asked, found, sending);
      case 'folder':
        return this.#showFolder(asked, found, sending);
      case 'moved':
        return sendRedirect(asked, found.status, { location: found.location, cacheControl });
      case 'missing':
        return showMissing(asked, found, sending);
      case 'bad-redirects':
        return sendProblem(asked, problems.badRedirects(found.bad));
      case 'circle':
        return sendProblem(asked, problems.circle());
      default:
        return found satisfies never;
    }
  }

  async #showFolder(
    asked: SiteRequest,
    { folder, segments }: FoundFolder,
    sending: Sending,
  ): Promise<void> {
    const shown: Representation = {
      size: undefined,
      type: utf8HtmlType,
      etag: `W/"${folder.cid.toString()}.list.${listingLook}"`,
      cacheControl: shortCacheControl,
      varies: true,
      place: formatPlace(asked.root, segments.join('/')),
    };
    if (isUnchanged(asked, shown)) return void sendBytes(asked, shown, noBytes);
    const pieces = formatListing(folder, segments);
    if (folder.entries.length > longListingEntries) {
      if (!needsBytes(asked, shown)) return void sendBytes(asked, shown, noBytes);
      return sendStream(asked, shown, encoded(pieces), sending);
    }
    const plain = utf8([...pieces].join(''));
    const [encoding] = acceptedBy(asked).encodings;
    if (!encoding || !isWorthCompressing(plain.length) || this.#compressor.isBusy) {
      return sendWhole(asked, { ...shown, size: plain.length }, plain, sending);
    }
    const { bytes, isEncoded } = await this.#compressor.compress(() => plain, encoding);
    const packed = { ...shown, size: bytes.length, ...(isEncoded && { encoding }) };
    return sendWhole(asked, packed, bytes, sending);
  }
}

function* encoded(pieces: Iterable<string>): Generator<Bytes, void, undefined> {
  for (const piece of pieces) yield utf8(piece);
}

/** The site's own page for what it lacks, or the gateway's. */
async function showMissing(
  asked: SiteRequest,
  { status, page }: Extract<Found, { kind: 'missing' }>,
  sending: Sending,
): Promise<void> {
  if (!page) {
    const path = formatPath({ ...asked.path, query: '' });
    sendProblem(asked, problemOfStatus[status](path));
    return;
  }
  const { file } = page;
  const type = await typeOf(page, sending);
  const shown = { size: file.size, type, status, cacheControl: shortCacheControl };
  if (needsBytes(asked, shown)) await sendFile(asked, shown, file, sending);
  else sendBytes(asked, shown, noBytes);
}
