import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { scan } from './scan.ts';
import type { ScannedFolder } from './scanned.ts';

function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [name, content] of Object.entries(files)) {
    const at = path.join(folder, name);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, content);
  }
}

function list({ files, folders }: ScannedFolder, above = ''): string[] {
  const names = [
    ...files.map(({ name }) => above + name),
    ...folders.flatMap((folder) => list(folder, `${above}${folder.name}/`)),
  ];
  return names.toSorted();
}

async function listOf(folder: string): Promise<string[]> {
  return list(await scan(folder));
}

test('an .altignore leaves out files and folders, and is not published itself', async (t) => {
  const folder = temporaryFolder(t);
  write(folder, {
    '.altignore': 'node_modules/\n*.map\n!sub/keep.map\n',
    'index.html': 'x',
    'a.map': 'x',
    'node_modules/lib/index.js': 'x',
    'sub/node_modules/x.js': 'x',
    'sub/keep.map': 'x',
    'sub/.altignore': '/only-here\n',
    'sub/only-here': 'x',
    'sub/deeper/only-here': 'x',
    '.well-known/a.map': 'x',
    '.well-known/b': 'x',
  });
  const expected = ['.well-known/b', 'index.html', 'sub/deeper/only-here', 'sub/keep.map'];
  assert.deepEqual(await listOf(folder), expected);
});

test('what is left out is not looked at: broken links, pipes, folders without files', async (t) => {
  const folder = temporaryFolder(t);
  write(folder, { '.altignore': 'broken\nlinked/\nout\n', 'index.html': 'x', 'real/x': 'x' });
  symlinkSync('nowhere', path.join(folder, 'broken'));
  symlinkSync('real', path.join(folder, 'linked'));
  symlinkSync('/', path.join(folder, 'out'));
  assert.deepEqual(await listOf(folder), ['index.html', 'real/x']);
  write(folder, { '.altignore': '*\n' });
  await assert.rejects(scan(folder), { code: 'FOLDER_EMPTY' });
});

test('a bad .altignore is named with its line', async (t) => {
  const folder = temporaryFolder(t);
  const at = path.join(folder, 'sub/.altignore');
  const cases: readonly (readonly [string | Uint8Array, RegExp])[] = [
    ['ok\n**/a/**/b/**/c/**/d/**/e', /line 2/],
    [Uint8Array.of(0xff), /UTF-8/],
    [new Uint8Array(70_000), /65536 bytes/],
  ];
  for (const [content, why] of cases) {
    write(folder, { 'index.html': 'x', 'sub/.altignore': content });
    await assert.rejects(scan(folder), (error: Error) => {
      assert.ok(error.message.includes(at), error.message);
      assert.match(error.message, why);
      return 'code' in error && error.code === 'PATH_UNSUPPORTED';
    });
  }
  rmSync(at);
  mkdirSync(at);
  await assert.rejects(scan(folder), { code: 'PATH_UNREADABLE', message: /it is a folder/ });
  rmSync(at, { recursive: true });
  symlinkSync('/etc/hostname', at);
  await assert.rejects(scan(folder), { code: 'PATH_UNSUPPORTED', message: /leads out/ });
});

test('something else is said whenever a file was written to or replaced', async (t) => {
  const folder = temporaryFolder(t);
  const stamps = new Set<string>();
  const says = new Set<string | undefined>();
  for (const [content, replace] of [
    ['one', false],
    ['longer', false],
    ['longer', true],
  ] as const) {
    if (replace) rmSync(path.join(folder, 'x'));
    write(folder, { x: content, [`y${stamps.size}`]: 'takes the inode' });
    const { files, stamp } = await scan(folder);
    says.add(files.find(({ name }) => name === 'x')?.says);
    stamps.add(stamp);
    assert.equal((await scan(folder)).stamp, stamp);
  }
  assert.equal(says.size, 3);
  assert.equal(stamps.size, 3);
});

function hasGit(): boolean {
  try {
    execFileSync('git', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const names = ['a', 'b', 'ab', 'a b', '[a]'] as const;
const piece = fc.constantFrom(
  ...names,
  '*',
  '**',
  'a*',
  '*b',
  '?',
  '[ab]',
  '[!a]',
  '\\[a]',
  'a\\ b',
);
const pattern = fc
  .tuple(
    fc.constantFrom('', '', '!'),
    fc.constantFrom('', '', '/'),
    fc.array(piece, { minLength: 1, maxLength: 3 }),
    fc.constantFrom('', '', '/'),
  )
  .map(([not, top, pieces, end]) => not + top + pieces.join('/') + end);
const rules = fc.array(pattern, { maxLength: 4 }).map((lines) => lines.join('\n'));
const filePath = fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 });
const tree = fc.record({
  files: fc.array(filePath, { minLength: 3, maxLength: 12 }),
  top: rules,
  sub: fc.tuple(filePath, rules),
});

/** Files below files cannot be made and are passed over. */
function plant(folder: string, files: readonly (readonly [string, string])[]): void {
  for (const [name, content] of files) {
    try {
      write(folder, { [name]: content });
    } catch {
      continue;
    }
  }
}

function listedByGit(t: TestContext, folder: string): string[] {
  const git = temporaryFolder(t);
  const args = ['--git-dir', git, '--work-tree', folder, '-c', 'core.ignorecase=false'];
  execFileSync('git', ['init', '--bare', '-q', git]);
  const listing = ['ls-files', '-z', '--others', '--exclude-per-directory=.altignore'];
  const out = execFileSync('git', [...args, '-c', 'core.bare=false', ...listing], {
    cwd: folder,
    encoding: 'utf8',
  });
  return out
    .split('\0')
    .filter((name) => name !== '' && !name.endsWith('.altignore'))
    .toSorted();
}

test('git leaves out the same', { skip: !hasGit() && 'there is no git' }, async (t) => {
  for (const { files, top, sub } of fc.sample(tree, { numRuns: 40, seed: 20 })) {
    const folder = temporaryFolder(t);
    plant(
      folder,
      files.map((parts) => [parts.join('/'), 'x']),
    );
    plant(folder, [
      ['.altignore', top],
      [`${sub[0].join('/')}/.altignore`, sub[1]],
    ]);
    const expected = listedByGit(t, folder);
    const found = await listOf(folder).catch(() => []);
    assert.deepEqual(found, expected, JSON.stringify({ files, top, sub }));
  }
});
