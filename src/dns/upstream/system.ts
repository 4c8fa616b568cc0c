/**
 * The resolvers of this system, as they are now. Where a stub of systemd-resolved stands before
 * them, those behind it: the stub may be told to ask us.
 */
import { Resolver } from 'node:dns';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { type HostPort, parseHostPort, parseIp } from '../../base/address.ts';

export type ReadSystemServers = () => Promise<readonly HostPort[]>;

export const dnsPort = 53;
const resolvConf = '/etc/resolv.conf';
/** What systemd-resolved asks itself. */
const uplinksConf = '/run/systemd/resolve/resolv.conf';
const stubs: ReadonlySet<string> = new Set(['127.0.0.53', '127.0.0.54']);
const serversMax = 8;

export async function readSystemServers(): Promise<readonly HostPort[]> {
  if (process.platform !== 'linux') {
    // A new one each time: it reads what the system says when it is made.
    return new Resolver().getServers().flatMap((text) => serverOf(text) ?? []);
  }
  const listed = await readServers(resolvConf);
  if (!listed.some(({ host }) => stubs.has(host))) return listed;
  const uplinks = await readServers(uplinksConf);
  return uplinks.length > 0 ? uplinks : listed;
}

async function readServers(file: string): Promise<readonly HostPort[]> {
  try {
    return parseResolvConf(await readFile(file, 'utf8'));
  } catch {
    return []; // no file, no resolvers
  }
}

export function parseResolvConf(text: string): readonly HostPort[] {
  const lines = text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm);
  return [...lines].flatMap(([, address = '']) => serverOf(address) ?? []).slice(0, serversMax);
}

/** "192.0.2.1", "fe80::1%eth0", "192.0.2.1:53" or "[2001:db8::1]:53". */
function serverOf(text: string): HostPort | undefined {
  if (parseIp(text)) return { host: text, port: dnsPort };
  const withPort = parseHostPort(text);
  return withPort && parseIp(withPort.host) && withPort.port > 0 ? withPort : undefined;
}
