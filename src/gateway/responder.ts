/**
 * From a request to the one that answers it: reads method, host and path, and leaves sites to
 * SiteAnswers. The sockets are the gateway's.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { LruMap } from '../base/limits.ts';
import { Accounts, type GatewayCounts, type ServedAnswer } from './account.ts';
import {
  announcesBody,
  type Asked,
  isSecure,
  servernameOf,
  splitTarget,
  wantsWebSocket,
} from './asked.ts';
import { doorProblems } from './door-problems.ts';
import { isEmbeddedElsewhere } from './embedding.ts';
import { type Authority, isOfSameSite, parseAuthority } from './host.ts';
import { answerOwn, isDnsQuery, type OwnAnswersDeps } from './own-answers.ts';
import { formatPath, isBadPath, parsePath, type SitePath } from './path.ts';
import { problems } from './problem.ts';
import { isForUs } from './proxy.ts';
import type { Repeatable } from './conversation.ts';
import { type Exchange, sendFailure, sendProblem, sendRedirect } from './send.ts';
import {
  type KeptAnswer,
  SiteAnswers,
  type SiteAnswersDeps,
  type SiteAnswersOptions,
} from './siteanswers.ts';
import { findBlocksPath } from './trustless.ts';

const authoritiesMax = 1024;
const authorityCharsMax = 300;

export interface ResponderDeps extends SiteAnswersDeps, OwnAnswersDeps {
  readonly world: SiteAnswersDeps['world'];
  /** Told of each request for a site with a name, once it is answered. */
  readonly onServed?: ((served: ServedAnswer) => void) | undefined;
}

export interface ResponderOptions extends SiteAnswersOptions {
  /** The ending of names in hosts: "alt". */
  readonly tld: string;
}

export class Responder {
  readonly #deps: ResponderDeps;
  readonly #tld: string;
  readonly #sites: SiteAnswers;
  readonly #accounts: Accounts;
  readonly #authorities = new LruMap<string, Authority>(authoritiesMax); // BOUNDED by its size

  constructor(deps: ResponderDeps, options: ResponderOptions) {
    this.#deps = deps;
    this.#tld = options.tld;
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

  /**
   * Answers every request, and never throws. Says what of its answer may be repeated, if any.
   * `onOver`: told when nothing more of it goes out.
   */
  respond(
    request: IncomingMessage,
    response: ServerResponse,
    onOver: (request: IncomingMessage, response: ServerResponse) => void,
  ): Repeatable | undefined {
    const account = this.#accounts.begin();
    const exchange: Exchange = { request, response, account, tld: this.#tld };
    response.on('close', () => {
      this.#accounts.end(account, response);
      onOver(request, response);
    });
    try {
      const kept = this.#dispatch(exchange);
      return kept && this.#repeatable(exchange, kept);
    } catch (error) {
      sendFailure(exchange, error, this.#deps.log);
      return undefined;
    }
  }

  #repeatable({ response, account }: Exchange, kept: KeptAnswer): Repeatable | undefined {
    const { statusCode } = response;
    if (statusCode !== 200 && statusCode !== 304) return undefined; // parts are asked for once
    const answered = { headersSent: true, statusCode };
    return {
      body: kept.body,
      again: (address) => {
        if (!kept.holdsFor(address)) return undefined;
        const repeated = this.#accounts.beginLike(account, address);
        return () => this.#accounts.end(repeated, answered);
      },
    };
  }

  #dispatch(exchange: Exchange): KeptAnswer | undefined {
    const { request, response } = exchange;
    const asked = splitTarget(request);
    const authority = this.#authorityOf(asked.authority);
    const path = parsePath(asked.target);
    const isOwn = authority.target.kind === 'gateway' && !isBadPath(path);
    if (isOwn && this.#deps.dns && isDnsQuery(exchange, path)) {
      return this.#toHost(exchange, authority, path); // the only one whose body is read
    }
    const { httpVersionMajor } = request;
    if (httpVersionMajor === 1 && announcesBody(request)) response.setHeader('connection', 'close');
    if (!this.#admit(exchange, asked, authority)) return undefined;
    if (!isBadPath(path)) return this.#toHost(exchange, authority, path);
    if (path.status === 414) sendProblem(exchange, problems.pathTooLong(path.why));
    else sendProblem(exchange, problems.badRequest(path.why));
    return undefined;
  }

  /** Whether the request may be answered at all; if not, it has been. */
  #admit(exchange: Exchange, { isAbsolute }: Asked, authority: Authority): boolean {
    const { request } = exchange;
    const { method = '', socket } = request;
    const { localPort } = socket;
    const servername = servernameOf(request);
    if (isAbsolute && !isForUs(authority, { tld: this.#tld, localPort })) {
      sendProblem(exchange, doorProblems.notProxied(this.#tld));
    } else if (isEmbeddedElsewhere(request.headers, this.#tld)) {
      sendProblem(exchange, doorProblems.embedded());
    } else if (method !== 'GET' && method !== 'HEAD') {
      sendProblem(exchange, problems.badMethod(method));
    } else if (wantsWebSocket(request)) {
      exchange.response.setHeader('connection', 'close'); // its sender thinks of no other request
      sendProblem(exchange, doorProblems.webSocket());
    } else if (servername !== undefined && !isMeant(authority, servername)) {
      sendProblem(exchange, doorProblems.misdirected());
    } else {
      return true;
    }
    return false;
  }

  #toHost(exchange: Exchange, authority: Authority, path: SitePath): KeptAnswer | undefined {
    const { target, port } = authority;
    const tld = this.#tld;
    const scheme = isSecure(exchange.request) ? 'https' : 'http';
    switch (target.kind) {
      case 'name':
      case 'root':
        return this.#sites.answer(exchange, target, path);
      case 'gateway': {
        // Only as blocks: as files of this host, sites would all have one origin.
        const blocks = this.#deps.dags && findBlocksPath(exchange.request, path);
        if (blocks) {
          return this.#sites.answer(exchange, { kind: 'root', root: blocks.root }, blocks.path);
        }
        const ways = { scheme, ending: target.ending, port, tld } as const;
        answerOwn(exchange, { path, authority, ways }, this.#deps);
        break;
      }
      case 'moved': {
        const location = `${scheme}://${target.host}${port}${formatPath(path)}`;
        sendRedirect(exchange, 302, { location });
        break;
      }
      case 'subdomain':
        sendProblem(exchange, doorProblems.subdomain(target.name, tld));
        break;
      case 'other-system':
        sendProblem(exchange, doorProblems.otherSystem(target.host));
        break;
      case 'foreign':
        sendProblem(exchange, doorProblems.foreignHost(tld));
        break;
      case 'malformed':
        sendProblem(exchange, problems.badRequest('the host is not the name of a site'));
        break;
      default:
        target satisfies never;
    }
    return undefined;
  }

  #authorityOf(text = ''): Authority {
    const known = this.#authorities.peek(text); // to mark it would cost as much as it saves
    if (known) return known;
    const authority = parseAuthority(text, this.#tld);
    if (text.length <= authorityCharsMax) this.#authorities.set(text, authority);
    return authority;
  }
}

/** Who named no host was shown the gateway's own certificate, and may not speak to another host. */
function isMeant({ host, target }: Authority, servername: string): boolean {
  return servername === '' ? target.kind === 'gateway' : isOfSameSite(host, servername);
}
