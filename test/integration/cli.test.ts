/** The programs in bin/ as a shell runs them: from anywhere, through links, with pipes and signals. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { text } from 'node:stream/consumers';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';
import { startCluster } from '../support/cluster.ts';

const bin: string = path.resolve(import.meta.dirname, '../../bin');
const windows: string | false = process.platform === 'win32' ? 'bin/ holds shell scripts' : false;

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  program: string,
  args: readonly string[],
  { cwd, input = '' }: { cwd?: string; input?: string } = {},
): Promise<Outcome> {
  const child = spawn(program, args, { cwd, timeout: 90_000 });
  child.stdin.on('error', () => undefined); // a command that reads nothing may close it first
  child.stdin.end(input);
  const outcome = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  const [stdout, stderr] = await outcome;
  return { code: child.exitCode, stdout, stderr };
}

test(
  'the programs are found through links and leave the folder as it is',
  { skip: windows },
  async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(path.join(folder, 'links'));
    symlinkSync(path.join(bin, 'altnet'), path.join(folder, 'first'));
    symlinkSync('../first', path.join(folder, 'links', 'second'));
    const version = await run(path.join(folder, 'links', 'second'), ['--version'], { cwd: folder });
    assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
    const missing = await run('./links/second', ['publish', 'no-such-site'], { cwd: folder });
    assert.equal(missing.code, 1);
    assert.ok(missing.stderr.includes('no-such-site does not exist'), missing.stderr);
    const help = await run(path.join(bin, 'alternate'), ['-help'], { cwd: folder });
    assert.match(help.stdout, /^Usage: alternate /);
    assert.deepEqual([version.code, help.code], [0, 0]);
  },
);

const startWords: readonly string[] = [
  'start',
  '--json',
  '--network',
  'local',
  '--no-guide',
  '--no-dns',
  '--no-mdns',
  '--no-port-mapping',
  ...['listen', 'gateway', 'registrar'].flatMap((name) => [`--${name}`, '127.0.0.1:0']),
];

/** A node of bin/altnet in the foreground, as a service manager runs it. */
async function startNode(
  t: TestContext,
  stdin: 'ignore' | 'pipe',
  ...options: string[]
): Promise<{ child: ChildProcess; data: string; ready: Record<string, unknown> }> {
  const data = temporaryFolder(t);
  const child = spawn(path.join(bin, 'altnet'), [...startWords, '--data', data, ...options], {
    stdio: [stdin, 'pipe', 'inherit'],
  });
  atEnd(t, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  assert.ok(child.stdout);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await once(lines, 'line')) as [string];
  return { child, data, ready: JSON.parse(line) as Record<string, unknown> };
}

test(
  'a node runs until a signal, whatever becomes of its input and output',
  { skip: windows },
  async (t) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const { child, ready } = await startNode(t, 'pipe');
      assert.equal(ready['event'], 'ready');
      assert.equal(ready['dns'], null);
      child.stdin?.end(); // a closed input must not end it
      child.stdout?.destroy(); // nor a reader that goes away
      const answer = await fetch(`http://${String(ready['registrar'])}/api/check/nobody`);
      assert.equal(((await answer.json()) as { available: boolean }).available, true);
      const exited = once(child, 'exit');
      child.kill(signal);
      assert.deepEqual(await exited, [0, null]);
    }
  },
);

test('a node without an API is told from no node', { skip: windows }, async (t) => {
  const { child, data } = await startNode(t, 'ignore', '--no-registrar');
  const { code, stderr } = await run(path.join(bin, 'altnet'), ['stats', '--data', data]);
  assert.equal(code, 1);
  assert.match(stderr, /^altnet: the node that uses .* cannot be reached: .*--no-registrar\n$/);
  const exited = once(child, 'exit');
  child.kill();
  assert.deepEqual(await exited, [0, null]);
  const later = await run(path.join(bin, 'altnet'), ['stats', '--data', data]);
  assert.match(later.stderr, /^altnet: no node is running here/);
});

test('a start that fails says why in one line', { skip: windows }, async (t) => {
  const data = path.join(temporaryFolder(t), 'data');
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  t.after(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  const words = [...startWords, '--data', data, '--dns', '127.0.0.1:0', '--tld', 'test'];
  const outcome = await run(path.join(bin, 'altnet'), [...words, '--gateway', `127.0.0.1:${port}`]);
  assert.equal(outcome.code, 1);
  assert.equal(outcome.stdout, '');
  assert.match(outcome.stderr, /^[^\n]+\n$/);
  assert.equal((JSON.parse(outcome.stderr) as { code: string }).code, 'PORT_TAKEN');
});

test('without a network there is no answer, not the answer "nobody"', async (t) => {
  const data = temporaryFolder(t);
  const deaf = createSocket('udp4').bind(0, '127.0.0.1');
  await once(deaf, 'listening');
  t.after(() => deaf.close());
  const address = `127.0.0.1:${deaf.address().port}`;
  const guest = ['--data', data, '--network', 'local', '--bootstrap', address, '--json'];
  const url = 'http://dead.example/';
  const commands = [
    ['resolve', 'nobody'],
    ['link', 'get', url],
    ['link', 'put', url, 'magnet:?xt=urn:btih:x'],
  ];
  for (const words of commands) {
    const { code, stdout, stderr } = await run(path.join(bin, 'altnet'), [...words, ...guest]);
    assert.deepEqual([code, stdout], [1, ''], stderr);
    const said = JSON.parse(stderr) as { code: string; error: string };
    assert.equal(said.code, 'UNREACHABLE');
    assert.ok(said.error.includes(address), said.error);
  }
});

test('a short-lived node does what needs no running one', async (t) => {
  const [a] = await startCluster(t, 3);
  assert.ok(a);
  const folder = temporaryFolder(t);
  const data = path.join(folder, 'data');
  const guest = ['--data', data, '--network', 'local', '-bootstrap', a.ready.listen, '--json'];
  const altnet = path.join(bin, 'altnet');
  const [dead, mirror] = ['http://dead.example/guest', 'magnet:?xt=urn:btih:guest'];
  const put = await run(altnet, ['link', 'put', dead, mirror, ...guest]);
  assert.equal(put.code, 0, put.stderr);
  assert.ok((JSON.parse(put.stdout) as { stored: number }).stored > 0);
  const get = await run(altnet, ['link', 'get', dead, ...guest]);
  assert.equal(get.code, 0, get.stderr);
  const lines = get.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { target?: string });
  assert.deepEqual(
    lines.map(({ target }) => target),
    [mirror, undefined],
  );

  const site = path.join(folder, 'site');
  mkdirSync(site);
  writeFileSync(path.join(site, 'index.html'), '<h1>Guest</h1>');
  const published = await run(altnet, [
    'publish',
    site,
    '--name',
    'guest',
    '--json',
    '--data',
    a.data,
  ]);
  assert.equal(published.code, 0, published.stderr);
  const { root } = JSON.parse(published.stdout) as { root: string };
  const resolved = await run(altnet, ['resolve', 'guest', ...guest]);
  assert.equal((JSON.parse(resolved.stdout) as { root: string }).root, root, resolved.stderr);
  const fetched = await run(altnet, ['fetch', root, 'copy', ...guest], { cwd: folder });
  assert.equal(fetched.code, 0, fetched.stderr);
  assert.equal((JSON.parse(fetched.stdout) as { files: number }).files, 1);
  const nobody = await run(altnet, ['resolve', 'nobody', ...guest]);
  assert.equal(nobody.code, 1);
  assert.equal((JSON.parse(nobody.stdout) as { state: string }).state, 'not-found');
});
