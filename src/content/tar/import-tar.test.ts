import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test, type TestContext } from 'node:test';
import { Header } from 'tar';
import { type Bytes, utf8 } from '../../base/bytes.ts';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { MemoryBlocks } from '../../../test/support/memory-blocks.ts';
import { cidOf, rootHex } from '../dag/root.ts';
import { importPath } from '../import/import.ts';
import { importTar, type TarImported } from './import-tar.ts';

type Entry = ConstructorParameters<typeof Header>[0] & { readonly content?: string | Bytes };

const blank = Buffer.alloc(1024);

/** An archive with these entries, as old programs write it. */
function archive(...entries: readonly Entry[]): Buffer {
  return Buffer.concat([...entries.flatMap(entryBytes), blank]);
}

function entryBytes(entry: Entry): readonly Buffer[] {
  if (entry instanceof Uint8Array) throw new TypeError('write the fields of a header');
  const { content = '', ...fields } = entry;
  const body = Buffer.from(content);
  const block = Buffer.alloc(512);
  const header = new Header({ type: 'File', mode: 0o644, mtime: new Date(0), ...fields });
  header.size ??= body.length;
  header.encode(block);
  return [block, body, Buffer.alloc((512 - (body.length % 512)) % 512)];
}

/** In pieces of so many bytes, as a connection might bring it. */
async function* inPieces(bytes: Bytes, length = 65_536): AsyncGenerator<Bytes> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

function importAll(bytes: Bytes, length?: number, bytesMax = 2 ** 40): Promise<TarImported> {
  return importTar(new MemoryBlocks(), inPieces(bytes, length), { bytesMax });
}

const hexOf = ({ root }: Pick<TarImported, 'root'>): string => rootHex(cidOf(root));

async function makeFolder(
  t: TestContext,
  files: Readonly<Record<string, string | Bytes>>,
): Promise<string> {
  const folder = temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    const at = path.join(folder, name);
    await mkdir(path.dirname(at), { recursive: true });
    await writeFile(at, content);
  }
  return folder;
}

const long = `${'deep/'.repeat(25)}${'name'.repeat(30)}.txt`;
const site = {
  'index.html': '<h1>hello</h1>',
  'empty.txt': '',
  'ü/日本.txt': 'names of all kinds',
  [long]: 'a name that needs an entry of its own',
  'big.bin': randomBytes(3 * 262_144 + 17),
  'exact.bin': randomBytes(2 * 262_144),
  '.git/config': 'left out',
  'sub/.env': 'left out',
  '.well-known/x': 'shown',
};

for (const format of ['gnu', 'pax', 'posix']) {
  test(`the root is that of the folder, from an archive of the form ${format}`, async (t) => {
    const folder = await makeFolder(t, site);
    await mkdir(path.join(folder, 'nothing/below'), { recursive: true });
    const want = await importPath(new MemoryBlocks(), folder);
    const words = ['-c', `--format=${format}`, '-C', folder, '.'];
    const tar = execFileSync('tar', words, { maxBuffer: 2 ** 30 });
    for (const length of [97, 511, 65_536, tar.length]) {
      const have = await importAll(tar, length);
      assert.equal(hexOf(have), rootHex(cidOf(want.root)));
      const { files, bytes, entry, leftOut } = have;
      const { files: wantFiles, bytes: wantBytes } = want;
      assert.deepEqual({ files, bytes }, { files: wantFiles, bytes: wantBytes });
      assert.deepEqual([entry, leftOut], ['', 0]);
    }
  });
}

test('what an .altignore leaves out is left out, wherever it stands in the archive', async (t) => {
  const files = {
    '.altignore': '*.log\n/drafts/\n',
    'a.html': 'a',
    'a.log': 'a log',
    'drafts/b.html': 'b',
    'sub/.altignore': '!keep.log\n',
    'sub/keep.log': 'kept',
    'sub/other.log': 'not kept',
  };
  const want = await importPath(new MemoryBlocks(), await makeFolder(t, files));
  const entries = Object.entries(files).map(([at, content]) => ({ path: at, content }));
  for (const order of [entries, entries.toReversed()]) {
    const have = await importAll(archive(...order));
    assert.equal(hexOf(have), rootHex(cidOf(want.root)));
    assert.equal(have.leftOut, 3);
  }
});

test('a lone file is opened by its name', async () => {
  assert.equal((await importAll(archive({ path: 'a.txt', content: 'a' }))).entry, '/a.txt');
});

