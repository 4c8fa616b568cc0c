/** Which resolver is found, and what is planned for it, judged by the programs themselves. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { programMissing } from '../../../test/support/programs.ts';
import { failWith, type Program, succeed, testSystem } from '../../../test/support/setup-system.ts';
import { dnsCommandsOf, planDns } from './dns-plan.ts';
import { findResolver, type Resolver } from './dns-resolver.ts';
import { formatCommand, type Plan } from './plan.ts';

/** systemctl on a machine where these units run. */
function systemctl(active: readonly string[], version = '252 (252.39-1)'): Program {
  return (words) => {
    if (words[0] === '--version') return succeed(`systemd ${version}\n+PAM +AUDIT\n`);
    return active.includes(words.at(-1) ?? '') ? succeed() : failWith('', 3);
  };
}

interface Machine {
  readonly files: Readonly<Record<string, string>>;
  readonly active?: readonly string[];
  readonly platform?: NodeJS.Platform;
  readonly found: Resolver;
}

const asks = (ip: string): string => `search lan\nnameserver ${ip}\n`;

const machines: Readonly<Record<string, Machine>> = {
  'the stub of systemd-resolved': {
    files: { '/etc/resolv.conf': asks('127.0.0.53') },
    active: ['NetworkManager'],
    found: { kind: 'systemd-resolved', version: 252, hasNetworkManager: true },
  },
  'systemd-resolved through NSS': {
    files: {
      '/etc/resolv.conf': asks('192.0.2.1'),
      '/etc/nsswitch.conf': 'hosts: files resolve [!UNAVAIL=return] dns\n',
    },
    active: ['systemd-resolved'],
    found: { kind: 'systemd-resolved', version: 252, hasNetworkManager: false },
  },
  'NSS names systemd-resolved, which does not run': {
    files: { '/etc/resolv.conf': asks('192.0.2.1'), '/etc/nsswitch.conf': 'hosts: resolve dns' },
    found: { kind: 'resolv-conf', content: asks('192.0.2.1'), isLink: false, isGenerated: false },
  },
  'dnsmasq of NetworkManager': {
    files: {
      '/etc/resolv.conf': asks('127.0.0.1'),
      '/etc/NetworkManager/conf.d/x.conf': '[main]\ndns = dnsmasq\n',
    },
    active: ['NetworkManager', 'dnsmasq'],
    found: { kind: 'networkmanager-dnsmasq' },
  },
  'dnsmasq of Debian': {
    files: {
      '/etc/resolv.conf': asks('127.0.0.1'),
      '/etc/default/dnsmasq': 'ENABLED=1\n',
      '/etc/dnsmasq.conf': '#conf-dir=/etc/dnsmasq.d\n',
      '/etc/dnsmasq.d/README': '',
    },
    active: ['dnsmasq'],
    found: { kind: 'dnsmasq', folder: '/etc/dnsmasq.d' },
  },
  'dnsmasq with a folder of its own': {
    files: {
      '/etc/resolv.conf': asks('::1'),
      '/etc/dnsmasq.conf': 'bogus-priv\nconf-dir=/etc/other.d,.bak\n',
    },
    active: ['dnsmasq'],
    found: { kind: 'dnsmasq', folder: '/etc/other.d' },
  },
  'dnsmasq without a folder': {
    files: { '/etc/resolv.conf': asks('127.0.0.1'), '/etc/dnsmasq.conf': '' },
    active: ['dnsmasq'],
    found: { kind: 'dnsmasq', folder: undefined },
  },
  'unbound of Debian': {
    files: {
      '/etc/resolv.conf': asks('127.0.0.1'),
      '/etc/unbound/unbound.conf': '# x\ninclude-toplevel: "/etc/unbound/unbound.conf.d/*.conf"\n',
    },
    active: ['unbound'],
    found: { kind: 'unbound', folder: '/etc/unbound/unbound.conf.d' },
  },
  'nobody knows who answers': {
    files: { '/etc/resolv.conf': asks('127.0.0.1') },
    found: {
      kind: 'unknown',
      why: '/etc/resolv.conf asks this machine, and neither systemd-resolved, dnsmasq nor unbound runs',
    },
  },
  'nothing at all': {
    files: {},
    found: { kind: 'resolv-conf', content: '', isLink: false, isGenerated: false },
  },
  macOS: { files: {}, platform: 'darwin', found: { kind: 'macos' } },
  Windows: { files: {}, platform: 'win32', found: { kind: 'windows' } },
  FreeBSD: { files: {}, platform: 'freebsd', found: { kind: 'unknown', why: 'on freebsd' } },
};

