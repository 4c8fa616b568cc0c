import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { AltNetError } from '../../base/errors.ts';
import { sha256 } from '../../base/hash.ts';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { MemoryBlocks, MemoryHoldings } from '../../../test/support/memory-blocks.ts';
import { type ImportProgress, importPath } from './import.ts';
import { cidOf, rootHex } from '../dag/root.ts';

async function rootOf(from: string): Promise<string> {
  const { root } = await importPath(new MemoryBlocks(), from);
  return rootHex(cidOf(root));
}

async function makeFolder(t: TestContext, names: readonly string[]): Promise<string> {
  const folder = temporaryFolder(t);
  for (const name of names) {
    const at = path.join(folder, name);
    await mkdir(path.dirname(at), { recursive: true });
    await writeFile(at, `content of ${name}`);
  }
  return folder;
}

const names = ['b.html', 'a/x.css', 'a/y.png', 'ü.txt', 'Z', 'index.html'];

test('the same files make the same root in whatever order and at whatever time', async (t) => {
  const one = await makeFolder(t, names);
  const two = await makeFolder(t, names.toReversed());
  await utimes(path.join(two, 'Z'), 1, 1);
  await chmod(path.join(two, 'b.html'), 0o755);
  assert.equal(await rootOf(one), await rootOf(two));
  await writeFile(path.join(two, 'Z'), 'changed');
  assert.notEqual(await rootOf(one), await rootOf(two));
});

test('hidden files and empty folders are left out, .well-known is not', async (t) => {
  const plain = await makeFolder(t, ['index.html', '.well-known/x']);
  const hidden = await makeFolder(t, ['index.html', '.well-known/x', '.git/config', 'a/.env']);
  await mkdir(path.join(hidden, 'empty/deeper'), { recursive: true });
  assert.equal(await rootOf(plain), await rootOf(hidden));
});

test('links inside the folder are followed', async (t) => {
  const linked = await makeFolder(t, ['a.txt', 'sub/b.txt']);
  await symlink('a.txt', path.join(linked, 'c.txt'));
  await symlink('sub', path.join(linked, 'other'));
  const { files } = await importPath(new MemoryBlocks(), linked);
  assert.equal(files, 4);
});

test('what cannot be published is refused and named', async (t) => {
  const outside = await makeFolder(t, ['secret']);
  const cases: readonly (readonly [string, string, (folder: string) => Promise<unknown>])[] = [
    [
      'PATH_UNSUPPORTED',
      'out',
      (to) => symlink(path.join(outside, 'secret'), path.join(to, 'out')),
    ],
    ['PATH_UNSUPPORTED', 'up', (to) => symlink('..', path.join(to, 'up'))],
    ['PATH_UNSUPPORTED', 'self', (to) => symlink('self', path.join(to, 'self'))],
    ['PATH_UNSUPPORTED', 'loop', (to) => symlink('.', path.join(to, 'loop'))],
    ['PATH_UNSUPPORTED', 'gone', (to) => symlink('nothing', path.join(to, 'gone'))],
  ];
  for (const [code, name, make] of cases) {
    const folder = await makeFolder(t, ['index.html']);
    await make(folder);
    await assert.rejects(importPath(new MemoryBlocks(), folder), (error: unknown) => {
      assert.ok(error instanceof AltNetError);
      assert.equal(error.code, code, name);
      assert.ok(error.message.includes(path.join(folder, name)), error.message);
      return true;
    });
  }
});

test('missing, empty, too deep, a pipe', async (t) => {
  const blocks = new MemoryBlocks();
  const folder = temporaryFolder(t);
  await assert.rejects(importPath(blocks, path.join(folder, 'none')), { code: 'PATH_MISSING' });
  await assert.rejects(importPath(blocks, folder), { code: 'FOLDER_EMPTY' });
  await mkdir(path.join(folder, '.only-hidden'));
  await assert.rejects(importPath(blocks, folder), { code: 'FOLDER_EMPTY' });
  const deep = path.join(folder, ...Array<string>(40).fill('d'));
  await mkdir(deep, { recursive: true });
  await writeFile(path.join(deep, 'f'), 'x');
  await assert.rejects(importPath(blocks, folder), { code: 'PATH_UNSUPPORTED' });
  if (process.platform !== 'win32') {
    const pipes = await makeFolder(t, ['index.html']);
    execFileSync('mkfifo', [path.join(pipes, 'pipe')]);
    await assert.rejects(importPath(blocks, pipes), { code: 'PATH_UNSUPPORTED' });
  }
  assert.equal(blocks.size, 0);
});

