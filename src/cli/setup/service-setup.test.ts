/** `altnet setup service`: the words of its unit, judged by systemd, and the files it leaves. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { type DefinitionOutcome, runDefinition } from '../../../test/support/cli.ts';
import { FixedServices } from '../../../test/support/node-services.ts';
import { programMissing } from '../../../test/support/programs.ts';
import {
  failWith,
  succeed,
  type TestSystem,
  testSystem,
} from '../../../test/support/setup-system.ts';
import { defineSetupService } from '../commands/setup-service.ts';
import { launcher } from '../installation.ts';
import type { OptionValues } from '../values.ts';
import { findInstalledService } from './installed-service.ts';
import { inspectSetup } from './overview.ts';
import { runningAt } from './running.ts';
import {
  launchdPlist,
  systemUnit,
  unitProgram,
  unitWord,
  userUnit,
  windowsTask,
} from './service-unit.ts';

/** Which option it is of does not matter here. */
const at = (...addresses: string[]): ReadonlyMap<string, string> =>
  new Map(addresses.map((address, index) => [`option-${index}`, address]));
const plain = { launcher: '/opt/altnet/bin/altnet', startWords: [], addresses: at('0.0.0.0:9000') };
const services = new FixedServices();
const systemdMissing: string | false = programMissing('systemd-analyze');

interface Request {
  readonly options?: OptionValues;
  readonly words?: readonly string[];
}

function run(
  system: TestSystem,
  { options, words = [] }: Request = {},
): Promise<DefinitionOutcome> {
  const definition = defineSetupService(() => system);
  // Commander gives the rest of the words as one operand.
  const operands = [words] as unknown as readonly string[];
  return runDefinition(definition, { services, operands, options: { yes: true, ...options } });
}

describe('the words of a unit', () => {
  const spellings: Readonly<Record<string, string>> = {
    '/opt/altnet/bin/altnet': '/opt/altnet/bin/altnet',
    '/home/a b/%h/$HOME': '"/home/a b/%%h/$$HOME"',
    '': '""',
    'say "no" \\ never': String.raw`"say \"no\" \\ never"`,
    "it's;": `"it's;"`,
  };
  for (const [word, spelling] of Object.entries(spellings)) {
    test(spelling, () => assert.equal(unitWord(word), spelling));
  }

  test('a line end cannot begin another line', () => {
    assert.throws(() => unitWord('a\nExecStartPre=/bin/sh'), { code: 'USAGE' });
  });

  test('systemd reads them as they were meant', { skip: systemdMissing }, (t) => {
    const word = String.raw`/tmp/a b%i "$HOME" \x`;
    const unit = userUnit({ ...plain, launcher: '/bin/true', startWords: [word] }, '/tmp/d');
    const file = path.join(temporaryFolder(t), 'altnet.service');
    writeFileSync(file, unit);
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file]);
    assert.equal(stderr.toString(), '');
    assert.equal(status, 0);
  });
});

test('the program may stand in a folder of any name that systemd takes', (t) => {
  for (const name of ['a b', '%h%%', '$HOME', '${HOME}', 'é;{}']) {
    const folder = path.join(temporaryFolder(t), name);
    mkdirSync(folder);
    const program = path.join(folder, 'altnet');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o755 });
    const unit = path.join(temporaryFolder(t), 'altnet.service');
    writeFileSync(unit, userUnit({ ...plain, launcher: program }, '/tmp/d'));
    if (systemdMissing) continue;
    const { stderr } = spawnSync('systemd-analyze', ['verify', unit]);
    assert.equal(stderr.toString(), '', name);
  }
  for (const name of ['a"b', "a'b", 'a\\b', 'a\nb']) {
    assert.throws(() => unitProgram(`/opt/${name}/altnet`), { code: 'USAGE' });
  }
});

/** What systemd has to say against a unit. */
function flawsOf(unit: string, folder: string): string {
  const file = path.join(folder, 'altnet.service');
  // What it starts has to be there.
  writeFileSync(file, unit.replace('/opt/altnet/bin/altnet', '/bin/true'));
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', file]);
  return `${stdout.toString()}${stderr.toString()}`;
}

