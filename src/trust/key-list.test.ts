import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { checkProperty } from '../../test/support/property.ts';
import { toHex, utf8 } from '../base/bytes.ts';
import { silentLogger } from '../base/logger.ts';
import { SigningKey } from '../identity/key.ts';
import { KeyList, keyListBytesMax, parseKeys, trustedKeysMax } from './key-list.ts';

const { random } = manualWorld();
const newKey = (): string => toHex(new SigningKey('author', random.bytes(32)).publicKey);
const [a, b, c] = [newKey(), newKey(), newKey()];

function parsed(text: string): { keys: string[]; bad: number[] } {
  const { keys, bad } = parseKeys(utf8(text));
  return { keys: keys.map(toHex), bad: bad.map(({ line }) => line) };
}

test('one key a line, in order, none twice', () => {
  const text = `# mine\n\n${b}\n  ${a.toUpperCase()}  # a friend\r\n${b}\n\t${c}`;
  assert.deepEqual(parsed(text), { keys: [b, a, c], bad: [] });
  assert.deepEqual(parsed(''), { keys: [], bad: [] });
  assert.deepEqual(parsed(`\ufeff${a}\n`), { keys: [a], bad: [] });
});

test('a bad line is named and left aside, the others count', () => {
  const text = `${a}\nnonsense\n${b.slice(1)}\n${b} ${c}\n${'0'.repeat(64)}\n${a}\0\n${c}`;
  assert.deepEqual(parsed(text), { keys: [a, c], bad: [2, 3, 4, 5, 6] });
  const { bad } = parseKeys(utf8(`${'0'.repeat(64)}\nü`));
  assert.deepEqual(
    bad.map(({ why }) => why),
    [
      'that is no public key, though a key ID looks like this',
      'it is not the 64 hex digits of a public key',
    ],
  );
});

test(`at most ${trustedKeysMax} keys`, () => {
  const keys = Array.from({ length: trustedKeysMax + 2 }, newKey);
  const found = parsed([...keys, keys[0]].join('\n'));
  assert.deepEqual(found.keys, keys.slice(0, trustedKeysMax));
  assert.deepEqual(found.bad, [trustedKeysMax + 1, trustedKeysMax + 2]);
});

test('any octets are a list', () => {
  const line = fc.oneof(fc.constantFrom(a, b, '#', '\r\n', '\n', ' '), fc.string());
  checkProperty(
    fc.property(fc.array(line), fc.uint8Array(), (lines, octets) => {
      const found = parseKeys(Buffer.concat([utf8(lines.join('')), octets]));
      assert.ok(found.keys.length <= 2);
    }),
  );
});

test('a list that comes to be empty is said so in the log, one that is empty is not', async (t) => {
  const file = path.join(temporaryFolder(t), 'keys.txt');
  const said: unknown[] = [];
  const info = (_: string, fields?: object): void => void said.push(fields);
  const list = new KeyList(file, { ...silentLogger, info });
  await list.start();
  assert.deepEqual(said, []);
  writeFileSync(file, `${a}\n`);
  await list.look();
  rmSync(file);
  await list.look();
  const about = { file: 'keys.txt', bad: 0 };
  assert.deepEqual(said, [
    { ...about, keys: 1 },
    { ...about, keys: 0 },
  ]);
});

test('a list follows its file, and tells of it once for each change', async (t) => {
  const file = path.join(temporaryFolder(t), 'keys.txt');
  const warnings: string[] = [];
  const log = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
  const list = new KeyList(file, log);
  let told = 0;
  list.onChange(() => told++);
  await list.start();
  assert.deepEqual(list.list(), []);
  writeFileSync(file, `${a}\n${b}\n`);
  await list.look();
  await list.look();
  assert.deepEqual([list.list().map(toHex), told], [[a, b], 1]);
  assert.equal(list.has(Buffer.from(b, 'hex')), true);
  assert.equal(list.has(Buffer.from(c, 'hex')), false);
  writeFileSync(file, `# the same\n${a}\n${b}\nbad\n`);
  await list.look();
  assert.equal(told, 1, 'the same keys');
  assert.deepEqual(
    list.bad().map(({ line }) => line),
    [4],
  );
  writeFileSync(file, `${b}\n${a}\n`);
  await list.look();
  assert.deepEqual([list.list().map(toHex), told], [[b, a], 2], 'the order matters');
  warnings.length = 0;
  rmSync(file);
  mkdirSync(file);
  await list.look();
  await list.look();
  assert.deepEqual([list.list().map(toHex), told, warnings.length], [[b, a], 2, 1]);
  rmSync(file, { recursive: true });
  await list.look();
  assert.deepEqual([list.list(), told], [[], 3], 'no file, no keys');
  await list.stop();
  await list.stop();
});

test('an unreadable file refuses the start', async (t) => {
  const file = path.join(temporaryFolder(t), 'keys.txt');
  writeFileSync(file, '#'.repeat(keyListBytesMax + 1));
  const list = new KeyList(file, silentLogger);
  await assert.rejects(list.start(), { code: 'LIST_UNREADABLE', message: /more than 66 kB/ });
  await list.stop();
});
