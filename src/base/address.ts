/** IP addresses and ports as bytes, their scope and the prefixes that count as one owner. */
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { type Bytes, equalBytes, toHex } from './bytes.ts';

/** Where datagrams go. `ip` is 4 bytes (IPv4) or 16 bytes (IPv6, never v4-mapped); port 1–65535. */
export interface Endpoint {
  readonly ip: Bytes;
  readonly port: number;
}

/** loopback < private < global; `bogon` is what no peer can have (0/8, multicast, broadcast …). */
export type Scope = 'loopback' | 'private' | 'global' | 'bogon';

/** 4 or 16 bytes, or undefined when `text` is not an address. A v4-mapped address becomes IPv4. */
export function parseIp(text: string): Bytes | undefined {
  if (isIPv4(text)) return Uint8Array.from(text.split('.').map(Number));
  const plain = text.replace(/%.*$/, '');
  if (!isIPv6(plain)) return undefined;
  const canonical = new SocketAddress({ address: plain, family: 'ipv6' }).address;
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(canonical);
  const hextets = dotted
    ? `${dotted[1]}${pair(dotted[2], dotted[3])}:${pair(dotted[4], dotted[5])}`
    : canonical;
  return unmapIp(Uint8Array.from(expandHextets(hextets).flatMap((n) => [n >> 8, n & 255])));
}

function pair(high: string | undefined, low: string | undefined): string {
  return (Number(high) * 256 + Number(low)).toString(16);
}

function parseHextets(part: string): number[] {
  return part === '' ? [] : part.split(':').map((hextet) => Number.parseInt(hextet, 16));
}

function expandHextets(text: string): number[] {
  const [head = '', tail] = text.split('::');
  const left = parseHextets(head);
  if (tail === undefined) return left;
  const right = parseHextets(tail);
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

export function formatIp(ip: Bytes): string {
  if (ip.length === 4) return ip.join('.');
  const hextets = Array.from({ length: 8 }, (_, i) =>
    (((ip[2 * i] ?? 0) << 8) | (ip[2 * i + 1] ?? 0)).toString(16),
  );
  return new SocketAddress({ address: hextets.join(':'), family: 'ipv6' }).address;
}

/** "1.2.3.4:9000" or "[::1]:9000". */
export function formatEndpoint({ ip, port }: Endpoint): string {
  return ip.length === 4 ? `${formatIp(ip)}:${port}` : `[${formatIp(ip)}]:${port}`;
}

export function sameEndpoint(a: Endpoint, b: Endpoint): boolean {
  return a.port === b.port && equalBytes(a.ip, b.ip);
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** "host:port", "1.2.3.4:9000", "[::1]:9000" or ":9000" (host ''); undefined for anything else. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]/\s]*)):(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  const host = match[1] ?? match[2] ?? '';
  return port > 65_535 || (match[1] !== undefined && !isIPv6(host)) ? undefined : { host, port };
}

/** The endpoint that "ip:port" spells; undefined for host names, port 0 and anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const parsed = parseHostPort(text);
  const ip = parsed && parseIp(parsed.host);
  return parsed && ip && parsed.port > 0 ? { ip, port: parsed.port } : undefined;
}

const mappedPrefix = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);

/** 16 bytes: IPv6 as it is, IPv4 as ::ffff:a.b.c.d. */
export function mapIp(ip: Bytes): Bytes {
  if (ip.length === 16) return ip;
  const mapped = new Uint8Array(16);
  mapped.set(mappedPrefix);
  mapped.set(ip, 12);
  return mapped;
}

/** The inverse of mapIp: 4 bytes for a v4-mapped address, else the same 16. */
export function unmapIp(ip: Bytes): Bytes {
  return mappedPrefix.every((byte, i) => ip[i] === byte) ? ip.slice(12) : ip;
}

export function scopeOf(ip: Bytes): Scope {
  return ip.length === 4 ? scopeOfV4(ip) : scopeOfV6(ip);
}

function scopeOfV4(ip: Bytes): Scope {
  const a = ip[0] ?? 0; // by index: this runs for every contact of every reply
  const b = ip[1] ?? 0;
  if (a === 127) return 'loopback';
  if (a === 10 || (a === 172 && b >> 4 === 1) || (a === 192 && b === 168)) return 'private';
  // Link-local; what providers share between customers (RFC 6598); benchmarks (RFC 2544).
  if (a === 169 && b === 254) return 'private';
  if ((a === 100 && b >> 6 === 1) || (a === 198 && b >> 1 === 9)) return 'private';
  return a === 0 || a >= 224 ? 'bogon' : 'global';
}

function scopeOfV6(ip: Bytes): Scope {
  const [a = 0, b = 0] = ip;
  if (ip.subarray(0, 15).every((byte) => byte === 0)) return ip[15] === 1 ? 'loopback' : 'bogon';
  if (a >> 1 === 0b1111110 || (a === 0xfe && b >> 6 === 0b10)) return 'private';
  // 6to4 and Teredo wrap an IPv4 address, which may be of any scope.
  const isTeredo = a === 0x20 && b === 0x01 && ip[2] === 0 && ip[3] === 0;
  if (isTeredo || (a === 0x20 && b === 0x02)) return 'bogon';
  return a >> 5 === 1 ? 'global' : 'bogon';
}

/**
 * The network that an address counts to where diversity matters: `narrow` is IPv4 /24 or IPv6 /48,
 * `wide` is /16 or /32. Equal strings mean the same network.
 */
export function prefixOf(ip: Bytes, width: 'narrow' | 'wide'): string {
  return `${ip.length}:${toHex(ip.subarray(0, prefixBytes(ip, width)))}`;
}

/** Whether `prefixOf` gives the same for both. */
export function samePrefix(a: Bytes, b: Bytes, width: 'narrow' | 'wide'): boolean {
  if (a.length !== b.length) return false;
  const bytes = prefixBytes(a, width);
  for (let i = 0; i < bytes; i++) if (a[i] !== b[i]) return false;
  return true;
}

function prefixBytes(ip: Bytes, width: 'narrow' | 'wide'): number {
  if (ip.length === 4) return width === 'narrow' ? 3 : 2;
  return width === 'narrow' ? 6 : 4;
}
