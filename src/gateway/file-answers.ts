/**
 * Answers with a file: plain, in the encoding that its author put beside it, or compressed here.
 * Small answers stay in memory. How a path leads to a file is not its business.
 */
import type { CID } from 'multiformats/cid';
import { type Bytes, concatBytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { SiteFile, SiteReader } from '../content/types.ts';
import { Bodies, type BodiesLimits, type Body } from './bodies.ts';
import { declarationBytesMax, declaresOtherCharset } from './charset.ts';
import { type Compressor, isWorthCompressing } from './compress.ts';
import {
  type Accepted,
  type Encoding,
  isCompressible,
  nothingAccepted,
  parseAcceptEncoding,
  siblingEndings,
} from './encodings.ts';
import { type FoundFile, openOptional } from './find.ts';
import { htmlType, mediaTypeOf } from './mime.ts';
import type { SitePath } from './path.ts';
import {
  type Exchange,
  isUnchanged,
  needsBytes,
  type Representation,
  sendBytes,
  sendFile,
  type Sending,
  sendWhole,
} from './send.ts';

/** A request for something on a site whose root is known. */
export interface SiteRequest extends Exchange {
  readonly root: CID;
  readonly path: SitePath;
  /** Of what can only change with the root. */
  readonly cacheControl: string;
}

/** One of the forms in which a file can be sent. */
interface Form {
  readonly shown: Representation;
  /** Encoded as `shown` says. */
  readonly source: SiteFile | Bytes;
  /** Where it may be kept, if it is small. */
  readonly key: string | undefined;
}

interface Choice {
  readonly found: FoundFile;
  /** Of the plain file. */
  readonly shown: Representation;
  readonly accepted: Accepted;
  readonly key: string;
}

export const utf8HtmlType: string = mediaTypeOf('.html');
const noBytes = new Uint8Array(0);

export class FileAnswers {
  readonly #sites: SiteReader;
  readonly #compressor: Compressor;
  readonly #limits: BodiesLimits;
  #bodies: Bodies;

  constructor(sites: SiteReader, compressor: Compressor, limits: BodiesLimits) {
    this.#sites = sites;
    this.#compressor = compressor;
    this.#limits = limits;
    this.#bodies = new Bodies(limits);
  }

  forget(): void {
    this.#bodies = new Bodies(this.#limits);
  }

  /**
   * Answers from memory, if what is asked for is there: by its own path, or by `path`. Gives what
   * went out behind the head.
   */
  answerKept(asked: SiteRequest, path: string = keyOf(asked.path)): Bytes | undefined {
    const { cacheControl } = asked;
    const kept = this.#kept(`${asked.root.toString()}/${path}`, acceptedBy(asked));
    if (!kept) return undefined;
    const { bytes, shown } = kept;
    const isSame = shown.cacheControl === cacheControl; // else it was kept for the other host
    return sendBytes(asked, isSame ? shown : { ...shown, cacheControl }, bytes);
  }

  #kept(key: string, { key: encodings }: Accepted): Body | undefined {
    if (encodings !== '') {
      const encoded = this.#bodies.get(encodedKey(key, encodings));
      if (encoded) return encoded;
    }
    const plain = this.#bodies.get(key);
    return encodings === '' || plain?.shown.varies !== true ? plain : undefined;
  }

  async answer(asked: SiteRequest, found: FoundFile, sending: Sending): Promise<void> {
    const { root, path, cacheControl } = asked;
    // What any number of paths may lead to is kept once, where it stands.
    if (found.isRewritten && this.answerKept(asked, found.path) !== undefined) return;
    const { file } = found;
    const type = await typeOf(found, sending);
    const shown: Representation = {
      size: file.size,
      type,
      etag: `"${file.cid.toString()}"`,
      cacheControl,
      varies: isCompressible(type),
      place: formatPlace(root, found.path),
    };
    const key = `${root.toString()}/${found.isRewritten ? found.path : keyOf(path)}`;
    const bodies = this.#bodies; // what is read while all is forgotten must not stay
    const choice = { found, shown, accepted: acceptedBy(asked), key };
    const form = await this.#choose(asked, choice, sending);
    await this.#send(asked, form, { sending, bodies });
  }

  async #choose(asked: SiteRequest, choice: Choice, sending: Sending): Promise<Form> {
    const { found, shown, accepted, key } = choice;
    const { file } = found;
    const plain: Form = { shown, source: file, key };
    const [encoding] = accepted.encodings;
    if (!shown.varies || !encoding) return plain;
    const keptAs = encodedKey(key, accepted.key);
    const site = { sites: this.#sites, root: asked.root, signal: sending.signal };
    const sibling = await openSibling(site, found.path, accepted);
    if (sibling) {
      const { size, cid } = sibling.file;
      const etag = `"${cid.toString()}"`;
      const encoded = { ...shown, size, etag, encoding: sibling.encoding };
      return { shown: encoded, source: sibling.file, key: keptAs };
    }
    if (!isWorthCompressing(file.size)) return { ...plain, key: keptAs };
    // Another program, or another version of this one, may compress the same to other bytes.
    const etag = `W/"${file.cid.toString()}.${encoding}"`;
    const encoded: Representation = { ...shown, etag, encoding };
    if (isUnchanged(asked, encoded)) return { shown: encoded, source: noBytes, key: undefined };
    // Others are being compressed: this one goes out as it is, and has its turn another time.
    if (this.#compressor.isBusy) return { ...plain, key: undefined };
    const read = (): Promise<Bytes> => readWhole(file, sending);
    const { bytes, isEncoded } = await this.#compressor.compress(read, encoding);
    const packed = isEncoded ? { ...encoded, size: bytes.length } : shown;
    return { shown: packed, source: bytes, key: keptAs };
  }

  async #send(
    asked: SiteRequest,
    { shown, source, key }: Form,
    { sending, bodies }: { readonly sending: Sending; readonly bodies: Bodies },
  ): Promise<void> {
    let bytes: Bytes;
    if (source instanceof Uint8Array) {
      bytes = source;
    } else {
      if (!needsBytes(asked, shown)) return void sendBytes(asked, shown, noBytes);
      if (!bodies.fits(source.size)) return sendFile(asked, shown, source, sending);
      bytes = await readWhole(source, sending);
    }
    if (key !== undefined) bodies.add(key, { bytes, shown });
    sending.onBegin();
    await sendWhole(asked, shown, bytes, sending);
  }
}

