/**
 * The gateway under its own host: front page and redirects, the proxy file, and DNS over HTTPS
 * where the host is reached by that. It knows no sites.
 */
import type { Timers } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { isSecure } from './asked.ts';
import { type AnswerDns, answerDnsQuery, dnsPath } from './dns-query.ts';
import { answerFront, type Ways } from './front.ts';
import type { Authority } from './host.ts';
import type { SitePath } from './path.ts';
import { problems } from './problem.ts';
import { formatPac, pacType, proxyAddressFor } from './proxy.ts';
import {
  type Exchange,
  sendFailure,
  sendPage,
  sendProblem,
  sendRedirect,
  writeAll,
} from './send.ts';

export interface OwnAnswersDeps {
  /** Left out: there is no DNS here. */
  readonly dns?: AnswerDns | undefined;
  readonly log: Logger;
  readonly world: { readonly timers: Timers };
}

const pacPath = 'proxy.pac';

/** Whether this may have another method than GET and HEAD, and a body that is read. */
export function isDnsQuery({ request }: Exchange, { segments }: SitePath): boolean {
  return segments.length === 1 && segments[0] === dnsPath && isSecure(request);
}

export function answerOwn(
  exchange: Exchange,
  { path, authority, ways }: { path: SitePath; authority: Authority; ways: Ways },
  { dns, log, world: { timers } }: OwnAnswersDeps,
): void {
  const { request } = exchange;
  if (dns && isDnsQuery(exchange, path)) {
    answerDnsQuery(exchange, path.query, { answer: dns, timers }).catch((error: unknown) =>
      sendFailure(exchange, error, log),
    );
    return;
  }
  const { method = '' } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    sendProblem(exchange, problems.badMethod(method));
    return;
  }
  // The proxy is this port, so not one that wants TLS first.
  if (path.segments.length === 1 && path.segments[0] === pacPath && !isSecure(request)) {
    sendPac(exchange, authority, ways);
    return;
  }
  const answer = answerFront(path, ways);
  if (answer.kind === 'page') sendPage(exchange, answer.text);
  else if (answer.kind === 'redirect') sendRedirect(exchange, 302, answer);
  else sendProblem(exchange, answer.problem);
}

function sendPac(exchange: Exchange, authority: Authority, { tld }: Ways): void {
  const { localAddress = '', localPort = 0 } = exchange.request.socket;
  const proxy = proxyAddressFor(authority, { address: localAddress, port: localPort });
  writeAll(exchange, Buffer.from(formatPac({ tld, proxy })), 200, {
    'content-type': pacType,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
}
