import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { encode } from '@ipld/dag-pb';
import { UnixFS } from 'ipfs-unixfs';
import { toHex, utf8 } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { MemoryBlocks } from '../../test/support/memory-blocks.ts';
import { exportSite, nameProblem } from './export.ts';
import { importPath } from './import/import.ts';
import { cidOf, type Link } from './dag/root.ts';

/** A folder as no honest program makes it: names unchecked, in the order given. */
function hostileFolder(blocks: MemoryBlocks, entries: readonly (readonly [string, Link])[]): Link {
  const links = entries
    .map(([Name, link]) => ({ Name, Tsize: 1, Hash: cidOf(link) }))
    .toSorted((a, b) => Buffer.compare(utf8(a.Name), utf8(b.Name)));
  const Data = new UnixFS({ type: 'directory' }).marshal();
  return { codec: 'dag-pb', hash: blocks.add(encode({ Data, Links: links })) };
}

function leaf(blocks: MemoryBlocks, text: string): Link {
  return { codec: 'raw', hash: blocks.add(utf8(text)) };
}

test('what was imported is exported byte for byte', async (t) => {
  const [from, to] = [temporaryFolder(t), temporaryFolder(t)];
  const contents = new Map([
    ['index.html', Buffer.from('hello')],
    ['empty', Buffer.alloc(0)],
    ['deep/er/large', randomBytes(1_000_000)],
  ]);
  for (const [name, content] of contents) {
    await mkdir(path.dirname(path.join(from, name)), { recursive: true });
    await writeFile(path.join(from, name), content);
  }
  const blocks = new MemoryBlocks();
  const { root, bytes } = await importPath(blocks, from);
  const dest = path.join(to, 'not/yet/there');
  assert.deepEqual(await exportSite(blocks, root, dest), { files: 3, bytes });
  for (const [name, content] of contents) {
    assert.ok(content.equals(await readFile(path.join(dest, name))), name);
  }
  assert.deepEqual(await readdir(path.dirname(dest)), ['there'], 'no draft is left');
});

test('a site of many files is written piece by piece, not listed first', async (t) => {
  const blocks = new MemoryBlocks();
  const filesEach = 100;
  const inside = new Map<string, readonly string[]>(); // the hashes of a folder's files, by its own
  const folders = Array.from({ length: 40 }, (_, n) => {
    const files = Array.from({ length: filesEach }, (__, m) => leaf(blocks, `${n}/${m}`));
    const folder = hostileFolder(
      blocks,
      files.map((file, m) => [`${m}`, file]),
    );
    inside.set(
      toHex(folder.hash),
      files.map(({ hash }) => toHex(hash)),
    );
    return [`${n}`, folder] as const;
  });
  const [visited, listed] = [new Set<string>(), new Set<string>()];
  let most = 0;
  const watched = {
    has: (hash: Uint8Array): boolean => blocks.has(hash),
    get: (hash: Uint8Array): Uint8Array | undefined => {
      const id = toHex(hash);
      listed.delete(id);
      // The first visit of a folder only counts what is in it.
      if (visited.has(id)) for (const file of inside.get(id) ?? []) listed.add(file);
      visited.add(id);
      most = Math.max(most, listed.size);
      return blocks.get(hash);
    },
  };
  const dest = path.join(temporaryFolder(t), 'site');
  const { files } = await exportSite(watched, hostileFolder(blocks, folders), dest);
  assert.equal(files, 40 * filesEach);
  assert.ok(most >= filesEach && most < 1024 + filesEach, `${most} files were listed`);
});

test('what is in the way is never touched', async (t) => {
  const folder = temporaryFolder(t);
  const blocks = new MemoryBlocks();
  const root = hostileFolder(blocks, [['a', leaf(blocks, 'new')]]);
  await writeFile(path.join(folder, 'a'), 'old');
  await assert.rejects(exportSite(blocks, root, folder), { code: 'PATH_UNSUPPORTED' });
  await assert.rejects(exportSite(blocks, root, path.join(folder, 'a')), {
    code: 'PATH_UNSUPPORTED',
  });
  assert.equal(await readFile(path.join(folder, 'a'), 'utf8'), 'old');
  await mkdir(path.join(folder, 'empty'));
  await exportSite(blocks, root, path.join(folder, 'empty'));
  assert.equal(await readFile(path.join(folder, 'empty/a'), 'utf8'), 'new');
});

