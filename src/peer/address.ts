/**
 * Multiaddrs as far as AltNet uses them: an IP address and a TCP port; peer-address.ts adds those
 * that lead through a relay. Host names and other transports are not taken from peers, so that a
 * record cannot make a node ask a DNS server.
 */
import { networkInterfaces } from 'node:os';
import {
  type Endpoint,
  formatIp,
  type HostPort,
  parseIp,
  prefixOf,
  type Scope,
  scopeOf,
  unmapIp,
} from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';

/** "/ip4/1.2.3.4/tcp/9000" or "/ip6/::1/tcp/9000". */
export function formatMultiaddr({ ip, port }: Endpoint): string {
  return `/${ip.length === 4 ? 'ip4' : 'ip6'}/${formatIp(ip)}/tcp/${port}`;
}

/** The endpoint that a TCP multiaddr names, a trailing /p2p/… ignored; undefined for any other. */
export function parseMultiaddr(text: string): Endpoint | undefined {
  if (text.length > multiaddrTextMax) return undefined;
  const match = /^\/ip([46])\/([0-9a-fA-F.:]+)\/tcp\/(\d{1,5})(?:\/p2p\/[0-9A-Za-z]+)?$/.exec(text);
  const ip = match?.[2] === undefined ? undefined : parseIp(match[2]);
  const port = Number(match?.[3]);
  return ip && port > 0 && port <= 65_535 ? { ip, port } : undefined;
}

const multiaddrTextMax = 128;

/**
 * The /24 or /48 that a peer at this multiaddr counts to. Of global addresses only: in a loopback
 * or private network all are neighbours. Who comes through a relay counts to the relay's network:
 * where it comes from is not to be seen, and a relay could invent as many peers as it likes.
 */
export function networkOf(address: string | undefined): string | undefined {
  const [at = ''] = (address ?? '').split('/p2p-circuit');
  const ip = parseMultiaddr(at)?.ip;
  if (ip === undefined) return undefined;
  const own = unmapIp(ip);
  return scopeOf(own) === 'global' ? prefixOf(own, 'narrow') : undefined;
}

const ip4Code = 0x04;
const ip6Code = 0x29;
const tcpCode = 0x06;

/** The binary form: 8 bytes for IPv4, 20 for IPv6. */
export function encodeMultiaddr({ ip, port }: Endpoint): Bytes {
  const code = ip.length === 4 ? ip4Code : ip6Code;
  return Uint8Array.from([code, ...ip, tcpCode, port >> 8, port & 255]);
}

/** The endpoint of a binary TCP multiaddr; undefined for any other. */
export function decodeMultiaddr(bytes: Bytes): Endpoint | undefined {
  const length = bytes[0] === ip4Code ? 4 : bytes[0] === ip6Code ? 16 : 0;
  if (length === 0 || bytes.length !== length + 4 || bytes[length + 1] !== tcpCode)
    return undefined;
  const port = ((bytes[length + 2] ?? 0) << 8) | (bytes[length + 3] ?? 0);
  return port > 0 ? { ip: unmapIp(bytes.slice(1, length + 1)), port } : undefined;
}

const nearness: Readonly<Record<Scope, number>> = { loopback: 0, private: 1, global: 2, bogon: -1 };

/**
 * Whether an address learned from a node at `from` may be dialled: nobody out there may point this
 * node at its own host or its own network.
 */
export function mayVouchFor(from: Endpoint, { ip }: Endpoint): boolean {
  const scope = scopeOf(ip);
  return scope !== 'bogon' && nearness[scope] >= nearness[scopeOf(from.ip)];
}

/** What others can dial when this node listens on `listen`: the widest scopes first. */
export function announcedEndpoints(listen: readonly HostPort[]): Endpoint[] {
  const endpoints = listen.flatMap(({ host, port }) => expand(host).map((ip) => ({ ip, port })));
  return endpoints
    .filter(({ ip }) => scopeOf(ip) !== 'bogon')
    .toSorted((a, b) => nearness[scopeOf(b.ip)] - nearness[scopeOf(a.ip)]);
}

function expand(host: string): Bytes[] {
  const ip = parseIp(host);
  if (ip === undefined) return [];
  if (ip.some((byte) => byte !== 0)) return [ip];
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => parseIp(address))
    .filter((own) => own !== undefined)
    .filter((own) => own.length === ip.length && !isLinkLocal(own));
}

/** fe80::/10 means nothing without the name of an interface. */
function isLinkLocal(ip: Bytes): boolean {
  return ip.length === 16 && ip[0] === 0xfe && ((ip[1] ?? 0) & 0xc0) === 0x80;
}
