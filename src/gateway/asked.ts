/** What a request asks for, read from its target and headers. Pure. */
import type { IncomingMessage } from 'node:http';

export interface Asked {
  /** Undefined where the request names no one host. */
  readonly authority: string | undefined;
  readonly target: string;
}

/**
 * Authority and path of a request. An absolute target outweighs the Host header (RFC 9112, §3.2.2);
 * two Host headers name no host at all, because the next one to read them may pick the other.
 */
export function splitTarget(request: IncomingMessage): Asked {
  const { url: target = '/', headers } = request;
  if (target.startsWith('/')) {
    return { authority: hasTwoHosts(request) ? undefined : headers.host, target };
  }
  const [, authority, rest = ''] = /^http:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  if (authority === undefined) return { authority: headers.host, target };
  return { authority, target: rest.startsWith('/') ? rest : `/${rest}` };
}

function hasTwoHosts({ rawHeaders }: IncomingMessage): boolean {
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    if (name.length === 4 && name.toLowerCase() === 'host') hosts++;
  }
  return hosts > 1;
}

/** A body that is never read: its connection cannot be used again. */
export function announcesBody({ headers }: IncomingMessage): boolean {
  const length = headers['content-length'];
  return headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0');
}
