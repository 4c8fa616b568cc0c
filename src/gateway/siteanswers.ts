/**
 * Answers requests for what is on a site: resolves its name, has what stands at the path shown, and
 * keeps all of that within the limits on work.
 */
import type { CID } from 'multiformats/cid';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { type Denials, noDenials } from '../base/denial.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { DagReader, SiteReader } from '../content/types.ts';
import type { NameResolver } from '../name/types.ts';
import { noteSite } from './account.ts';
import { type ClientLimits, Clients } from './clients.ts';
import type { SiteRequest } from './file-answers.ts';
import type { HostTarget } from './host.ts';
import { FreshNames } from './names.ts';
import type { SitePath } from './path.ts';
import { problemOfName, problems } from './problem.ts';
import { type Exchange, sendFailure, type Sending, sendProblem } from './send.ts';
import { shortCacheControl, Show } from './show.ts';
import { asksForBlocks, sendBlocks } from './trustless.ts';
import { type Showing, UnderWay } from './under-way.ts';

export interface SiteAnswersDeps {
  readonly names: NameResolver;
  readonly sites: SiteReader;
  /** Left out: sites are shown, but not given as blocks. */
  readonly dags?: DagReader | undefined;
  readonly log: Logger;
  readonly world: Pick<World, 'clock' | 'timers'>;
  /** What is shown no longer once it is denied; `names` and `sites` do not give it anyway. */
  readonly denials?: Pick<Denials, 'ofPath' | 'onChange'> | undefined;
}

export interface SiteAnswersOptions extends ClientLimits {
  /** From the request to the first byte of the content. */
  readonly answerTimeoutMs: number;
  /** How long the requests of one page see the same version of a name. */
  readonly nameFreshMs: number;
  readonly cachedBytesMax: number;
  readonly cachedBodyBytesMax: number;
  /** How long a client may take nothing of what waits for it. */
  readonly readerTimeoutMs: number;
}

const second = 1000;

export const siteAnswersDefaults: SiteAnswersOptions = {
  answerTimeoutMs: 30 * second,
  nameFreshMs: second / 2,
  requestsMax: 512,
  requestsPerClientMax: 256, // a browser with many tabs open; six connections to each host
  requestsPerSecondMax: 50, // a large page each four seconds
  requestsBurstMax: 1000, // a few of them in a row
  limitsLoopback: false,
  cachedBytesMax: 16 * 1024 * 1024,
  cachedBodyBytesMax: 64 * 1024,
  readerTimeoutMs: 60 * second,
};

/** What was answered from memory. */
export interface KeptAnswer {
  /** What went out behind the head. */
  readonly body: Bytes;
  /** Whether a client at this address would be answered the same; it counts as a request. */
  holdsFor(address: string): boolean;
}

export type SiteTarget = Extract<HostTarget, { kind: 'name' | 'root' }>;

/** A root's content is what it is; where a name points to may change at any time. */
const rootCacheControl = 'public, max-age=31536000, immutable';
const nameCacheControl = shortCacheControl;

interface Work extends Sending {
  /** Told what is shown, once that is known. */
  readonly onRoot: (root: CID | undefined) => void;
}

export class SiteAnswers {
  readonly #deps: SiteAnswersDeps;
  readonly #options: SiteAnswersOptions;
  readonly #names: FreshNames;
  readonly #show: Show;
  readonly #clients: Clients;
  readonly #underWay: UnderWay;
  /** Another one after each `forget`. */
  #age = {};
  #stopFollowing: (() => void) | undefined;

  constructor(deps: SiteAnswersDeps, options: SiteAnswersOptions) {
    const { nameFreshMs: freshMs, cachedBytesMax, cachedBodyBytesMax: bodyBytesMax } = options;
    const { clock } = deps.world;
    this.#deps = deps;
    this.#options = options;
    this.#names = new FreshNames(deps.names, clock, { freshMs });
    this.#show = new Show(deps.sites, { bytesMax: cachedBytesMax, bodyBytesMax });
    this.#clients = new Clients(options, clock);
    this.#underWay = new UnderWay(deps.names, deps.denials ?? noDenials);
  }

