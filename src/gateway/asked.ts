/** What a request asks for, read from its target and headers. Pure. */
import type { IncomingMessage } from 'node:http';

export interface Asked {
  /** Undefined where the request names no one host. */
  readonly authority: string | undefined;
  readonly target: string;
  /** Asked as of a proxy: the target itself names the host. */
  readonly isAbsolute: boolean;
}

/**
 * Authority and path of a request. An absolute target outweighs the Host header (RFC 9112, §3.2.2);
 * two Host headers name no host at all, because the next one to read them may pick the other.
 */
export function splitTarget(request: IncomingMessage): Asked {
  const { url: target = '/', headers } = request;
  const isAbsolute = false;
  if (request.httpVersionMajor > 1) {
    return { authority: http2Authority(request), target, isAbsolute };
  }
  if (target.startsWith('/')) {
    const authority = hasTwoHosts(request) ? undefined : headers.host;
    return { authority, target, isAbsolute };
  }
  const [, authority, rest = ''] = /^http:\/\/([^/?#]*)(.*)$/is.exec(target) ?? [];
  if (authority === undefined) return { authority: headers.host, target, isAbsolute };
  return { authority, target: rest.startsWith('/') ? rest : `/${rest}`, isAbsolute: true };
}

/** A Host header beside :authority must say the same (RFC 9113, §8.3.1). */
function http2Authority({ headers }: IncomingMessage): string | undefined {
  const authority = headers[':authority'];
  if (typeof authority !== 'string') return headers.host;
  return headers.host === undefined || headers.host === authority ? authority : undefined;
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

/** Who asks for this waits for a protocol that no static site speaks. */
export function wantsWebSocket({ headers }: IncomingMessage): boolean {
  return /(^|,)\s*websocket\s*(,|$)/i.test(headers.upgrade ?? '');
}

/** Whether the request came through TLS. */
export function isSecure({ socket }: Pick<IncomingMessage, 'socket'>): boolean {
  return Reflect.get(socket, 'encrypted') === true;
}

/** The host that was named in the handshake, '' when none was; undefined outside TLS. */
export function servernameOf(request: Pick<IncomingMessage, 'socket'>): string | undefined {
  const name: unknown = Reflect.get(request.socket, 'servername');
  if (typeof name === 'string') return name.toLowerCase();
  return isSecure(request) ? '' : undefined;
}