test('entries that no site can have are refused and named', async () => {
  const link = { path: 'l', linkpath: 'index.html' };
  const cases: readonly (readonly [RegExp, readonly Entry[]])[] = [
    [/^\/etc\/passwd cannot .*absolute/, [{ path: '/etc/passwd' }]],
    [/absolute/, [{ path: 'C:/windows' }]],
    [/leads out/, [{ path: '../up' }]],
    [/leads out/, [{ path: 'a/../../up' }]],
    [/leads out/, [{ path: '..', type: 'Directory' }]],
    [/symbolic link/, [{ ...link, type: 'SymbolicLink' }]],
    [/hard link/, [{ ...link, type: 'Link' }]],
    [/device/, [{ path: 'd', type: 'CharacterDevice' }]],
    [/device/, [{ path: 'd', type: 'BlockDevice' }]],
    [/pipe/, [{ path: 'd', type: 'FIFO' }]],
    [/holes/, [{ path: 'd', type: 'SparseFile' }]],
    [/neither/, [{ path: 'd', type: 'ContinuationFile' }]],
    [/twice/, [{ path: 'a' }, { path: './a' }]],
    [/twice/, [{ path: '.altignore' }, { path: './/.altignore' }]],
    [/twice/, [{ path: 'a/b' }, { path: 'a' }]],
    [/as a file/, [{ path: 'a' }, { path: 'a/b' }]],
    [/nested/, [{ path: `${'a/'.repeat(32)}b` }]],
    [/nested/, [{ path: 'a/'.repeat(32), type: 'Directory' }]],
    [/line 1/, [{ path: '.altignore', content: `${'**/'.repeat(9)}a` }, { path: 'a' }]],
    [/65536/, [{ path: '.altignore', content: 'a\n'.repeat(40_000) }, { path: 'a' }]],
  ];
  for (const [why, entries] of cases) {
    const tar = archive({ path: 'index.html', content: 'x' }, ...entries);
    for (const length of [1, 512, tar.length]) {
      await assert.rejects(importAll(tar, length), { code: 'PATH_UNSUPPORTED', message: why });
    }
  }
  await assert.rejects(importAll(archive({ path: 'a/', type: 'Directory' })), {
    code: 'FOLDER_EMPTY',
  });
});

/** A file that another entry describes. */
function pax(fields: string): Entry[] {
  const description = { path: 'PaxHeader/x', type: 'ExtendedHeader', content: fields } as const;
  return [description, { path: 'x', content: 'x' }];
}

function field(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = utf8(rest).length;
  return `${length + String(length + String(length).length).length}${rest}`;
}

test('names that are too long or no text are refused', async () => {
  const unsupported: readonly (readonly [RegExp, string])[] = [
    [/too long/, field('path', 'n'.repeat(256))],
    [/longer than 4096/, field('path', `${'n/'.repeat(3000)}n`)],
    [/not valid UTF-8/, field('path', 'a\uFFFDb')],
  ];
  for (const [why, fields] of unsupported) {
    const tar = archive(...pax(fields));
    await assert.rejects(importAll(tar), { code: 'PATH_UNSUPPORTED', message: why });
  }
  const bad: readonly (readonly [RegExp, string])[] = [
    [/holes/, field('GNU.sparse.major', '1')],
    [/size/, field('size', '1.5')],
    [/size/, field('size', '1e300')],
    [/too long/, field('path', 'n'.repeat(70_000))],
  ];
  for (const [why, fields] of bad) {
    const tar = archive(...pax(fields));
    await assert.rejects(importAll(tar), { code: 'BAD_ARGUMENT', message: why });
  }
});

test('what is no whole archive is refused', async () => {
  const whole = archive({ path: 'a', content: 'content' }, { path: 'b', content: 'more' });
  for (let length = 0; length <= whole.length - 512; length += 128) {
    await assert.rejects(importAll(whole.subarray(0, length)), { code: 'BAD_ARGUMENT' });
  }
  const changed = Buffer.from(whole);
  changed[3] = 7;
  await assert.rejects(importAll(changed), { code: 'BAD_ARGUMENT', message: /checksum/ });
  const short: readonly [RegExp, Bytes][] = [
    [/nothing came/, Buffer.alloc(0)],
    [/it is none, or it is cut off/, Buffer.from('no archive')],
    [/: it is cut off/, whole.subarray(0, 700)],
  ];
  for (const [message, bad] of short) {
    await assert.rejects(importAll(bad), { code: 'BAD_ARGUMENT', message });
  }
  const bads: readonly Bytes[] = [
    randomBytes(5000),
    Buffer.alloc(10),
    Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, ...Buffer.alloc(600)]),
    Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd]), Buffer.alloc(600, 1)]),
  ];
  for (const bad of bads) await assert.rejects(importAll(bad), { code: 'BAD_ARGUMENT' });
  await assert.rejects(importAll(Buffer.alloc(1024)), { code: 'FOLDER_EMPTY' });
});

test('filling up at the end is taken, but not without bound', async () => {
  const whole = archive({ path: 'a', content: 'content' });
  const filled = Buffer.concat([whole, Buffer.alloc(10_240)]);
  assert.equal(hexOf(await importAll(filled, 700)), hexOf(await importAll(whole)));
  const endless = Buffer.concat([whole, Buffer.alloc(2_000_000)]);
  await assert.rejects(importAll(endless), { code: 'BAD_ARGUMENT', message: /after its end/ });
});

test('a site that says to be larger than the store is refused before it comes', async () => {
  const tar = archive({ path: 'a', content: 'a' }, { path: 'b', size: 2 ** 32 });
  const stop = { code: 'STORE_FULL' };
  await assert.rejects(importAll(tar, 512, 2 ** 32), stop);
});

test('the signal ends it, and so does a body that breaks', async () => {
  const stop = new AbortController();
  const tar = archive({ path: 'a', content: randomBytes(600_000) });
  const options = { bytesMax: 2 ** 40, signal: stop.signal };
  const body = inPieces(tar, 1000);
  const work = importTar(new MemoryBlocks(), body, {
    ...options,
    onProgress: ({ bytes }) => {
      if (bytes > 100_000) stop.abort(new RangeError('enough'));
    },
  });
  await assert.rejects(work, RangeError);
  assert.equal((await body.next()).done, true); // it was ended
  async function* broken(): AsyncGenerator<Bytes> {
    yield tar.subarray(0, 70_000);
    throw new SyntaxError('broken');
  }
  await assert.rejects(importTar(new MemoryBlocks(), broken(), { bytesMax: 1e9 }), SyntaxError);
});