const hostileNames = ['..', '.', '', '/etc/x', 'a/b', '../up', 'nul\0byte', 'x'.repeat(256)];
for (const name of hostileNames) {
  test(`an entry named ${JSON.stringify(name.slice(0, 12))} is refused`, async (t) => {
    const folder = temporaryFolder(t);
    const blocks = new MemoryBlocks();
    const inner = hostileFolder(blocks, [[name, leaf(blocks, 'evil')]]);
    const root = hostileFolder(blocks, [
      ['a.txt', leaf(blocks, 'good')],
      ['z', inner],
    ]);
    await assert.rejects(exportSite(blocks, root, path.join(folder, 'out')), {
      code: 'PATH_UNSUPPORTED',
    });
    assert.deepEqual(await readdir(folder), [], 'nothing stays behind');
  });
}

test('two entries of one name are refused, be they files or folders', async (t) => {
  const folder = temporaryFolder(t);
  const blocks = new MemoryBlocks();
  const [one, two] = [leaf(blocks, '1'), leaf(blocks, '2')];
  const sub = hostileFolder(blocks, [['x', one]]);
  for (const second of [two, sub]) {
    const root = hostileFolder(blocks, [
      ['same', one],
      ['same', second],
    ]);
    await assert.rejects(exportSite(blocks, root, path.join(folder, 'out')), {
      code: 'CONTENT_BAD',
    });
  }
  assert.deepEqual(await readdir(folder), []);
});

test('a file that is not as large as it says is refused', async (t) => {
  const folder = temporaryFolder(t);
  const blocks = new MemoryBlocks();
  const part = leaf(blocks, 'five!');
  for (const size of [4n, 6n, 1n << 60n]) {
    const Data = new UnixFS({ type: 'file', blockSizes: [size] }).marshal();
    const Links = [{ Name: '', Tsize: 5, Hash: cidOf(part) }];
    const liar: Link = { codec: 'dag-pb', hash: blocks.add(encode({ Data, Links })) };
    const error: unknown = await exportSite(blocks, liar, path.join(folder, 'out')).catch(
      (e: unknown) => e,
    );
    assert.ok(error instanceof AltNetError && ['CONTENT_BAD', 'DISK_FULL'].includes(error.code));
  }
  assert.deepEqual(await readdir(folder), []);
});

test('a site that unfolds to more than any disk holds is refused beforehand', async (t) => {
  const folder = temporaryFolder(t);
  const blocks = new MemoryBlocks();
  let level = leaf(blocks, 'x');
  for (let i = 0; i < 20; i++) {
    const below = level;
    level = hostileFolder(
      blocks,
      Array.from({ length: 100 }, (_, n) => [`n${n}`, below] as const),
    );
  }
  await assert.rejects(exportSite(blocks, level, path.join(folder, 'out')), {
    code: 'CONTENT_BAD',
  });
  assert.deepEqual(await readdir(folder), []);
});

test('a root that is a file becomes a file, a lost block leaves nothing', async (t) => {
  const folder = temporaryFolder(t);
  const blocks = new MemoryBlocks();
  const one = leaf(blocks, 'alone');
  await exportSite(blocks, one, path.join(folder, 'file'));
  assert.equal(await readFile(path.join(folder, 'file'), 'utf8'), 'alone');
  const lost = leaf(blocks, 'lost');
  const root = hostileFolder(blocks, [
    ['a', one],
    ['b', lost],
  ]);
  blocks.delete(lost.hash);
  await assert.rejects(exportSite(blocks, root, path.join(folder, 'out')), {
    code: 'CONTENT_UNAVAILABLE',
  });
  assert.deepEqual(await readdir(folder), ['file']);
});

test('names that Windows gives a meaning of its own are refused there', () => {
  const reserved = [
    'con',
    'NUL',
    'aux.txt',
    'com1',
    'LPT9.log',
    'a:b',
    'a?',
    'dot.',
    'space ',
    'a\\b',
  ];
  for (const name of reserved) {
    assert.notEqual(nameProblem(name, 'win32'), undefined, name);
    assert.equal(nameProblem(name, 'linux'), undefined, name);
  }
  for (const name of ['console', 'index.html', 'com10', 'größe', '日本']) {
    assert.equal(nameProblem(name, 'win32'), undefined, name);
  }
});
