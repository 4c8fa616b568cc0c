import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../../../test/support/cleanup.ts';
import { runCli } from '../../../test/support/cli.ts';
import { nodeOptions } from '../../../test/support/node-options.ts';
import { type RunningNode, startNode } from '../../node/node.ts';
import type { NodeOptions } from '../../node/options.ts';
import { checks, type CheckedFinding } from './doctor.ts';

/** Services that nobody takes away from the test, so that it does not depend on this machine. */
const off = ['--gateway', '', '--registrar', '', '--metrics', '', '--dns', ''];
const quiet = ['--listen', '127.0.0.1:0', ...off];

const given = (addresses: string): string[] => ['-b', addresses, ...quiet];

interface Examined {
  readonly code: number;
  readonly findings: readonly CheckedFinding[];
  /** "fail folders" … of all that is neither ok nor skipped. */
  readonly trouble: readonly string[];
  readonly of: (check: string) => readonly CheckedFinding[];
}

async function examine(data: string, ...words: string[]): Promise<Examined> {
  const argv = ['doctor', '--json', '--data', data, ...(words.length > 0 ? words : quiet)];
  const { code, stdout } = await runCli(argv, { cwd: path.dirname(data) });
  const findings = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CheckedFinding);
  const trouble = findings
    .filter(({ status }) => status === 'warn' || status === 'fail')
    .map(({ status, check }) => `${status} ${check}`);
  for (const finding of findings) assertComplete(finding);
  assert.equal(code, trouble.some((line) => line.startsWith('fail')) ? 1 : 0);
  return { code, findings, trouble, of: (name) => findings.filter(({ check }) => check === name) };
}

/** What is wrong comes with what to do about it. */
function assertComplete(finding: CheckedFinding): void {
  assert.notEqual(finding.found, '');
  const isTrouble = finding.status === 'warn' || finding.status === 'fail';
  assert.equal('advice' in finding && finding.advice !== '', isTrouble, JSON.stringify(finding));
}

async function startHere(t: TestContext, over: Partial<NodeOptions> = {}): Promise<RunningNode> {
  const node = await startNode(nodeOptions(t, over));
  atEnd(t, () => node.stop());
  return node;
}

test('where nothing was ever started every check says something, and nothing is left behind', async (t) => {
  const folder = temporaryFolder(t);
  const { findings, of } = await examine(path.join(folder, 'data'));
  assert.deepEqual(
    checks.filter(({ name }) => of(name).length === 0),
    [],
  );
  assert.equal(findings.filter(({ status }) => status === 'fail').length, 0);
  assert.deepEqual(of('dns')[0]?.status, 'skipped');
  assert.match(of('dns')[0]?.found ?? '', /no node runs/);
  assert.match(of('ca')[0]?.found ?? '', /there is none; HTTPS comes with/);
  assert.deepEqual(readdirSync(folder), []);
});

test('people get a line for each finding, and below it what to do', async (t) => {
  const data = path.join(temporaryFolder(t), 'data');
  writeFileSync(data, 'a file');
  const { code, stdout, stderr } = await runCli(['doctor', '--data', data, ...quiet], { cwd: '/' });
  assert.match(stdout, /^ok {7}runtime {7}altnet .*\n/);
  assert.match(stdout, /\nfail {5}folders {7}.* is a file\n {9}-> move the file away/);
  assert.match(stderr, /^altnet: \d+ of what was looked at .*; the lines above say what to do\n$/);
  assert.equal(code, 1);
});

test('folders: open to others, without permission, a file', async (t) => {
  const data = path.join(temporaryFolder(t), 'data');
  mkdirSync(data, { mode: 0o700 });
  assert.deepEqual(
    (await examine(data)).of('folders').map(({ status }) => status),
    ['ok', 'ok'],
  );
  assert.deepEqual(readdirSync(data), [], 'the trial file went');
  if (process.platform !== 'win32') {
    chmodSync(data, 0o755);
    const [open] = (await examine(data)).of('folders');
    assert.equal(open?.status, 'warn');
    assert.match(JSON.stringify(open), /mode 755.*chmod 700/);
  }
  if (process.platform === 'linux') {
    const [locked] = (await examine('/sys/kernel')).of('folders'); // not even root writes there
    assert.equal(locked?.status, 'fail');
    assert.match(locked?.found ?? '', /cannot be written/);
  }
  writeFileSync(path.join(data, 'keys'), '');
  const below = path.join(data, 'keys', 'deeper');
  assert.deepEqual(
    (await examine(below)).of('folders').map(({ status }) => status),
    ['fail', 'fail'],
  );
});