describe('who looks names up', () => {
  for (const [name, { files, active = [], platform = 'linux', found }] of Object.entries(
    machines,
  )) {
    test(name, async (t) => {
      const system = testSystem(t, { platform, programs: { systemctl: systemctl(active) } });
      for (const [file, content] of Object.entries(files)) system.put(file, content);
      const before = system.tree();
      assert.deepEqual(await findResolver(system), found);
      assert.deepEqual(system.tree(), before);
    });
  }
});

const at = { host: '127.0.0.1', port: 5354 };

function planned(resolver: Resolver, where = at): Plan {
  const found = planDns(resolver, { at: where, tld: 'alt' });
  assert.equal(found.kind, 'plan');
  assert.deepEqual(dnsCommandsOf(found.plan.variant)?.settle, found.plan.settle);
  return found.plan;
}

function byHand(resolver: Resolver, where = at): string {
  const found = planDns(resolver, { at: where, tld: 'alt' });
  assert.equal(found.kind, 'by-hand');
  return [found.why, ...found.steps].join('\n');
}

/** The files that send names under .web to the node. */
function webFiles(resolver: Resolver): string {
  const found = planDns(resolver, { at, tld: 'web' });
  assert.equal(found.kind, 'plan');
  return found.plan.files.map(({ path: file, content }) => `${file}\n${content}`).join('\n');
}