describe('the unit of the system', () => {
  test('is one that systemd takes, and finds confined', { skip: systemdMissing }, (t) => {
    const folder = temporaryFolder(t);
    const low = { ...plain, addresses: at('127.0.0.1:80', '[::1]:443') };
    for (const unit of [systemUnit(plain), systemUnit(low)]) {
      assert.equal(flawsOf(unit, folder), '');
      const words = ['security', '--offline=yes', path.join(folder, 'altnet.service')];
      const told = execFileSync('systemd-analyze', words).toString();
      const exposure = Number(/Overall exposure level for \S+: (\d+\.\d)/.exec(told)?.[1]);
      assert.ok(exposure <= 2.5, told.slice(-200));
    }
  });

  test('has the right to low ports only where there are some', () => {
    const right = 'AmbientCapabilities=CAP_NET_BIND_SERVICE';
    const low = systemUnit({ ...plain, addresses: at('127.0.0.1:8080', '127.0.0.1:1023') });
    assert.ok(low.includes(right) && !low.includes('PrivateUsers'));
    for (const addresses of [['127.0.0.1:1024'], ['127.0.0.1:0'], []]) {
      const unit = systemUnit({ ...plain, addresses: at(...addresses) });
      assert.ok(!unit.includes('AmbientCapabilities'));
      assert.match(unit, /\nCapabilityBoundingSet=\nPrivateUsers=yes\n/);
    }
  });

  test('sees home folders only where the program is in one', () => {
    assert.match(systemUnit(plain), /\nProtectHome=yes\n/);
    const atHome = systemUnit({ ...plain, launcher: '/home/u/altnet/bin/altnet' });
    assert.match(atHome, /\nProtectHome=read-only\n/);
  });
});

test('it is made, started, found made, and undone', async (t) => {
  const system = testSystem(t, { programs: { systemctl: () => succeed() } });
  system.put('/etc/hostname', 'trial\n');
  const before = system.tree();
  const words = ['--gateway', '127.0.0.1:80', '--tld', 'inn', '-b', 'node.example:9000'];
  const made = await run(system, { words });
  assert.equal(made.error, undefined);
  assert.equal(made.stdout, 'the service altnet.service was made and started\n');
  const unit = system.tree()['/etc/systemd/system/altnet.service'] ?? '';
  const started = `ExecStart=${launcher} start --headless --data /var/lib/altnet ${words.join(' ')}\n`;
  assert.ok(unit.includes(started), unit);
  assert.ok(unit.includes('AmbientCapabilities=CAP_NET_BIND_SERVICE'));
  assert.deepEqual(system.ran.slice(0, 4), [
    'systemctl daemon-reload',
    'systemctl enable altnet.service',
    'systemctl reset-failed altnet.service',
    'systemctl restart altnet.service',
  ]);
  const { addresses, tld } = (await findInstalledService(system)) ?? {};
  assert.equal(tld, 'inn');
  assert.equal(addresses?.get('gateway'), '127.0.0.1:80');
  assert.equal(addresses?.get('dns'), '127.0.0.1:5354');
  assert.equal(addresses?.get('gateway-tls'), undefined);
  const { stdout } = await run(system, { words });
  assert.equal(stdout, 'the service altnet.service is as it should be\n');
  const { stderr } = await run(system, { options: { undo: true } });
  assert.match(stderr, /its sites and keys stay in \/var\/lib\/altnet/);
  assert.deepEqual(system.tree(), before);
  assert.ok(system.ran.includes('systemctl disable --now altnet.service'));
  assert.ok(system.ran.includes('systemctl clean --what=cache altnet.service'));
  assert.equal(await findInstalledService(system), undefined);
});

/** A systemd whose node is in this state, as `systemctl show` and its log say. */
function systemdWith(t: TestContext, show: string, log = ''): TestSystem {
  return testSystem(t, {
    programs: {
      systemctl: ([word]) => succeed(word === 'show' ? show : ''),
      journalctl: () => succeed(log),
    },
  });
}

test('a node that ends at once says why, and leaves no service', async (t) => {
  const log = 'Started.\naltnet: 127.0.0.1:80 is in use\naltnet.service: Failed.\n';
  const system = systemdWith(t, 'MainPID=0\nSubState=auto-restart\n', log);
  system.put('/etc/hostname', 'trial\n');
  const before = system.tree();
  const { error, stdout } = await run(system);
  assert.match(String(error), /127\.0\.0\.1:80 is in use; everything was taken back/);
  assert.equal(stdout, '');
  assert.deepEqual(system.tree(), before);
});

