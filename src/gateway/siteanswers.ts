/**
 * Answers requests for what is on a site: resolves its name, finds the file, sends it. It owns the
 * caches and the limits on work.
 */
import type { CID } from 'multiformats/cid';
import { concatBytes, utf8 } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { type Denials, noDenials } from '../base/denial.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { SiteFile, SiteReader } from '../content/types.ts';
import type { NameResolver } from '../name/types.ts';
import { noteSite } from './account.ts';
import { Bodies, type BodiesLimits } from './bodies.ts';
import { declarationBytesMax, declaresOtherCharset } from './charset.ts';
import { guessRange } from './conditions.ts';
import { findOnSite, missingName } from './find.ts';
import type { HostTarget } from './host.ts';
import { InFlight } from './inflight.ts';
import { formatListing } from './listing.ts';
import { htmlType, mediaTypeOf } from './mime.ts';
import { FreshNames } from './names.ts';
import { formatPath, type SitePath } from './path.ts';
import { problemOfName, problems } from './problem.ts';
import {
  type Exchange,
  needsBytes,
  type Representation,
  sendBytes,
  sendFailure,
  sendFile,
  sendProblem,
  sendRedirect,
} from './send.ts';
import { type Showing, UnderWay } from './under-way.ts';

export interface SiteAnswersDeps {
  readonly names: NameResolver;
  readonly sites: SiteReader;
  readonly log: Logger;
  readonly world: Pick<World, 'clock' | 'timers'>;
  /** What is shown no longer once it is denied; `names` and `sites` do not give it anyway. */
  readonly denials?: Pick<Denials, 'ofPath' | 'onChange'> | undefined;
}

export interface SiteAnswersOptions {
  /** From the request to the first byte of the content. */
  readonly answerTimeoutMs: number;
  /** How long the requests of one page see the same version of a name. */
  readonly nameFreshMs: number;
  readonly requestsMax: number;
  readonly requestsPerClientMax: number;
  readonly cachedBytesMax: number;
  readonly cachedBodyBytesMax: number;
}

export type SiteTarget = Extract<HostTarget, { kind: 'name' | 'root' }>;

/** A root's content is what it is; where a name points to may change at any time. */
const rootCacheControl = 'public, max-age=31536000, immutable';
const nameCacheControl = 'public, max-age=5, must-revalidate';
const utf8HtmlType = mediaTypeOf('.html');
const noBytes = new Uint8Array(0);

/** A request for something on a site whose root is known. */
interface SiteRequest extends Exchange {
  readonly root: CID;
  readonly path: SitePath;
  readonly cacheControl: string;
}

interface Work {
  readonly signal: AbortSignal;
  /** Ends the deadline: the answer has begun, and the client's patience decides from here on. */
  readonly onBegin: () => void;
  /** Told what is shown, once that is known. */
  readonly onRoot: (root: CID | undefined) => void;
}

export class SiteAnswers {
  readonly #deps: SiteAnswersDeps;
  readonly #answerTimeoutMs: number;
  readonly #names: FreshNames;
  readonly #limits: BodiesLimits;
  #bodies: Bodies;
  readonly #inFlight: InFlight;
  readonly #underWay: UnderWay;
  #stopFollowing: (() => void) | undefined;

  constructor(deps: SiteAnswersDeps, options: SiteAnswersOptions) {
    const { nameFreshMs: freshMs, cachedBytesMax, cachedBodyBytesMax: bodyBytesMax } = options;
    this.#deps = deps;
    this.#answerTimeoutMs = options.answerTimeoutMs;
    this.#names = new FreshNames(deps.names, deps.world.clock, { freshMs });
    this.#limits = { bytesMax: cachedBytesMax, bodyBytesMax };
    this.#bodies = new Bodies(this.#limits);
    this.#inFlight = new InFlight(options);
    this.#underWay = new UnderWay(deps.names, deps.denials ?? noDenials);
  }

  forget(): void {
    this.#names.clear();
    this.#bodies = new Bodies(this.#limits);
  }

