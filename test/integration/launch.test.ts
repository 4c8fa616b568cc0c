/** How bin/* find what they run: a bundle as new as the sources, or else the sources. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';

const root: string = path.resolve(import.meta.dirname, '../..');
const options = { skip: process.platform === 'win32' && 'bin/* are shell scripts' };
const start = ['start', '--headless', '--json', '--network', 'local'];
for (const name of ['listen', 'gateway', 'registrar']) start.push(`--${name}`, '127.0.0.1:0');

/** A checkout of its own, with the packages of this one. */
function checkout(t: TestContext): string {
  const folder = temporaryFolder(t);
  for (const name of ['bin', 'tools', 'src', 'examples', 'package.json', 'package-lock.json']) {
    const to = path.join(folder, name);
    cpSync(path.join(root, name), to, { recursive: true, preserveTimestamps: true });
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}

async function run(
  folder: string,
  ...words: string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(path.join(folder, 'bin/altnet'), words, { timeout: 60_000 });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

const currentBuild = (folder: string): string =>
  readFileSync(path.join(folder, 'dist/current'), 'utf8').trim();

const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  version: string;
};
const version = { code: 0, stdout: `${manifest.version}\n`, stderr: '' };

/** One checkout for all that bundles it: each time takes seconds of a processor. */
test('a checkout', options, async (t) => {
  const folder = checkout(t);

  await t.test('the bundle is made once and again when a source changes', async () => {
    const together = await Promise.all([run(folder, '--version'), run(folder, '--version')]);
    assert.deepEqual(together, [version, version]);
    const first = currentBuild(folder);
    assert.ok(existsSync(path.join(folder, 'dist', first, 'alternate.js')));

    assert.deepEqual(await run(folder, '--version'), version);
    assert.equal(currentBuild(folder), first);

    appendFileSync(path.join(folder, 'src/cli/main.ts'), '\n');
    assert.deepEqual(await run(folder, '--version'), version);
    assert.notEqual(currentBuild(folder), first);
    // A program that runs from the older one may still need the rest of it.
    assert.ok(existsSync(path.join(folder, 'dist', first, 'altnet.js')));
  });

  await t.test('a bundle from later than now is made again', async () => {
    const first = currentBuild(folder);
    // Made while the clock was a day ahead: no source that is written now is newer than that.
    const tomorrow = Date.now() / 1000 + 86_400;
    utimesSync(path.join(folder, 'dist/current'), tomorrow, tomorrow);
    const others = [1, 2, 3, 4, 5].map((pid) => `build-${Math.round(tomorrow * 1000)}-${pid}`);
    for (const other of others) mkdirSync(path.join(folder, 'dist', other));
    appendFileSync(path.join(folder, 'src/cli/main.ts'), '\n');
    assert.deepEqual(await run(folder, '--version'), version);
    const second = currentBuild(folder);
    assert.notEqual(second, first);
    for (const other of others) assert.ok(!existsSync(path.join(folder, 'dist', other)), other);
    assert.deepEqual(await run(folder, '--version'), version);
    assert.equal(currentBuild(folder), second, 'the clock is right again');
  });

  await t.test('a node that runs from the bundle finds the guide', async () => {
    const built = currentBuild(folder);
    const data = temporaryFolder(t);
    const child = spawn(path.join(folder, 'bin/altnet'), [...start, '--data', data], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    atEnd(t, async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGKILL');
      await once(child, 'exit');
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    await once(child.stdout, 'data');
    const exited = once(child, 'close');
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
    const guide = /the example site is at (http:\S+)/.exec(stderr)?.[1];
    assert.ok(guide, stderr);
    assert.equal(currentBuild(folder), built, 'it made none of its own');
  });
});

test('the sources run where no bundle can be made', options, async (t) => {
  const folder = checkout(t);
  writeFileSync(path.join(folder, 'dist'), 'a file in the way');
  const { code, stdout, stderr } = await run(folder, '--version');
  assert.deepEqual({ code, stdout }, { code: 0, stdout: version.stdout });
  assert.match(
    stderr,
    /^altnet: the commands could not be bundled: .+\naltnet: going on with .+\n$/,
  );
});
