/** What the checks `dns` and `ca` say of a machine that is set up, half set up, or not at all. */
import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { type Ending, temporaryFolder } from '../../../test/support/cleanup.ts';
import { startAnswering } from '../../../test/support/dns-answers.ts';
import { FixedServices, samples } from '../../../test/support/node-services.ts';
import { type TestSystem, testSystem } from '../../../test/support/setup-system.ts';
import { systemWorld } from '../../base/clock.ts';
import { CertificateAuthority } from '../../ca/authority.ts';
import { writeRunFile } from '../../node/runfile.ts';
import { otherHost, probeHost } from '../setup/dns-check.ts';
import { systemUnit } from '../setup/service-unit.ts';
import { inspectAuthority } from './authority.ts';
import { inspectDns } from './dns.ts';
import type { CheckContext, Finding } from './finding.ts';
import { inspectService } from './service.ts';

const day = 86_400_000;

const running: CheckContext['node'] = {
  state: 'running',
  pid: 7,
  services: new FixedServices(),
  stats: samples.stats,
};

type Needs = Pick<CheckContext, 'folders' | 'node' | 'nowMs' | 'signal'>;

function contextOf(data: string, node: CheckContext['node'] = running, days = 0): Needs {
  const folders = { data, keydir: path.join(data, 'keys') };
  const { signal } = new AbortController();
  return { folders, node, nowMs: () => Date.now() + days * day, signal };
}

const told = (findings: readonly Finding[]): string[] =>
  findings.map(({ status, found }) => `${status} ${found}`);

/** As `altnet setup dns` leaves it; its content is nobody's business here. */
function setUp(system: TestSystem): void {
  system.put('/etc/altnet/setup-dns.json', '');
}

test('dns: answering or not, asked by the system or not', async (t) => {
  const data = temporaryFolder(t);
  const system = testSystem(t);
  const inspect = async (node: CheckContext['node'] = running): Promise<string[]> =>
    told(await inspectDns(system, contextOf(data, node)));
  assert.deepEqual(await inspect({ state: 'none' }), ['skipped no node runs that could answer']);
  assert.deepEqual(await inspect(), ['skipped the node runs without a DNS service']);
  const { address } = await startAnswering(t);
  const services = { gateway: null, gatewayTls: null, metrics: null };
  await writeRunFile(data, undefined, { services: { ...services, dns: address } });
  const answers = `ok the DNS service answers at ${address}`;
  assert.deepEqual(await inspect(), [
    answers,
    'skipped the system does not ask it; altnet setup dns changes that',
  ]);
  setUp(system);
  assert.deepEqual(await inspect(), [
    answers,
    'warn the system does not get names under .alt from it, though that was set up',
    'warn example.com is not known to the system',
  ]);
  system.hosts.set(probeHost, ['127.0.0.1']);
  system.hosts.set(otherHost, ['192.0.2.7']);
  assert.deepEqual(await inspect(), [answers, 'ok the system gets names under .alt from it']);
  const silent = { ...services, dns: '127.0.0.1:1' };
  await writeRunFile(data, undefined, { services: silent });
  assert.match(
    (await inspect())[0] ?? '',
    /^fail the DNS service at 127\.0\.0\.1:1 does not answer/,
  );
  const [gone] = await inspectDns(system, contextOf(data, { state: 'none' }));
  assert.equal(gone?.status, 'warn');
  assert.match(JSON.stringify(gone), /altnet setup dns --undo/);
});

/** A machine with the service of the system, as a user without a node sees it. */
function withService(t: Ending, state: string, dns = '127.0.0.1:1'): TestSystem {
  const system = testSystem(t, {
    isRoot: false,
    programs: { systemctl: () => ({ code: 0, stdout: `${state}\n`, stderr: '' }) },
  });
  const addresses = new Map([['dns', dns]]);
  const unit = systemUnit({ launcher: '/opt/altnet/bin/altnet', startWords: [], addresses });
  system.put('/etc/systemd/system/altnet.service', unit);
  return system;
}

test('service: none, one that runs, one that does not', async (t) => {
  const context = contextOf(temporaryFolder(t), { state: 'none' });
  const [none] = await inspectService(testSystem(t), context);
  assert.equal(none?.status, 'skipped');
  assert.deepEqual(told(await inspectService(withService(t, 'active'), context)), [
    'ok altnet.service runs; look at it with: sudo altnet doctor --data /var/lib/altnet',
  ]);
  assert.deepEqual(told(await inspectService(withService(t, 'failed'), context)), [
    'fail altnet.service is set up, and systemd says that it is failed',
  ]);
});

test('a user without a node is told of that of the service', async (t) => {
  const context = contextOf(temporaryFolder(t), { state: 'none' });
  const { address } = await startAnswering(t);
  const system = withService(t, 'active', address);
  setUp(system);
  system.hosts.set(probeHost, ['127.0.0.1']);
  system.hosts.set(otherHost, ['192.0.2.7']);
  assert.deepEqual(told(await inspectDns(system, context)), [
    `ok the DNS service answers at ${address}`,
    'ok the system gets names under .alt from it',
  ]);
  const silent = await inspectDns(withService(t, 'active'), context);
  assert.match(JSON.stringify(silent[0]), /does not answer.*journalctl -u altnet\.service/);
  assert.match(
    told(await inspectAuthority(system, context))[0] ?? '',
    /^skipped .*sudo altnet setup ca/,
  );
});

test('ca: missing, whole, ending, exposed, damaged', async (t) => {
  const data = temporaryFolder(t);
  const system = testSystem(t);
  const inspect = async (days = 0): Promise<readonly Finding[]> =>
    inspectAuthority(system, contextOf(data, running, days));
  assert.match(told(await inspect())[0] ?? '', /^skipped there is none; HTTPS comes with/);
  const services = { gateway: null, metrics: null, dns: null, gatewayTls: '127.0.0.1:8443' };
  await writeRunFile(data, undefined, { services });
  assert.match(
    told(await inspect())[0] ?? '',
    /^skipped there is none in .* that signs for \.alt$/,
  );
  const folder = path.join(data, 'ca');
  await CertificateAuthority.open(folder, { tld: 'alt', world: systemWorld });
  assert.match(told(await inspect())[0] ?? '', /^ok AltNet local CA \w+ is whole, good until /);
  assert.match(told(await inspect(3640))[0] ?? '', /^warn AltNet local CA \w+ ends on /);
  system.put('/usr/local/share/ca-certificates/x.crt', '');
  const [, store] = await inspect();
  assert.match(JSON.stringify(store), /not trusted by system \(debian\).*altnet setup ca/);
  const key = path.join(folder, 'ca-key.pem');
  if (process.platform !== 'win32') {
    chmodSync(key, 0o644);
    const [exposed] = await inspect();
    assert.equal(exposed?.status, 'fail');
    assert.match(JSON.stringify(exposed), /mode 0644.*chmod 600/);
    chmodSync(key, 0o600);
  }
  rmSync(key);
  assert.match(told(await inspect())[0] ?? '', /^fail .*ca-key\.pem: it is missing/);
  writeFileSync(path.join(folder, 'ca.pem'), 'nonsense');
  assert.equal((await inspect())[0]?.status, 'fail');
});