  /** From now on nothing is shown, nor goes on being sent, that has come to be denied. */
  start(): void {
    this.#stopFollowing ??= this.#deps.denials?.onChange(() => {
      this.forget();
      this.#underWay.review();
    });
  }

  stop(): void {
    this.#stopFollowing?.();
    this.#stopFollowing = undefined;
  }

  /** What is in memory is answered at once; everything else is work that is counted and timed. */
  answer(exchange: Exchange, target: SiteTarget, path: SitePath): void {
    const pinned = target.kind === 'root';
    const cacheControl = pinned ? rootCacheControl : nameCacheControl;
    const root = pinned ? target.root : this.#names.rootOf(target.label);
    if (root) noteSite(exchange.account, exchange.request, labelOf(target));
    const body = root && this.#bodies.get(bodyKey(root, path));
    if (body) {
      const { bytes, etag, type } = body;
      sendBytes(exchange, { size: bytes.length, type, etag, cacheControl }, bytes);
      return;
    }
    const showing = { label: labelOf(target), path: path.segments.join('/') };
    void this.#work(exchange, showing, async (work) => {
      const known = root ?? (await this.#resolve(exchange, target, work));
      work.onRoot(known);
      if (known) await this.#show({ ...exchange, root: known, path, cacheControl }, work);
    });
  }

  /** The root behind the name, or undefined after an answer that says why there is none. */
  async #resolve(
    exchange: Exchange,
    target: SiteTarget,
    { signal }: Work,
  ): Promise<CID | undefined> {
    if (target.kind === 'root') return target.root;
    const resolved = await this.#names.resolve(target.label, { signal });
    const problem = problemOfName(resolved);
    if (problem) sendProblem(exchange, problem);
    else noteSite(exchange.account, exchange.request, target.label);
    return problem ? undefined : resolved.root;
  }

  async #show(asked: SiteRequest, work: Work): Promise<void> {
    const { root, path, cacheControl } = asked;
    const { signal } = work;
    const range = guessRange(asked.request.headers.range);
    const found = await findOnSite({ sites: this.#deps.sites, root, signal, range }, path);
    switch (found.kind) {
      case 'file':
        return this.#showFile(asked, found, work);
      case 'folder': {
        const bytes = utf8(formatListing(found.folder, path.segments));
        const etag = `"${found.folder.cid.toString()}.list"`;
        const shown = { size: bytes.length, type: utf8HtmlType, etag, cacheControl };
        return sendBytes(asked, shown, bytes);
      }
      case 'needs-slash': {
        const location = formatPath({ ...path, slash: true });
        return sendRedirect(asked, 308, { location, cacheControl });
      }
      case 'missing':
        return showMissing(asked, found.page, work);
      default:
        return found satisfies never;
    }
  }

  async #showFile(
    asked: SiteRequest,
    { file, name }: { readonly file: SiteFile; readonly name: string },
    work: Work,
  ): Promise<void> {
    const { root, path, cacheControl } = asked;
    const etag = `"${file.cid.toString()}"`;
    const type = await typeOf(file, name, work);
    const shown: Representation = { size: file.size, type, etag, cacheControl };
    if (!this.#bodies.fits(file.size) || !needsBytes(asked, shown)) {
      await sendAnyFile(asked, shown, file, work);
      return;
    }
    const bodies = this.#bodies; // what is read while all is forgotten must not stay
    const bytes = await readWhole(file, work);
    bodies.add(bodyKey(root, path), { bytes, etag, type: shown.type });
    sendBytes(asked, shown, bytes);
  }

  /** Runs `task` within the limits, with a signal for a client who leaves or waits too long. */
  async #work(
    exchange: Exchange,
    what: Pick<Showing, 'label' | 'path'>,
    task: (work: Work) => Promise<void>,
  ): Promise<void> {
    const client = exchange.request.socket.remoteAddress ?? '';
    if (!this.#inFlight.enter(client)) {
      sendProblem(exchange, problems.tooMuch());
      return;
    }
    const controller = new AbortController();
    const { signal } = controller;
    const ms = this.#answerTimeoutMs;
    const onBegin = this.#deps.world.timers.after(ms, () =>
      controller.abort(new AltNetError('TIMEOUT', { what: 'the site', ms })),
    );
    const onClose = (): void => controller.abort(new AltNetError('ABORTED', {}));
    exchange.response.once('close', onClose);
    const showing: Showing = { ...what, controller };
    this.#underWay.begin(showing);
    try {
      await task({ signal, onBegin, onRoot: (root) => (showing.root = root) });
    } catch (error) {
      sendFailure(exchange, signal.aborted ? signal.reason : error, this.#deps.log);
    } finally {
      onBegin();
      this.#underWay.end(showing);
      this.#inFlight.leave(client);
    }
  }
}

/** Undefined for a bare root. */
function labelOf(target: SiteTarget): string | undefined {
  return target.kind === 'name' ? target.label : undefined;
}

/** The site's own page for what it lacks, or the gateway's. */
async function showMissing(
  asked: SiteRequest,
  page: SiteFile | undefined,
  work: Work,
): Promise<void> {
  if (!page) {
    sendProblem(asked, problems.noPath(formatPath({ ...asked.path, query: '' })));
    return;
  }
  const { size } = page;
  const type = await typeOf(page, missingName, work);
  const shown = { size, type, status: 404, cacheControl: nameCacheControl } as const;
  await sendAnyFile(asked, shown, page, work);
}

async function sendAnyFile(
  exchange: Exchange,
  shown: Representation,
  file: SiteFile,
  work: Work,
): Promise<void> {
  if (needsBytes(exchange, shown)) await sendFile(exchange, shown, file, work);
  else sendBytes(exchange, shown, noBytes);
}

/** By name; an HTML page that says that it is not in UTF-8 is believed. */
async function typeOf(file: SiteFile, name: string, { signal }: Work): Promise<string> {
  const type = mediaTypeOf(name);
  if (type !== utf8HtmlType) return type;
  const pieces: Uint8Array[] = []; // BOUNDED by declarationBytesMax
  const to = Math.min(declarationBytesMax, file.size);
  for await (const piece of file.read({ from: 0, to, signal })) pieces.push(piece);
  return declaresOtherCharset(concatBytes(...pieces)) ? htmlType : type;
}

function bodyKey(root: CID, { segments, slash }: SitePath): string {
  return `${root.toString()}/${segments.join('/')}${slash ? '/' : ''}`;
}

/** Only for files small enough to keep. */
async function readWhole(file: SiteFile, { signal }: Work): Promise<Uint8Array> {
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