describe('what is planned', () => {
  const dnsmasq = planned({ kind: 'dnsmasq', folder: '/etc/dnsmasq.d' });
  const unbound = planned({ kind: 'unbound', folder: '/etc/unbound/unbound.conf.d' });
  const v6 = { host: '::1', port: 53 };

  test('dnsmasq takes it', { skip: programMissing('dnsmasq') }, (t) => {
    const [file] = dnsmasq.files;
    const settings = path.join(temporaryFolder(t), 'altnet.conf');
    const other = planned({ kind: 'networkmanager-dnsmasq' }, v6).files[0]?.content ?? '';
    for (const content of [file?.content ?? '', other]) {
      writeFileSync(settings, content);
      execFileSync('dnsmasq', ['--test', '-C', settings], { stdio: 'pipe' });
    }
    assert.equal(file?.path, '/etc/dnsmasq.d/altnet.conf');
  });

  test('unbound takes it', { skip: programMissing('unbound-checkconf') }, (t) => {
    const settings = path.join(temporaryFolder(t), 'unbound.conf');
    for (const where of [at, v6]) {
      const [file] = planned({ kind: 'unbound', folder: '/etc/unbound' }, where).files;
      writeFileSync(
        settings,
        `server:\n    chroot: ""\n    directory: "/"\n${file?.content ?? ''}`,
      );
      execFileSync('unbound-checkconf', [settings], { stdio: 'pipe' });
    }
    assert.deepEqual(unbound.activate.map(formatCommand), [
      'systemctl reset-failed unbound',
      'systemctl restart unbound',
    ]);
  });

  test(
    'systemd takes the unit of systemd-resolved',
    { skip: programMissing('systemd-analyze') },
    (t) => {
      const { files } = planned({
        kind: 'systemd-resolved',
        version: 252,
        hasNetworkManager: false,
      });
      const file = path.join(temporaryFolder(t), 'altnet-dns.service');
      assert.deepEqual(
        files.map((each) => each.path),
        ['/etc/systemd/system/altnet-dns.service'],
      );
      // The unit that it belongs to need not be on the machine of the test.
      const text = files[0]?.content.replaceAll(/^BindsTo=.*\n/gm, '') ?? '';
      writeFileSync(file, text);
      const told = execFileSync('systemd-analyze', ['verify', file], { stdio: 'pipe' });
      assert.equal(told.toString(), '');
    },
  );

  test('NetworkManager is told to leave the link alone where it runs', () => {
    const { files } = planned(
      { kind: 'systemd-resolved', version: 0, hasNetworkManager: true },
      v6,
    );
    assert.match(files[0]?.content ?? '', /match-device=interface-name:altnet0\nmanaged=0/);
    assert.match(files[1]?.content ?? '', /resolvectl dns altnet0 \[::1\]:53\n/);
  });

  test('a newer systemd is told of, not tried', () => {
    const found = byHand({ kind: 'systemd-resolved', version: 255, hasNetworkManager: false });
    assert.match(found, /systemd-resolved 255 answers every name under \.alt itself \(since 255\)/);
    assert.match(found, /dnsmasq or unbound/);
    assert.match(found, /NAME\.localhost/);
  });

  test('names that end otherwise are looked up the same way, also by a newer systemd', () => {
    const resolved = { kind: 'systemd-resolved', version: 257, hasNetworkManager: false } as const;
    assert.match(webFiles(resolved), /resolvectl domain altnet0 ~web\n/);
    assert.match(webFiles({ kind: 'dnsmasq', folder: '/etc/dnsmasq.d' }), /server=\/web\/127/);
    assert.match(webFiles({ kind: 'unbound', folder: '/x' }), /name: "web\."\n/);
    assert.match(webFiles({ kind: 'macos' }), /^\/etc\/resolver\/web\n/);
  });

  test('resolv.conf gets one more server before the others, at port 53 only', () => {
    const content = 'nameserver 192.0.2.1\n';
    const resolver: Resolver = { kind: 'resolv-conf', content, isLink: false, isGenerated: false };
    const { files } = planned(resolver, { host: '127.0.0.1', port: 53 });
    assert.match(files[0]?.content ?? '', /\nnameserver 127\.0\.0\.1\nnameserver 192\.0\.2\.1\n$/);
    assert.equal(files[0]?.replaces, true);
    assert.match(byHand(resolver), /start the node with --dns 127\.0\.0\.1:53/);
    assert.match(byHand({ ...resolver, isLink: true }, { ...at, port: 53 }), /is a link/);
  });

  test('macOS gets a file with a port', () => {
    const [file] = planned({ kind: 'macos' }).files;
    assert.equal(file?.path, '/etc/resolver/alt');
    assert.match(file.content, /\nnameserver 127\.0\.0\.1\nport 5354\n$/);
  });

  test('what is left to the user has the lines to write', () => {
    assert.match(byHand({ kind: 'dnsmasq', folder: undefined }), /server=\/alt\/127\.0\.0\.1#5354/);
    assert.match(byHand({ kind: 'unbound', folder: undefined }), /forward-addr: 127\.0\.0\.1@5354/);
    assert.match(byHand({ kind: 'windows' }), /--dns 127\.0\.0\.1:53.*\nAdd-DnsClientNrptRule/);
    assert.match(byHand({ kind: 'windows' }, { ...at, port: 53 }), /-NameServers "127\.0\.0\.1"/);
    assert.match(byHand({ kind: 'unknown', why: 'on freebsd' }), /^on freebsd\n.*proxy\.pac/);
  });

  test('a variant that is none has no commands', () => {
    assert.equal(dnsCommandsOf('toString'), undefined);
  });
});
