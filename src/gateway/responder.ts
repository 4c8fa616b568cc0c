/**
 * From a request to the one that answers it: reads method, host and path, and leaves sites to
 * SiteAnswers. The sockets are the gateway's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LruMap } from '../base/limits.ts';
import { Accounts, type GatewayCounts, type ServedAnswer } from './account.ts';
import { announcesBody, splitTarget } from './asked.ts';
import { answerFront, type Ways } from './front.ts';
import { type Authority, parseAuthority } from './host.ts';
import { formatPath, isBadPath, parsePath, type SitePath } from './path.ts';
import { problems } from './problem.ts';
import { type Exchange, sendFailure, sendPage, sendProblem, sendRedirect } from './send.ts';
import { SiteAnswers, type SiteAnswersDeps, type SiteAnswersOptions } from './siteanswers.ts';

const authoritiesMax = 1024;
const authorityCharsMax = 300;

export interface ResponderDeps extends SiteAnswersDeps {
  /** Told of each request for a site with a name, once it is answered. */
  readonly onServed?: ((served: ServedAnswer) => void) | undefined;
}

export class Responder {
  readonly #deps: ResponderDeps;
  readonly #sites: SiteAnswers;
  readonly #accounts: Accounts;
  readonly #authorities = new LruMap<string, Authority>(authoritiesMax); // BOUNDED by its size

  constructor(deps: ResponderDeps, options: SiteAnswersOptions) {
    this.#deps = deps;
    this.#accounts = new Accounts(deps.world.clock, deps.onServed);
    this.#sites = new SiteAnswers(deps, options);
  }

  /** After this, everything is resolved and read anew: for what was updated, revoked or blocked. */
  forget(): void {
    this.#sites.forget();
  }

  counts(): Omit<GatewayCounts, 'connections'> {
    return this.#accounts.counts();
  }

  /** Follows what is denied, until `stop`. */
  start(): void {
    this.#sites.start();
  }

  stop(): void {
    this.#sites.stop();
  }

  /** Answers every request, and never throws. */
  respond(request: IncomingMessage, response: ServerResponse): void {
    const account = this.#accounts.begin();
    const exchange: Exchange = { request, response, account };
    response.once('close', () => this.#accounts.end(account, response));
    try {
      this.#dispatch(exchange);
    } catch (error) {
      sendFailure(exchange, error, this.#deps.log);
    }
  }

  #dispatch(exchange: Exchange): void {
    const { request, response } = exchange;
    const { method = '' } = request;
    if (announcesBody(request)) response.setHeader('connection', 'close');
    if (method !== 'GET' && method !== 'HEAD') {
      sendProblem(exchange, problems.badMethod(method));
      return;
    }
    const asked = splitTarget(request);
    const path = parsePath(asked.target);
    if (!isBadPath(path)) this.#toHost(exchange, this.#authorityOf(asked.authority), path);
    else if (path.status === 414) sendProblem(exchange, problems.pathTooLong(path.why));
    else sendProblem(exchange, problems.badRequest(path.why));
  }

  #toHost(exchange: Exchange, { target, port }: Authority, path: SitePath): void {
    switch (target.kind) {
      case 'name':
      case 'root':
        this.#sites.answer(exchange, target, path);
        return;
      case 'gateway':
        sendFront(exchange, path, { ending: target.ending, port });
        return;
      case 'moved': {
        const location = `http://${target.host}${port}${formatPath(path)}`;
        sendRedirect(exchange, 302, { location });
        return;
      }
      case 'subdomain':
        sendProblem(exchange, problems.subdomain(target.name));
        return;
      case 'foreign':
        sendProblem(exchange, problems.foreignHost());
        return;
      case 'malformed':
        sendProblem(exchange, problems.badRequest('the host is not the name of a site'));
        return;
      default:
        target satisfies never;
    }
  }

  #authorityOf(text = ''): Authority {
    const known = this.#authorities.get(text);
    if (known) return known;
    const authority = parseAuthority(text);
    if (text.length <= authorityCharsMax) this.#authorities.set(text, authority);
    return authority;
  }
}

function sendFront(exchange: Exchange, path: SitePath, ways: Ways): void {
  const answer = answerFront(path, ways);
  if (answer.kind === 'page') sendPage(exchange, answer.text);
  else if (answer.kind === 'redirect') sendRedirect(exchange, 302, answer);
  else sendProblem(exchange, answer.problem);
}
