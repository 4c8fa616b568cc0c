/**
 * Which program of this machine answers when another one asks for the address of a host: found from
 * files and running services, changing nothing.
 */
import type { Abortable } from '../../base/abort.ts';
import { readText, type System } from './system.ts';

export type Resolver =
  /** `version`: of systemd; 0 where it cannot be told. */
  | {
      readonly kind: 'systemd-resolved';
      readonly version: number;
      readonly hasNetworkManager: boolean;
    }
  | { readonly kind: 'networkmanager-dnsmasq' }
  | { readonly kind: 'dnsmasq'; readonly folder: string | undefined }
  | { readonly kind: 'unbound'; readonly folder: string | undefined }
  /** Other machines are asked, by each program for itself. */
  | { readonly kind: 'resolv-conf'; readonly content: string; readonly isLink: boolean }
  | { readonly kind: 'macos' }
  | { readonly kind: 'windows' }
  | { readonly kind: 'unknown'; readonly why: string };

const resolvConf = '/etc/resolv.conf';
const ownServers: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '127.0.1.1']);
const resolvedServers: ReadonlySet<string> = new Set(['127.0.0.53', '127.0.0.54']);

export async function findResolver(system: System, { signal }: Abortable = {}): Promise<Resolver> {
  if (system.platform === 'darwin') return { kind: 'macos' };
  if (system.platform === 'win32') return { kind: 'windows' };
  if (system.platform !== 'linux') return { kind: 'unknown', why: `on ${system.platform}` };
  const content = (await readText(system, resolvConf)) ?? '';
  const servers = nameserversOf(content);
  const isLink = (await system.linkTarget(resolvConf)) !== undefined;
  const asksResolved = servers.some((server) => resolvedServers.has(server));
  if (asksResolved || (await asksThroughNss(system, signal))) {
    const hasNetworkManager = await isActive(system, 'NetworkManager', signal);
    const version = await systemdVersion(system, signal);
    return { kind: 'systemd-resolved', version, hasNetworkManager };
  }
  if (!servers.some((server) => ownServers.has(server))) {
    return { kind: 'resolv-conf', content, isLink };
  }
  if (await usesNetworkManagerDnsmasq(system)) return { kind: 'networkmanager-dnsmasq' };
  if (await isActive(system, 'dnsmasq', signal)) {
    return { kind: 'dnsmasq', folder: await dnsmasqFolder(system) };
  }
  if (await isActive(system, 'unbound', signal)) {
    return { kind: 'unbound', folder: await unboundFolder(system) };
  }
  const why = `${resolvConf} asks this machine, and neither systemd-resolved, dnsmasq nor unbound runs`;
  return { kind: 'unknown', why };
}

export function nameserversOf(resolvConfText: string): string[] {
  return [...resolvConfText.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, ip = '']) => ip);
}

/** nss-resolve asks systemd-resolved whatever /etc/resolv.conf says. */
async function asksThroughNss(system: System, signal: AbortSignal | undefined): Promise<boolean> {
  const text = (await readText(system, '/etc/nsswitch.conf')) ?? '';
  const [, hosts = ''] = /^[ \t]*hosts:(.*)$/m.exec(text) ?? [];
  return /\bresolve\b/.test(hosts) && (await isActive(system, 'systemd-resolved', signal));
}

/** A service that is just being started counts, such as by a change that was broken off. */
async function isActive(
  system: System,
  unit: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { code, stdout } = await system.run('systemctl', ['is-active', unit], { signal });
  return code === 0 || ['activating', 'reloading'].includes(stdout.trim());
}

/** "systemd 252 (252.39-1~deb12u2)". */
async function systemdVersion(system: System, signal: AbortSignal | undefined): Promise<number> {
  const { stdout } = await system.run('systemctl', ['--version'], { signal });
  return Number(/^systemd (\d{1,5})\b/.exec(stdout)?.[1] ?? 0);
}

const networkManagerFolders = [
  '/etc/NetworkManager/conf.d',
  '/usr/lib/NetworkManager/conf.d',
] as const;

async function usesNetworkManagerDnsmasq(system: System): Promise<boolean> {
  const files = ['/etc/NetworkManager/NetworkManager.conf'];
  for (const folder of networkManagerFolders) {
    const names = await system.list(folder);
    files.push(
      ...names.filter((name) => name.endsWith('.conf')).map((name) => `${folder}/${name}`),
    );
  }
  for (const file of files) {
    if (/^[ \t]*dns[ \t]*=[ \t]*dnsmasq\b/m.test((await readText(system, file)) ?? '')) return true;
  }
  return false;
}

/** The folder that dnsmasq reads; Debian names it on the command line, others in the settings. */
async function dnsmasqFolder(system: System): Promise<string | undefined> {
  const text = (await readText(system, '/etc/dnsmasq.conf')) ?? '';
  const [, given] = /^[ \t]*conf-dir[ \t]*=[ \t]*([^,\s]+)/m.exec(text) ?? [];
  if (given !== undefined) return given;
  const isDebian = await system.exists('/etc/default/dnsmasq');
  return isDebian && (await system.exists('/etc/dnsmasq.d')) ? '/etc/dnsmasq.d' : undefined;
}

/** The folder whose files /etc/unbound/unbound.conf takes in at its top level. */
async function unboundFolder(system: System): Promise<string | undefined> {
  const text = (await readText(system, '/etc/unbound/unbound.conf')) ?? '';
  const included = /^[ \t]*include(?:-toplevel)?:[ \t]*"?([^"*\s]+)\/\*\.conf"?/gm;
  const folders = [...text.matchAll(included)].flatMap(([, folder]) => folder ?? []);
  return folders[0];
}