test('keys: exposed, damaged, lost', async (t) => {
  const options = nodeOptions(t);
  const { data, keydir } = options;
  await (await startNode(options)).stop();
  assert.deepEqual(
    (await examine(data))
      .of('keys')
      .slice(0, 2)
      .map(({ status }) => status),
    ['ok', 'ok'],
  );
  const [node, author] = [path.join(keydir, 'node.key'), path.join(keydir, 'author.key')];
  if (process.platform !== 'win32') {
    chmodSync(author, 0o644);
    const [, exposed] = (await examine(data)).of('keys');
    assert.match(JSON.stringify(exposed), /"fail".*mode 0644.*chmod 600/);
    chmodSync(author, 0o600);
  }
  writeFileSync(node, 'no key', { mode: 0o600 });
  writeFileSync(path.join(data, 'registrar-token.txt'), 'short', { mode: 0o600 });
  const [damaged, , token] = (await examine(data)).of('keys');
  assert.match(JSON.stringify(damaged), /"fail".*node\.key is damaged/);
  assert.match(JSON.stringify(token), /"fail".*registrar-token\.txt is damaged/);
  assert.doesNotMatch(JSON.stringify(token), /short/, 'no token is shown');
  const elsewhere = ['--keydir', path.join(data, 'elsewhere'), ...quiet];
  const [, lost] = (await examine(data, ...elsewhere)).of('keys');
  assert.match(JSON.stringify(lost), /"warn".*missing.*restore it/);
});

test('ports: taken by another program, whose process is named where the system tells', async (t) => {
  const data = path.join(temporaryFolder(t), 'data');
  const tcp = createServer().listen(0, '127.0.0.1');
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  atEnd(t, () => [tcp.close(), udp.close()]);
  await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
  const places = {
    gateway: `127.0.0.1:${(tcp.address() as AddressInfo).port}`,
    listen: `127.0.0.1:${udp.address().port}`,
  };
  const words = [...off, '--gateway', places.gateway, '--listen', places.listen];
  const found = (await examine(data, ...words)).of('ports');
  const about = (what: string): string =>
    JSON.stringify(found.find(({ found: text }) => text.startsWith(what)));
  for (const what of [`gateway ${places.gateway} (TCP)`, `listen ${places.listen} (UDP)`]) {
    assert.match(about(what), /"fail".*is held by .*choose another port with --/);
    if (process.platform === 'linux') {
      assert.match(about(what), new RegExp(`process ${process.pid} .*kill ${process.pid}`));
    }
  }
});

test('ports: those of the node that runs here are its own', async (t) => {
  const data = path.join(temporaryFolder(t), 'data');
  const node = await startHere(t, { data, registrar: '127.0.0.1:0' });
  const { listen, registrar } = node.ready;
  const words = [...off, '--listen', listen, '--registrar', registrar ?? ''];
  const { of } = await examine(data, ...words);
  if (process.platform !== 'linux') return;
  assert.deepEqual(
    of('ports').map(({ status, found }) => [status, found.replace(/^.*is /, '')]),
    [
      ['ok', 'held by the node that runs here'],
      ['ok', 'held by the node that runs here'],
      ['ok', 'held by the node that runs here'],
    ],
  );
});

test('ports: DNS and HTTPS are looked at as well, the latter where it is asked for', async (t) => {
  const data = path.join(temporaryFolder(t), 'data');
  const without = await examine(data, '--listen', '127.0.0.1:0', ...off.slice(0, -2), '--dns=:0');
  assert.deepEqual(
    without.of('ports').map(({ found }) => found.split(' ')[0]),
    ['listen', 'listen', 'dns', 'dns'],
  );
  const { of } = await examine(data, ...quiet, '--gateway-tls', '127.0.0.1:0');
  assert.deepEqual(
    of('ports').map(({ found }) => found.split(' ')[0]),
    ['listen', 'listen', 'gateway-tls'],
  );
});

test('ports: a foreign address cannot be taken', async (t) => {
  const words = [...quiet, '--gateway', '192.0.2.1:8080'];
  const { of } = await examine(path.join(temporaryFolder(t), 'data'), ...words);
  const wrong = of('ports').find(({ found }) => found.startsWith('gateway'));
  assert.match(JSON.stringify(wrong), /"fail".*EADDRNOTAVAIL.*--gateway/);
});