test('a node that is ready says where', async (t) => {
  const system = systemdWith(t, 'MainPID=7\nSubState=running\n');
  const listening = {
    gateway: '127.0.0.1:80',
    gatewayTls: null,
    dns: '127.0.0.1:53',
    metrics: null,
  };
  system.put('/var/lib/altnet/node.json', JSON.stringify({ pid: 7, services: listening }));
  const { error, stderr } = await run(system, { words: ['--dns', '127.0.0.1:1053'] });
  assert.equal(error, undefined);
  assert.match(stderr, /it is ready, and shows sites at 127\.0\.0\.1:80\n/);
  assert.match(stderr, /sudo \S+ stats --data \/var\/lib\/altnet\n/);
  const place = { system, data: '/none' };
  const [named, own] = [
    { address: '[::]:5', otherwise: 'x:1' },
    { address: undefined, otherwise: 'x:1' },
  ];
  assert.deepEqual(await runningAt(place, 'dns', named), { host: '::1', port: 5 });
  assert.deepEqual(await runningAt(place, 'dns', own), { host: '127.0.0.1', port: 53 });
  // Who may not read what the node says of itself reads the unit.
  rmSync(system.outside('/var/lib/altnet'), { recursive: true });
  assert.deepEqual(await runningAt(place, 'dns', own), { host: '127.0.0.1', port: 1053 });
});

test('for one user it needs no root, and leaves the system alone', async (t) => {
  const system = testSystem(t, { isRoot: false, programs: { systemctl: () => succeed() } });
  const user = { options: { user: true } };
  assert.equal((await run(system, user)).error, undefined);
  const files = Object.keys(system.tree()).filter((file) => /service/.test(file));
  assert.deepEqual(files, ['/home/u/.config/systemd/user/altnet.service', '/setup-service.json']);
  assert.ok(system.ran.includes('systemctl --user restart altnet.service'));
  const { parts } = await inspectSetup({ system, data: '/' });
  const { command } = parts.find(({ part }) => part === 'service') ?? {};
  assert.equal(command, 'altnet setup service --user --undo');
  assert.equal((await run(system, { options: { user: true, undo: true } })).error, undefined);
  assert.deepEqual(system.tree(), {});
});

test('what cannot be a service is refused, and one that does not start leaves nothing', async (t) => {
  const refused: [Request, RegExp][] = [
    [{ words: ['--data', '/x'] }, /after --: --data does not suit a service/],
    [{ words: ['--ca-dir', '/x'] }, /--ca-dir does not suit/],
    [{ words: ['--registrar-token', 'a'.repeat(20)] }, /--registrar-token does not suit/],
    [{ words: ['--frob'] }, /after --: unknown option '--frob'/],
    [{ words: ['--gateway', 'x'] }, /--gateway: "x" is not an address/],
    [
      { options: { user: true }, words: ['--gateway', '127.0.0.1:80'] },
      /127\.0\.0\.1:80 needs root/,
    ],
  ];
  const system = testSystem(t, { programs: { systemctl: () => failWith('Job failed.\n') } });
  system.put('/etc/hostname', 'trial\n');
  const before = system.tree();
  for (const [request, message] of refused) {
    assert.match(String((await run(system, request)).error), message);
  }
  const { error } = await run(system);
  assert.match(String(error), /systemctl daemon-reload: Job failed\./);
  assert.deepEqual(system.tree(), before);
  const user = testSystem(t, { isRoot: false });
  const asked = await run(user, { words: ['--gateway', '127.0.0.1:80'] });
  assert.match(String(asked.error), /altnet setup service -- --gateway 127\.0\.0\.1:80$/);
  const sudo = testSystem(t, { sudoUser: 'u' });
  const asUser = await run(sudo, { options: { user: true } });
  assert.match(String(asUser.error), /run it as u, without sudo/);
});

test('macOS and Windows are told what to write', async (t) => {
  const odd = { ...plain, launcher: '/Users/a & b/altnet' };
  assert.match(launchdPlist(odd, '/d'), /<string>\/Users\/a &amp; b\/altnet<\/string>/);
  const task = windowsTask(plain, [String.raw`C:\Program Files\node.exe`, 'main.ts']);
  assert.match(task, /\/tr "\\"C:\\Program Files\\node\.exe\\" main\.ts start --headless"$/);
  for (const [platform, words] of [
    ['darwin', /launchctl load -w/],
    ['win32', /schtasks \/create \/tn AltNet/],
  ] as const) {
    const system = testSystem(t, { platform });
    const { stdout } = await run(system);
    assert.match(stdout, words);
    assert.deepEqual(system.tree(), {});
  }
});
