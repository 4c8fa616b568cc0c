import assert from 'node:assert/strict';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  mkdirSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { systemWorld } from '../base/clock.ts';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import { keyFile, loadIdentity, loadOrCreateKey, writeImportedKey } from './files.ts';
import { SigningKey } from './key.ts';
import { encodeKeyText } from './keytext.ts';

const { random } = systemWorld;
const folder = mkdtempSync(path.join(tmpdir(), 'altnet-keys-'));
after(() => rmSync(folder, { recursive: true, force: true }));

let folders = 0;
function freshFolder(): string {
  folders += 1;
  return path.join(folder, String(folders));
}

function hasCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => isAltNetError(error, code);
}

function keyOf(kind: 'node' | 'author', fill: number): SigningKey {
  return new SigningKey(kind, new Uint8Array(32).fill(fill));
}

test('keys are made at the first start and found at the second', async () => {
  const keydir = path.join(freshFolder(), 'deep', 'keys');
  const first = await loadIdentity({ keydir, random });
  const second = await loadIdentity({ keydir, random });
  assert.notDeepEqual(first.node.publicKey, first.author.publicKey);
  assert.deepEqual(second.node.publicKey, first.node.publicKey);
  assert.deepEqual(second.author.exportSeed(), first.author.exportSeed());
  assert.deepEqual(readdirSync(keydir).toSorted(), ['author.key', 'node.key']);
  if (process.platform === 'win32') return;
  assert.equal(statSync(keydir).mode & 0o777, 0o700);
  assert.equal(statSync(keyFile(keydir, 'author')).mode & 0o777, 0o600);
});

test('several starts at once agree on one key', async () => {
  const file = keyFile(freshFolder(), 'node');
  const keys = await Promise.all(
    Array.from({ length: 8 }, () => loadOrCreateKey({ file, kind: 'node', random })),
  );
  for (const key of keys) assert.deepEqual(key.publicKey, keys[0]?.publicKey);
  assert.deepEqual(readdirSync(path.dirname(file)), ['node.key']);
});

test('a damaged file is refused and left as it is', async () => {
  const keydir = freshFolder();
  const file = keyFile(keydir, 'author');
  await loadIdentity({ keydir, random });
  const intact = readFileSync(file, 'utf8');
  const mistyped = intact.replace(/(.)\n$/, (_, last: string) => (last === 'a' ? 'b\n' : 'a\n'));
  const damages = [
    '',
    intact.slice(0, -9),
    intact.slice(0, 40),
    mistyped,
    '\0'.repeat(9),
    'x'.repeat(5000),
  ];
  for (const damage of damages) {
    writeFileSync(file, damage);
    await assert.rejects(loadIdentity({ keydir, random }), hasCode('KEY_DAMAGED'));
    assert.equal(readFileSync(file, 'utf8'), damage);
  }
  writeFileSync(file, intact.replaceAll('\n', '\r\n'));
  await loadIdentity({ keydir, random });
});

test('what is no file is refused', async () => {
  const keydir = freshFolder();
  mkdirSync(keyFile(keydir, 'node'), { recursive: true });
  await assert.rejects(loadIdentity({ keydir, random }), hasCode('KEY_DAMAGED'));
});

test('a file that others can read is refused', { skip: process.platform === 'win32' }, async () => {
  const keydir = freshFolder();
  await loadIdentity({ keydir, random });
  for (const mode of [0o640, 0o604, 0o620, 0o777]) {
    chmodSync(keyFile(keydir, 'node'), mode);
    await assert.rejects(loadIdentity({ keydir, random }), (error) => {
      assert.ok(isAltNetError(error, 'KEY_EXPOSED'));
      return error.message.includes(`(mode 0${mode.toString(8)})`);
    });
  }
  chmodSync(keyFile(keydir, 'node'), 0o400);
  await loadIdentity({ keydir, random });
});

test('a key of the wrong kind is refused', async () => {
  const keydir = freshFolder();
  mkdirSync(keydir);
  const text = encodeKeyText(keyOf('author', 5));
  writeFileSync(keyFile(keydir, 'node'), text, { mode: 0o600 });
  await assert.rejects(loadIdentity({ keydir, random }), hasCode('KEY_WRONG_KIND'));
});

test('the two keys must differ', async () => {
  const keydir = freshFolder();
  mkdirSync(keydir);
  for (const kind of ['node', 'author'] as const) {
    writeFileSync(keyFile(keydir, kind), encodeKeyText(keyOf(kind, 5)), { mode: 0o600 });
  }
  await assert.rejects(loadIdentity({ keydir, random }), hasCode('KEY_DAMAGED'));
});

test('a folder that cannot be made is named', async () => {
  const file = freshFolder();
  writeFileSync(file, 'in the way');
  await assert.rejects(loadIdentity({ keydir: path.join(file, 'keys'), random }), (error) =>
    isAltNetError(error),
  );
  const loop = freshFolder();
  symlinkSync(loop, loop);
  await assert.rejects(loadIdentity({ keydir: loop, random }), hasCode('PATH_UNREADABLE'));
  const keydir = freshFolder();
  mkdirSync(keydir);
  symlinkSync(path.join(keydir, 'nothing'), keyFile(keydir, 'node'));
  await assert.rejects(loadIdentity({ keydir, random }), hasCode('PATH_UNSUPPORTED'));
  assert.deepEqual(readdirSync(keydir), ['node.key'], 'no draft stays behind');
});

test('an imported key moves a different key aside', async () => {
  const keydir = freshFolder();
  const file = keyFile(keydir, 'author');
  const [first, second] = [keyOf('author', 1), keyOf('author', 2)];
  assert.deepEqual(await writeImportedKey({ file, key: first, random }), { backup: undefined });
  assert.deepEqual(await writeImportedKey({ file, key: first, random }), { backup: undefined });
  const { backup } = await writeImportedKey({ file, key: second, random });
  assert.ok(backup);
  const load = (from: string): Promise<SigningKey> =>
    loadOrCreateKey({ file: from, kind: 'author', random });
  assert.deepEqual((await load(file)).publicKey, second.publicKey);
  assert.deepEqual((await load(backup)).publicKey, first.publicKey);
  await writeImportedKey({ file, key: first, random });
  const again = await writeImportedKey({ file, key: second, random });
  assert.notEqual(again.backup, backup, 'no backup replaces another');
  assert.equal(readdirSync(keydir).length, 4);
});

test('an imported key keeps what is left of a damaged one', async () => {
  const keydir = freshFolder();
  const file = keyFile(keydir, 'author');
  mkdirSync(keydir);
  writeFileSync(file, 'half a key', { mode: 0o600 });
  const { backup } = await writeImportedKey({ file, key: keyOf('author', 1), random });
  assert.ok(backup);
  assert.equal(readFileSync(backup, 'utf8'), 'half a key');
});
