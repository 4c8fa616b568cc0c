/**
 * Runs in a mount, network and process namespace of its own (setup-namespace.sh): sets a real resolver up,
 * runs `altnet setup dns` and `--undo` on it as a user would, and looks who was asked for what. Fails
 * by its exit code. Never run it anywhere else: it changes /etc.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import process from 'node:process';
import { probeHost } from '../../src/cli/setup/dns-check.ts';
import type { Ending } from './cleanup.ts';
import { runCli } from './cli.ts';
import { startAnswering } from './dns-answers.ts';

/** What each resolver needs to run here and to ask one server for everything. */
const upstream = '10.9.9.1';
const settings: Readonly<Record<string, readonly (readonly [file: string, content: string])[]>> = {
  dnsmasq: [
    ['/etc/resolv.conf', 'nameserver 127.0.0.1\n'],
    [
      '/etc/dnsmasq.conf',
      `no-resolv\nserver=${upstream}\nlisten-address=127.0.0.1\nbind-interfaces\nuser=root\nstop-dns-rebind\npid-file=/run/resolver.pid\nconf-dir=/etc/dnsmasq.d\n`,
    ],
    ['/etc/dnsmasq.d/README', ''],
  ],
  unbound: [
    ['/etc/resolv.conf', 'nameserver 127.0.0.1\n'],
    [
      '/etc/unbound/unbound.conf',
      `server:\n  interface: 127.0.0.1\n  username: ""\n  chroot: ""\n  pidfile: /run/resolver.pid\n  use-syslog: no\nforward-zone:\n  name: "."\n  forward-addr: ${upstream}\ninclude-toplevel: "/etc/unbound/unbound.conf.d/*.conf"\n`,
    ],
  ],
  'systemd-resolved': [
    ['/etc/resolv.conf', 'nameserver 127.0.0.53\n'],
    ['/etc/systemd/resolved.conf', '[Resolve]\nDNSSEC=no\nFallbackDNS=\n'],
  ],
};

const [, , resolver = ''] = process.argv;
const undoing: (() => unknown)[] = [];
const ending: Ending = { after: (undo) => void undoing.push(undo) };

function stateOfEtc(): string {
  return execFileSync('sh', ['-c', 'find /etc -type f | sort | xargs -d "\\n" sha256sum'], {
    maxBuffer: 2 ** 24,
  }).toString();
}

function systemctl(...words: string[]): void {
  execFileSync('systemctl', words);
}

async function addressOf(host: string): Promise<string> {
  return (await lookup(host, { family: 4 })).address;
}

async function altnet(...words: string[]): Promise<string> {
  const argv = ['setup', 'dns', '--yes', '--json', '--data', '/run/data', ...words];
  const { code, stdout, stderr } = await runCli(argv, { cwd: '/' });
  assert.equal(code, 0, stderr);
  return (JSON.parse(stdout) as { outcome: string }).outcome;
}

async function check(): Promise<void> {
  rmSync('/etc/unbound/unbound.conf.d', { recursive: true, force: true });
  mkdirSync('/etc/unbound/unbound.conf.d', { recursive: true });
  mkdirSync('/etc/dnsmasq.d', { recursive: true });
  for (const [file, content] of settings[resolver] ?? []) writeFileSync(file, content);
  const world = await startAnswering(ending, { host: upstream, port: 53, ip: '9.9.9.7' });
  const node = await startAnswering(ending, { port: 5354, ip: '127.0.0.1' });
  systemctl('restart', resolver);
  const before = stateOfEtc();
  assert.equal(await addressOf('one.example.com'), '9.9.9.7');
  assert.equal(await addressOf('one.alt'), '9.9.9.7', 'names under .alt go out');

  assert.equal(await altnet('--dns', node.address), 'made');
  world.asked.length = 0;
  assert.equal(await addressOf('two.alt'), '127.0.0.1');
  assert.equal(await addressOf(probeHost), '127.0.0.1');
  assert.equal(await addressOf('two.example.com'), '9.9.9.7');
  assert.equal(await altnet('--dns', node.address), 'unchanged');
  systemctl('restart', resolver);
  assert.equal(await addressOf('three.alt'), '127.0.0.1', 'also after a restart');
  const strays = node.asked.filter((line) => !line.endsWith('alt'));
  assert.deepEqual(strays, [], 'no other name is asked of the node');
  assert.deepEqual(
    world.asked.filter((line) => line.endsWith('alt')),
    [],
    'and no .alt of others',
  );

  assert.equal(await altnet('--undo'), 'undone');
  assert.equal(stateOfEtc(), before);
  node.asked.length = 0;
  assert.equal(await addressOf('four.alt'), '9.9.9.7');
  assert.deepEqual(node.asked, []);
}

try {
  await check();
} finally {
  execFileSync('systemctl', ['stop', resolver]);
  for (const undo of undoing.toReversed()) await undo();
}
process.exit(0);
