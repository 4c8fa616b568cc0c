/**
 * The gateway as a proxy for hosts below one ending (docs/spec/http.md, "Proxy"): whom it takes,
 * and the file that tells browsers of it. It forwards nothing: what it takes it answers itself.
 * Pure.
 */
import { formatIp, parseIp } from '../base/address.ts';
import { otherSystems } from '../base/other-systems.ts';
import { type Authority, parseAuthority } from './host.ts';

/** How a tunnel ends here: at the HTTPS gateway, at the plain one, or not at all. */
export type TunnelEnd = 'secure' | 'plain' | 'refused';

const httpsPort = 443;

/**
 * `target` is the authority that CONNECT names: host and port. `securePort`: where the HTTPS
 * gateway listens, because links may name that.
 */
export function tunnelEndOf(
  target: string,
  { tld, securePort }: { readonly tld: string; readonly securePort: number | undefined },
): TunnelEnd {
  const authority = parseAuthority(target, tld);
  const port = portOf(authority);
  if (port === undefined || !isBelow(authority, tld)) return 'refused';
  return port === httpsPort || port === securePort ? 'secure' : 'plain';
}

/**
 * Whether a request that names its host as those to a proxy do is for this gateway: a host of the
 * ending, or the gateway's own at the very port that it came to.
 */
export function isForUs(
  authority: Authority,
  { tld, localPort }: { readonly tld: string; readonly localPort: number | undefined },
): boolean {
  const { target, host } = authority;
  if (target.kind === 'malformed') return true; // it is told what is wrong with it
  if (isBelow(authority, tld) || target.kind === 'other-system') return true;
  const isOwn = target.kind === 'gateway' || host.endsWith('.localhost');
  return isOwn && (portOf(authority) ?? 80) === localPort;
}

/** Whether a site, or the gateway itself, may answer under this host. */
function isBelow({ target, host }: Authority, tld: string): boolean {
  const isPossible = target.kind !== 'malformed' && target.kind !== 'other-system';
  return isPossible && host.endsWith(`.${tld}`);
}

function portOf({ port }: Authority): number | undefined {
  const value = Number(port.slice(1));
  return port !== '' && value > 0 && value < 65_536 ? value : undefined;
}

/**
 * The proxy's address for who came in through `authority`: the address they called it by, which may
 * be a router's that leads here, or where the connection arrived when they called it by a name.
 */
export function proxyAddressFor(
  { host, port }: Authority,
  local: { readonly address: string; readonly port: number },
): string {
  const called = parseIp(host.replaceAll(/[[\]]/g, ''));
  const ip = called ?? parseIp(local.address);
  const isV6 = ip?.length === 16;
  const text = ip ? formatIp(ip) : '127.0.0.1';
  const at = called ? port || ':80' : `:${local.port}`;
  return `${isV6 ? `[${text}]` : text}${at}`;
}

/**
 * A proxy auto-configuration file. There is nothing after the proxy: while no node runs, a browser
 * must not ask the DNS of the Internet for names that are none of its business.
 */
export function formatPac({
  tld,
  proxy,
}: {
  readonly tld: string;
  readonly proxy: string;
}): string {
  const others = [...otherSystems].map((label) => `${label}.${tld}`);
  return `// Sends hosts below .${tld} to the AltNet node at ${proxy}, and no others.
function FindProxyForURL(url, host) {
  var name = host.toLowerCase().replace(/\\.$/, '');
  var others = ${JSON.stringify(others)};
  for (var i = 0; i < others.length; i++) {
    if (name === others[i] || dnsDomainIs(name, '.' + others[i])) return 'DIRECT';
  }
  return dnsDomainIs(name, '.${tld}') ? 'PROXY ${proxy}' : 'DIRECT';
}
`;
}

export const pacType = 'application/x-ns-proxy-autoconfig';