  forget(): void {
    this.#age = {};
    this.#names.clear();
    this.#show.forget();
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

  /**
   * What is in memory is answered at once, and given back; everything else is work that is counted
   * and timed.
   */
  answer(exchange: Exchange, target: SiteTarget, path: SitePath): KeptAnswer | undefined {
    if (!this.#clients.admits(addressOf(exchange))) {
      sendProblem(exchange, problems.tooOften());
      return undefined;
    }
    const pinned = target.kind === 'root';
    const cacheControl = pinned ? rootCacheControl : nameCacheControl;
    const root = pinned ? target.root : this.#names.rootOf(target.label);
    const label = labelOf(target);
    if (root) noteSite(exchange.account, exchange.request, label);
    const wantsBlocks = asksForBlocks(exchange.request, path);
    if (root && !wantsBlocks) {
      const body = this.#show.showKept({ ...exchange, root, path, cacheControl });
      if (body) return { body, holdsFor: this.#whileFor(label, root) };
    }
    const showing = { label, path: path.segments.join('/') };
    void this.#work(exchange, showing, async (work) => {
      const known = root ?? (await this.#resolve(exchange, target, work));
      work.onRoot(known);
      if (!known) return;
      const asked: SiteRequest = { ...exchange, root: known, path, cacheControl };
      const { dags } = this.#deps;
      if (wantsBlocks && dags) await sendBlocks(asked, dags, work);
      else await this.#show.show(asked, work);
    });
    return undefined;
  }

  /** Content is what it is. What else decides may change: where the name leads, who may ask. */
  #whileFor(label: string | undefined, root: CID): KeptAnswer['holdsFor'] {
    const age = this.#age;
    return (address) => {
      if (age !== this.#age) return false;
      if (label !== undefined && this.#names.rootOf(label) !== root) return false;
      return this.#clients.admits(address);
    };
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

  /** Runs `task` within the limits, with a signal for a client who leaves or waits too long. */
  async #work(
    exchange: Exchange,
    what: Pick<Showing, 'label' | 'path'>,
    task: (work: Work) => Promise<void>,
  ): Promise<void> {
    const client = addressOf(exchange);
    const refusal = this.#clients.enter(client);
    if (refusal) {
      sendProblem(exchange, refusal === 'client' ? problems.tooOften() : problems.tooMuch());
      return;
    }
    const controller = new AbortController();
    const { signal } = controller;
    const { timers } = this.#deps.world;
    const { answerTimeoutMs: ms, readerTimeoutMs } = this.#options;
    const onBegin = timers.after(ms, () =>
      controller.abort(new AltNetError('TIMEOUT', { what: 'the site', ms })),
    );
    const onClose = (): void => controller.abort(new AltNetError('ABORTED', {}));
    exchange.response.once('close', onClose);
    const showing: Showing = { ...what, controller };
    const onRoot = (root: CID | undefined): void => void (showing.root = root);
    const onFound = (place: string): void => this.#underWay.found(showing, place);
    this.#underWay.begin(showing);
    try {
      await task({ signal, onBegin, onRoot, onFound, timers, readerTimeoutMs });
    } catch (error) {
      const { log } = this.#deps;
      sendFailure(exchange, signal.aborted ? signal.reason : error, log, showing.root);
    } finally {
      onBegin();
      this.#underWay.end(showing);
      this.#clients.leave(client);
    }
  }
}

function addressOf({ request }: Exchange): string {
  return request.socket.remoteAddress ?? '';
}

/** Undefined for a bare root. */
function labelOf(target: SiteTarget): string | undefined {
  return target.kind === 'name' ? target.label : undefined;
}