test('lists: bad lines are named, and what keeps a node from starting fails', async (t) => {
  const data = path.join(temporaryFolder(t), 'data');
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(path.join(data, 'trusted-registrars.txt'), '# mine\nnot a key\n');
  writeFileSync(path.join(data, 'blocklist.txt'), `${'ab'.repeat(32)}\n/nonsense\n`);
  const { of, trouble } = await examine(data);
  const texts = of('lists').map(({ status, found }) => `${status} ${found}`);
  assert.ok(
    texts.some((text) => text.startsWith('warn trusted-registrars.txt line 2: ')),
    texts.join(),
  );
  assert.ok(
    texts.some((text) => text.startsWith('warn blocklist.txt line 2: ')),
    texts.join(),
  );
  assert.ok(texts.includes('ok blocklist.txt has 1 entry'));
  assert.ok(!trouble.includes('fail lists'));
  mkdirSync(path.join(data, 'trusted-revokers.txt'));
  const unreadable = await examine(data);
  assert.ok(unreadable.trouble.includes('fail lists'));
});

test('disk: more is promised than there is; the last node crashed; the database is damaged', async (t) => {
  const options = nodeOptions(t);
  const { data } = options;
  await (await startNode(options)).stop();
  assert.deepEqual(
    (await examine(data)).of('disk').map(({ status }) => status),
    ['ok', 'ok'],
  );
  const [space] = (await examine(data, '--store-budget', '4000TiB', ...quiet)).of('disk');
  assert.equal(space?.status, 'warn');
  const store = path.join(data, 'store');
  writeFileSync(path.join(store, 'in-use-by-999999999-1-00000000'), '');
  const [, crashed] = (await examine(data)).of('disk');
  assert.match(JSON.stringify(crashed), /"warn".*ended without closing/);
  writeFileSync(path.join(store, 'index.mdb'), Buffer.alloc(8192, 7));
  const [, damaged] = (await examine(data)).of('disk');
  assert.match(JSON.stringify(damaged), /"fail".*is damaged.*mv /);
  assert.ok(existsSync(path.join(store, 'in-use-by-999999999-1-00000000')), 'it changes nothing');
});

test('a node that is alone, and one that takes no commands', async (t) => {
  const data = path.join(temporaryFolder(t), 'data');
  const node = await startHere(t, { data, registrar: '127.0.0.1:0' });
  const alone = await examine(data);
  assert.match(JSON.stringify(alone.of('peers')), /"warn".*0 nodes.*altnet bootstrap/);
  const lost = await examine(data, '-b', 'nowhere.invalid:1', ...quiet);
  assert.match(JSON.stringify(lost.of('peers')), /"fail".*0 nodes/);
  assert.match(JSON.stringify(alone.of('names')), /you hold no name/);
  await node.stop();
  await startHere(t, { data });
  const mute = await examine(data);
  assert.match(JSON.stringify(mute.of('peers')), /"fail".*takes no commands/);
});

test('bootstrap: who answers, in which network; who does not; what cannot be read', async (t) => {
  const other = await startHere(t, { public: true });
  const data = path.join(temporaryFolder(t), 'data');
  const { listen } = other.ready;
  const both = await examine(data, ...given(`${listen},127.0.0.1:9`));
  const [alive, dead] = both.of('bootstrap');
  assert.match(JSON.stringify(alive), /"ok".*answers in .*network \\"local/);
  assert.equal(dead?.status, 'warn', 'one way in is open');
  assert.match(both.of('clock')[0]?.found ?? '', /agrees with the bootstrap nodes/);
  const none = await examine(data, ...given('nowhere.invalid:1'));
  assert.deepEqual(
    none.of('bootstrap').map(({ status }) => status),
    ['fail'],
  );
  assert.equal(none.of('clock')[0]?.status, 'skipped');
  const pinned = `${listen}#${'00'.repeat(32)}`;
  const [wrong] = (await examine(data, '--network', 'local', ...given(pinned))).of('bootstrap');
  assert.match(JSON.stringify(wrong), /"fail".*check the address.*drop its # part/);
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(path.join(data, 'bootstrap.txt'), 'no address\n');
  const [unread] = (await examine(data)).of('bootstrap');
  assert.match(JSON.stringify(unread), /"fail".*no address.*bootstrap\.txt/);
});