test(
  'an unreadable file is named',
  { skip: process.getuid?.() === 0 && 'root reads all' },
  async (t) => {
    const folder = await makeFolder(t, ['index.html', 'locked']);
    await chmod(path.join(folder, 'locked'), 0);
    await assert.rejects(importPath(new MemoryBlocks(), folder), {
      code: 'PATH_UNREADABLE',
      message: /locked/,
    });
  },
);

test('a file that changes while it is read is an error', async (t) => {
  const folder = temporaryFolder(t);
  const at = path.join(folder, 'growing');
  await writeFile(at, randomBytes(6_000_000));
  const blocks = new MemoryBlocks();
  let changed = false;
  blocks.beforePut = async () => {
    if (changed) return;
    changed = true;
    await truncate(at, 1000);
  };
  await assert.rejects(importPath(blocks, folder), { code: 'PATH_UNREADABLE' });
});

test('an import can be given up, and a full disk is reported as such', async (t) => {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'large'), randomBytes(12_000_000));
  const stop = new AbortController();
  const blocks = new MemoryBlocks();
  blocks.beforePut = () => {
    stop.abort(new AltNetError('ABORTED', {}));
    return Promise.resolve();
  };
  await assert.rejects(importPath(blocks, folder, { signal: stop.signal }), { code: 'ABORTED' });
  blocks.beforePut = () => Promise.reject(new AltNetError('DISK_FULL', { folder }));
  await assert.rejects(importPath(blocks, folder), { code: 'DISK_FULL' });
});

test('memory that is used again does not leak into other blocks', async (t) => {
  const folder = temporaryFolder(t);
  const contents = Array.from({ length: 40 }, (_, i) => randomBytes(100_000 + i * 20_000));
  for (const [i, content] of contents.entries()) {
    await writeFile(path.join(folder, `f${i}`), content);
  }
  const blocks = new MemoryBlocks();
  await importPath(blocks, folder);
  for (const hash of blocks.written) {
    assert.deepEqual(sha256(blocks.get(hash) ?? new Uint8Array()), hash);
  }
  assert.ok(blocks.written.length > 40);
});

test('small files share memory on their way, and none gets the bytes of another', async (t) => {
  const folder = temporaryFolder(t);
  const expected: Uint8Array[] = [];
  for (let i = 0; i < 400; i++) {
    const content = randomBytes(i % 7 === 0 ? 0 : (i * 97) % 30_000);
    expected.push(sha256(content));
    await writeFile(path.join(folder, `f${i}`), content);
  }
  const blocks = new MemoryBlocks();
  const { files, bytes } = await importPath(blocks, folder);
  assert.equal(files, 400);
  assert.ok(bytes > 1_000_000);
  for (const hash of expected) assert.ok(blocks.has(hash));
  for (const hash of blocks.written) {
    assert.deepEqual(sha256(blocks.get(hash) ?? new Uint8Array()), hash);
  }
});

test('what cannot fit is refused before anything is read', async (t) => {
  const folder = await makeFolder(t, ['index.html']);
  await writeFile(path.join(folder, 'large'), randomBytes(500_000));
  const blocks = new MemoryBlocks();
  const holdings = new MemoryHoldings(blocks);
  holdings.bytesMax = 400_000;
  const holding = await holdings.open({ kind: 'own' });
  await assert.rejects(importPath(holding, folder), { code: 'STORE_FULL' });
  assert.equal(blocks.size, 0);
});

test('progress ends with everything', async (t) => {
  const folder = await makeFolder(t, names);
  await writeFile(path.join(folder, 'large'), randomBytes(3_000_000));
  const seen: ImportProgress[] = [];
  const { files, bytes } = await importPath(new MemoryBlocks(), folder, {
    onProgress: (done) => seen.push(done),
  });
  assert.deepEqual(seen.at(-1), { phase: 'reading', bytes, bytesTotal: bytes, files });
  assert.ok(seen.length > files);
  assert.deepEqual(
    seen.toSorted((a, b) => a.bytes - b.bytes || a.files - b.files),
    seen,
  );
});