/** A part is always one of the plain file, which alone is the same everywhere. */
export function acceptedBy({ request }: Exchange): Accepted {
  const { headers } = request;
  if (headers.range !== undefined) return nothingAccepted;
  if (headers['cache-control']?.includes('no-transform')) return nothingAccepted;
  const header = headers['accept-encoding'];
  return parseAcceptEncoding(Array.isArray(header) ? header.join() : header);
}

/** The file in an encoding that the client takes, where its author put one beside it. */
async function openSibling(
  site: Parameters<typeof openOptional>[0],
  path: string,
  { encodings }: Accepted,
): Promise<{ readonly file: SiteFile; readonly encoding: Encoding } | undefined> {
  if (path === '') return undefined;
  for (const [encoding, ending] of siblingEndings) {
    if (!encodings.includes(encoding)) continue;
    const file = await openOptional(site, `${path}${ending}`);
    if (file) return { file, encoding };
  }
  return undefined;
}

/** By name; an HTML page that says that it is not in UTF-8 is believed. */
export async function typeOf({ file, path }: FoundFile, { signal }: Sending): Promise<string> {
  const type = mediaTypeOf(path.slice(path.lastIndexOf('/') + 1));
  if (type !== utf8HtmlType) return type;
  const pieces: Uint8Array[] = []; // BOUNDED by declarationBytesMax
  const to = Math.min(declarationBytesMax, file.size);
  for await (const piece of file.read({ from: 0, to, signal })) pieces.push(piece);
  return declaresOtherCharset(concatBytes(...pieces)) ? htmlType : type;
}

/** As `X-Ipfs-Path` says where something comes from. */
export function formatPlace(root: CID, path: string): string {
  const below = path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`;
  return `/ipfs/${root.toString()}${below}`;
}

function keyOf({ segments, slash }: SitePath): string {
  return `${segments.join('/')}${slash ? '/' : ''}`;
}

/** No path has a line feed without its being meant: it would have to be the very same key. */
function encodedKey(key: string, encodings: string): string {
  return `${encodings}\n${key}`;
}

/** Only for files small enough to hold. */
async function readWhole(file: SiteFile, { signal }: Sending): Promise<Bytes> {
  const pieces: Uint8Array[] = []; // BOUNDED by file.size, which was found to fit
  let bytes = 0;
  for await (const piece of file.read({ signal })) {
    bytes += piece.length;
    if (bytes > file.size) break;
    pieces.push(piece);
  }
  if (bytes === file.size) return concatBytes(...pieces);
  const why = 'a file does not have the length that it claims';
  throw new AltNetError('CONTENT_BAD', { root: file.cid.toString(), why });
}
