/**
 * A router that maps ports on request, as those in homes do: Debian's miniupnpd in the namespace of
 * a router of namespaces.ts. Root only.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { atEnd, type Ending, temporaryFolder } from './cleanup.ts';
import { namespacesMissing } from './namespaces.ts';

const program = '/usr/sbin/miniupnpd';

/** In one line, why there can be none here; false where there can. */
export function portMapperMissing(): string | false {
  const missing = namespacesMissing();
  if (missing !== false) return missing;
  return existsSync(program) ? false : 'a router that maps ports needs miniupnpd-nftables';
}

export type MapperLanguage = 'natpmp' | 'upnp';

const rules = `table inet mapper {
  chain forward { type filter hook forward priority 0; policy accept; jump allowed; }
  chain allowed { }
  chain before { type nat hook prerouting priority -100; jump mapped; }
  chain mapped { }
  chain after { type nat hook postrouting priority 90; jump masked; }
  chain masked { }
}`;

/** Ends with the test; resolves when it answers. Of the two languages it speaks only this one. */
export async function startPortMapper(
  t: Ending,
  router: string,
  language: MapperLanguage,
): Promise<void> {
  const folder = temporaryFolder(t);
  execFileSync('ip', ['netns', 'exec', router, 'nft', '-f', '-'], { input: rules });
  const config = path.join(folder, 'miniupnpd.conf');
  const [natpmp, upnp] = [language === 'natpmp', language === 'upnp'];
  const lines = [
    'ext_ifname=wan',
    'listening_ip=lan',
    `enable_natpmp=${natpmp ? 'yes' : 'no'}`,
    `enable_upnp=${upnp ? 'yes' : 'no'}`,
    'secure_mode=yes',
    'upnp_table_name=mapper',
    'upnp_nat_table_name=mapper',
    'upnp_forward_chain=allowed',
    'upnp_nat_chain=mapped',
    'upnp_nat_postrouting_chain=masked',
    'uuid=11111111-2222-3333-4444-555555555555',
    'allow 1024-65535 192.168.1.0/24 1024-65535',
    'deny 0-65535 0.0.0.0/0 0-65535',
  ];
  writeFileSync(config, `${lines.join('\n')}\n`);
  const words = ['netns', 'exec', router, program, '-d', '-4', '-f', config];
  const child = spawn('ip', [...words, '-P', path.join(folder, 'pid')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2000)));
  atEnd(t, () => end(child));
  while (!said.includes(natpmp ? 'Listening for NAT-PMP' : 'HTTP listening')) {
    if (child.exitCode !== null) throw new Error(`miniupnpd ended: ${said}`);
    await pause(50);
  }
}

/** The ports that a router maps now, such as "tcp 9000". */
export function mappedPorts(router: string): string[] {
  const words = ['netns', 'exec', router, 'nft', 'list', 'chain', 'inet', 'mapper', 'mapped'];
  const text = execFileSync('ip', words, { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const [, protocol, port] = /@nh,72,8 (0x6|0x11) th dport (\d+) dnat/.exec(line) ?? [];
    return protocol === undefined ? [] : [`${protocol === '0x6' ? 'tcp' : 'udp'} ${port}`];
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}
