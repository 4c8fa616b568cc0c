/**
 * How this system resolves names now: by which resolvers, with which suffixes. Where a stub of
 * systemd-resolved stands before them, those behind it: the stub may be told to ask us.
 */
import { Resolver } from 'node:dns';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { type HostPort, parseHostPort, parseIp } from '../../base/address.ts';

export interface SystemResolution {
  readonly servers: readonly HostPort[];
  /**
   * What programs here append to a name that they did not find, lower case, without a final dot.
   */
  readonly search: readonly string[];
}

export type ReadSystem = () => Promise<SystemResolution>;

export const dnsPort = 53;
const resolvConf = '/etc/resolv.conf';
/** What systemd-resolved asks itself. */
const uplinksConf = '/run/systemd/resolve/resolv.conf';
const stubs: ReadonlySet<string> = new Set(['127.0.0.53', '127.0.0.54']);
const serversMax = 8;
const searchMax = 32;

export async function readSystem(): Promise<SystemResolution> {
  if (process.platform !== 'linux') {
    // A new one each time: it reads what the system says when it is made.
    const servers = new Resolver().getServers().flatMap((text) => serverOf(text) ?? []);
    return { servers, search: [] };
  }
  const listed = await readConf(resolvConf);
  if (!listed.servers.some(({ host }) => stubs.has(host))) return listed;
  const { servers } = await readConf(uplinksConf);
  return servers.length > 0 ? { ...listed, servers } : listed;
}

async function readConf(file: string): Promise<SystemResolution> {
  try {
    return parseResolvConf(await readFile(file, 'utf8'));
  } catch {
    return { servers: [], search: [] }; // no file, no resolvers
  }
}

/** resolv.conf(5): the last list of suffixes counts. */
export function parseResolvConf(text: string): SystemResolution {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const servers = lines
    .filter(([word]) => word === 'nameserver')
    .flatMap(([, address = '']) => serverOf(address) ?? []);
  const suffixes = lines.findLast(([word]) => word === 'search' || word === 'domain');
  const search = (suffixes ?? [])
    .slice(1)
    .map((suffix) => suffix.toLowerCase().replace(/\.$/, ''))
    .filter((suffix) => suffix !== '');
  return { servers: servers.slice(0, serversMax), search: search.slice(0, searchMax) };
}

/** "192.0.2.1", "fe80::1%eth0", "192.0.2.1:53" or "[2001:db8::1]:53". */
function serverOf(text: string): HostPort | undefined {
  if (parseIp(text)) return { host: text, port: dnsPort };
  const withPort = parseHostPort(text);
  return withPort && parseIp(withPort.host) && withPort.port > 0 ? withPort : undefined;
}
