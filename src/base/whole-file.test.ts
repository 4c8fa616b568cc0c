import assert from 'node:assert/strict';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { systemWorld } from './clock.ts';
import { AltNetError } from './errors.ts';
import { duplicate, readWhole, writeError, writeOnce } from './whole-file.ts';

const { random } = systemWorld;
const mode = 0o600;
const notOurs = (): AltNetError => new AltNetError('KEY_DAMAGED', { file: 'x', why: 'none' });
const how = { bytesMax: 100, notOurs };

test('a file is made once, whole, and nothing stays beside it', async (t) => {
  const folder = path.join(temporaryFolder(t), 'deep', 'er');
  const file = path.join(folder, 'a.key');
  assert.equal(await readWhole(file, how), undefined);
  const texts = ['one', 'two', 'three'];
  await Promise.all(texts.map((text) => writeOnce(file, { text, mode }, random)));
  const made = await readWhole(file, how);
  assert.ok(made !== undefined && texts.includes(made));
  await writeOnce(file, { text: 'four', mode }, random);
  assert.equal(readFileSync(file, 'utf8'), made, 'what is there counts');
  assert.deepEqual(readdirSync(folder), ['a.key']);
  if (process.platform === 'win32') return;
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
});

test('what is no such file is refused in the words of who asks', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'a.key');
  await assert.rejects(readWhole(folder, how), { code: 'KEY_DAMAGED' });
  writeFileSync(file, 'x'.repeat(101));
  await assert.rejects(readWhole(file, how), { code: 'KEY_DAMAGED' });
  assert.equal(await readWhole(file, { ...how, bytesMax: 101 }), 'x'.repeat(101));
  const check = (): never => {
    throw new AltNetError('KEY_EXPOSED', { file, mode: '0644' });
  };
  await assert.rejects(readWhole(file, { ...how, bytesMax: 101, check }), { code: 'KEY_EXPOSED' });
  await assert.rejects(readWhole(path.join(file, 'below'), how), { code: 'PATH_UNREADABLE' });
});

test('nothing is replaced, and nothing is made where nothing can be', async (t) => {
  const folder = temporaryFolder(t);
  const [one, two] = ['one', 'two'].map((name) => path.join(folder, name));
  assert.ok(one !== undefined && two !== undefined);
  writeFileSync(one, '1');
  symlinkSync(path.join(folder, 'nowhere'), two);
  await assert.rejects(duplicate(one, two), { code: 'EEXIST' });
  await writeOnce(two, { text: 'x', mode }, random);
  assert.equal(await readWhole(two, how), undefined, 'a link to nowhere stays one');
  const below = path.join(one, 'below', 'a');
  await assert.rejects(writeOnce(below, { text: 'x', mode }, random), { code: 'PATH_UNSUPPORTED' });
  mkdirSync(path.join(folder, 'three'));
  assert.deepEqual(readdirSync(folder).toSorted(), ['one', 'three', 'two']);
});

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

test('what the system says of a full disk is told as that', () => {
  assert.equal(writeError('/a/b', systemError('ENOSPC')).code, 'DISK_FULL');
  assert.equal(writeError('/a/b', systemError('EDQUOT')).code, 'DISK_FULL');
  assert.match(writeError('/a/b', systemError('EROFS')).message, /the disk is read-only/);
  const told = notOurs();
  assert.equal(writeError('/a/b', told), told);
});
