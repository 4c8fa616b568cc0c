/** What a node holds, taken back and published again on change: bin/altnet beside a real node. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { createInterface, type Interface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';
import {
  altnet,
  altnetLines,
  type ClusterNode,
  eventually,
  runProgram,
  startCluster,
  tryAltnet,
} from '../support/cluster.ts';

const bin: string = path.resolve(import.meta.dirname, '../../bin/altnet');
const windows: string | false = process.platform === 'win32' ? 'bin/ holds shell scripts' : false;

function siteFolder(t: TestContext, text: string): string {
  const folder = path.join(temporaryFolder(t), 'site');
  mkdirSync(folder);
  writeFileSync(path.join(folder, 'index.html'), text);
  return folder;
}

/** One node alone. */
async function aNode(t: TestContext): Promise<ClusterNode> {
  const [node] = await startCluster(t, 1);
  assert.ok(node);
  return node;
}

test('what was published is listed and taken back; the name stays', async (t) => {
  const [one, two] = await startCluster(t, 2);
  assert.ok(one && two);
  const { root } = await altnet(one, 'publish', siteFolder(t, 'hello'), '--name', 'alice');
  const [own] = await altnetLines(one, 'sites', '--own');
  assert.deepEqual(
    [own?.['root'], own?.['kind'], own?.['complete'], own?.['names']],
    [root, 'own', true, ['alice.alt']],
  );
  assert.equal((await altnet(one, 'stats'))['own'], 1);
  const dest = path.join(temporaryFolder(t), 'copy');
  await altnet(two, 'fetch', 'alice', dest);
  const taken = await altnet(one, 'unpublish', 'alice');
  assert.deepEqual([taken['root'], taken['names']], [root, ['alice.alt']]);
  assert.deepEqual(await altnetLines(one, 'sites'), []);
  assert.equal((await altnet(one, 'resolve', 'alice'))['root'], root);
  const again = await tryAltnet(one, 'unpublish', String(root));
  assert.equal(again.code, 1);
  assert.equal((JSON.parse(again.stderr) as { code: string }).code, 'NOT_PUBLISHED');
  assert.equal(readFileSync(path.join(dest, 'index.html'), 'utf8'), 'hello');
});

interface Watching {
  /** The next object on standard output. */
  readonly next: () => Promise<Record<string, unknown>>;
  readonly nextFailure: () => Promise<Record<string, unknown>>;
  /** Ctrl-C; the exit code. */
  readonly end: () => Promise<number | null>;
}

/** Gives the object on each line, one a call. */
function reader(stream: Interface): () => Promise<Record<string, unknown>> {
  const lines = stream[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await lines.next();
    assert.notEqual(done, true, 'the command ended early');
    return JSON.parse(String(value)) as Record<string, unknown>;
  };
}

/** `altnet publish FOLDER --watch …` as a process of its own. */
function watch(t: TestContext, node: ClusterNode, ...words: string[]): Watching {
  const args = ['publish', ...words, '--watch', '--json', '--data', node.data];
  const child = spawn(bin, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  atEnd(t, async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await exited;
  });
  return {
    next: reader(createInterface({ input: child.stdout })),
    nextFailure: reader(createInterface({ input: child.stderr })),
    async end() {
      child.kill('SIGINT');
      const [code] = await exited;
      return code;
    },
  };
}

/** Own roots, and whether a newer version stands in their place. */
async function ownRoots(node: ClusterNode): Promise<Map<unknown, boolean>> {
  const sites = await altnetLines(node, 'sites', '--own');
  return new Map(sites.map(({ root, superseded }) => [root, superseded !== undefined]));
}

test('a tar archive is published from standard input', { skip: windows }, async (t) => {
  const node = await aNode(t);
  const folder = siteFolder(t, 'hello');
  const archive = execFileSync('tar', ['-C', folder, '-c', '.']).toString('latin1');
  const words = ['publish', '-', '--json', '--data', node.data];
  const piped = await runProgram(words, archive);
  assert.equal(piped.code, 0, piped.stderr);
  const { root, files } = JSON.parse(piped.stdout) as { root: string; files: number };
  assert.deepEqual([root, files], [(await altnet(node, 'publish', folder))['root'], 1]);
  const none = await runProgram(words, 'no archive');
  assert.equal(none.code, 2);
  assert.match(none.stderr, /the tar archive: it is none, or it is cut off/);
  const nothing = await runProgram(words, '');
  assert.match(nothing.stderr, /the tar archive: nothing came/);
  assert.equal((await runProgram([...words, '--watch'], archive)).code, 2);
});

test('a folder that is watched is published again on change', { skip: windows }, async (t) => {
  const node = await aNode(t);
  const folder = siteFolder(t, 'one');
  const watching = watch(t, node, folder);
  const one = await watching.next();
  writeFileSync(path.join(folder, 'index.html'), 'two');
  const two = await watching.next();
  assert.notEqual(two['root'], one['root']);
  writeFileSync(path.join(folder, 'more.html'), 'more');
  const three = await watching.next();
  assert.deepEqual([two['files'], three['files']], [1, 2]);
  await eventually('only the last version is not superseded', async () => {
    const roots = await ownRoots(node);
    return [one, two, three].every(({ root }) => roots.get(root) === (root !== three['root']));
  });
  assert.equal(await watching.end(), 0);
});

test(
  'with a name the name moves along; a lost folder is said and waited for',
  { skip: windows },
  async (t) => {
    const node = await aNode(t);
    const folder = siteFolder(t, 'one');
    const watching = watch(t, node, folder, '--name', 'alice');
    const one = await watching.next();
    assert.deepEqual([one['name'], one['version']], ['alice.alt', 1]);
    renameSync(folder, `${folder}-away`);
    assert.equal((await watching.nextFailure())['code'], 'PATH_MISSING');
    writeFileSync(path.join(`${folder}-away`, 'index.html'), 'two');
    renameSync(`${folder}-away`, folder);
    const two = await watching.next();
    assert.deepEqual([two['name'], two['version']], ['alice.alt', 2]);
    assert.equal((await altnet(node, 'resolve', 'alice', '--fresh'))['root'], two['root']);
    assert.equal((await ownRoots(node)).get(one['root']), true);
    assert.equal(await watching.end(), 0);
  },
);
