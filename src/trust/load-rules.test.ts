import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { test, type TestContext } from 'node:test';
import * as fc from 'fast-check';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { type Bytes, concatBytes, toHex, utf8 } from '../base/bytes.ts';
import { sha256 } from '../base/hash.ts';
import { listBytesMax, type LoadedRules, loadRules } from './load-rules.ts';

const seed = sha256(Uint8Array.of(3));
const cid = 'bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq';
const hash = Uint8Array.from(
  Buffer.from('f5ad16f7f095ba7f7f822c0c05837a84ce6883792fdad53785d55c0aaa409474', 'hex'),
);

async function load(t: TestContext, content: string | Bytes): Promise<LoadedRules> {
  const file = path.join(temporaryFolder(t), 'blocklist.txt');
  writeFileSync(file, content);
  return (await loadRules(file, { seed })).loaded;
}

test('a missing file is an empty list', async (t) => {
  const file = path.join(temporaryFolder(t), 'none.txt');
  const { loaded, stamp } = await loadRules(file, { seed });
  assert.equal(stamp, undefined);
  assert.deepEqual([loaded.rules.count, loaded.badCount, loaded.foreignCount], [0, 0, 0]);
});

test('bad lines are named by their numbers and left aside, the others count', async (t) => {
  const { rules, bad, badCount, foreignCount } = await load(
    t,
    `# a list\n\nnonsense\n/ipfs/${cid}\n/ipns/domain.example\n/name/\n/name/alice`,
  );
  assert.deepEqual(
    bad.map(({ line }) => line),
    [3, 6],
  );
  assert.match(bad[0]?.why ?? '', /begins with none of/);
  assert.deepEqual([rules.count, badCount, foreignCount], [2, 2, 1]);
  assert.equal(rules.deniesBlock(hash), true);
  assert.equal(rules.deniesName('alice'), true, 'the last line needs no end');
});

test('at most 100 bad lines are kept, all are counted', async (t) => {
  const { bad, badCount, rules } = await load(t, `${'x\n'.repeat(250)}/ipfs/${cid}\n`);
  assert.deepEqual([bad.length, badCount, rules.count], [100, 250, 1]);
  assert.equal(bad.at(-1)?.line, 100);
});

const header = 'version: 1\nname: a list\nhints:\n  a: b\n';

test('a header is left out, and line numbers are those of the file', async (t) => {
  const { rules, bad, badCount } = await load(t, `${header}---\n/ipfs/${cid}\nnonsense\n`);
  assert.deepEqual([rules.count, badCount, bad[0]?.line], [1, 1, 7]);
  const bare = await load(t, `---\n/ipfs/${cid}\n`);
  assert.deepEqual([bare.rules.count, bare.badCount], [1, 0]);
});

test('without "---" there is no header', async (t) => {
  const { rules, badCount } = await load(t, `${header}/ipfs/${cid}\n`);
  assert.deepEqual([rules.count, badCount], [1, 4]);
});

test('two lists one behind the other lose no rule', async (t) => {
  const first = `/ipfs/${cid}\n/name/alice\n`;
  const { rules, badCount } = await load(t, `${first}${header}---\n/name/bob\n`);
  assert.deepEqual([rules.count, badCount], [3, 5]);
  for (const name of ['alice', 'bob']) assert.equal(rules.deniesName(name), true, name);
});

test('a header of more than 1 MiB is none', async (t) => {
  const long = `# ${'x'.repeat(1000)}\n`.repeat(1100);
  const { rules, badCount } = await load(t, `name: x\n${long}---\n/ipfs/${cid}\n`);
  assert.deepEqual([rules.count, badCount], [1, 2]);
});

test('a format of another version is not guessed at', async (t) => {
  const refused = load(t, `version: 2\n---\n/ipfs/${cid}\n`);
  await assert.rejects(refused, { code: 'LIST_UNREADABLE', message: /version 2/ });
});

test('other line ends, a byte order mark, NUL and broken UTF-8', async (t) => {
  const windows = await load(t, `\ufeff/ipfs/${cid}\r\n\r\n# x\r\n/name/alice\r\n`);
  assert.deepEqual([windows.rules.count, windows.badCount], [2, 0]);
  const broken = concatBytes(
    utf8('/name/a\0b\n'),
    Uint8Array.of(0xff, 0xfe, 0x0a, 0xc3, 0x28, 0x0a),
    utf8(`/ipfs/${cid}\n`),
    new Uint8Array(1000),
  );
  const { rules, bad } = await load(t, broken);
  assert.equal(rules.count, 1);
  assert.deepEqual(
    bad.map(({ line, why }) => `${line} ${why}`),
    [
      '1 it holds control characters',
      '2 it is not UTF-8',
      '3 it is not UTF-8',
      '5 it holds control characters',
    ],
  );
});

test('lines that are too long are left aside', async (t) => {
  const longest = `/name/alice ${'x'.repeat(4096 - 12)}`;
  const { rules, bad } = await load(
    t,
    `${longest}\r\n${longest}x\n/name/${'y'.repeat(1_000_000)}\n/name/bob\n`,
  );
  assert.equal(rules.count, 2);
  const why = 'it is longer than 4096 bytes';
  assert.deepEqual(bad, [
    { line: 2, why },
    { line: 3, why },
  ]);
});

test('what cannot be read refuses the start', async (t) => {
  const folder = temporaryFolder(t);
  const refuses = (name: string, why: RegExp): Promise<void> =>
    assert.rejects(loadRules(path.join(folder, name), { seed }), {
      code: 'LIST_UNREADABLE',
      message: why,
    });
  mkdirSync(path.join(folder, 'folder'));
  await refuses('folder', /it is a folder/);
  writeFileSync(path.join(folder, 'large'), '');
  truncateSync(path.join(folder, 'large'), listBytesMax + 1);
  await refuses('large', /more than 268 MB/);
  writeFileSync(path.join(folder, 'below'), '');
  await refuses('below/list', /file in the way/);
  if (process.platform !== 'win32') {
    execFileSync('mkfifo', [path.join(folder, 'pipe')]);
    await refuses('pipe', /it is no file/);
  }
  if (process.getuid?.() === 0) return; // for whom no mode is in the way
  writeFileSync(path.join(folder, 'closed'), '');
  chmodSync(path.join(folder, 'closed'), 0);
  await refuses('closed', /permission denied/);
});

/** A line that is unlike all others. */
const lineOf = (i: number): string => `${toHex(sha256(utf8(String(i))))}\n`;

test('other work has its turns while a long list is read', async (t) => {
  const file = path.join(temporaryFolder(t), 'blocklist.txt');
  writeFileSync(file, Array.from({ length: 30_000 }, (_, i) => lineOf(i)).join(''));
  let turns = 0;
  const other = new AbortController();
  const count = async (): Promise<void> => {
    for (; !other.signal.aborted; turns++) await nextTurn();
  };
  const counting = count();
  const { loaded } = await loadRules(file, { seed });
  other.abort();
  await counting;
  assert.equal(loaded.rules.count, 30_000);
  assert.ok(turns > 29, `${turns} turns while 30 pieces were read`);
});

test('it can be given up', async (t) => {
  const file = path.join(temporaryFolder(t), 'blocklist.txt');
  writeFileSync(file, `/ipfs/${cid}\n`);
  const given = loadRules(file, { seed, signal: AbortSignal.abort(new Error('enough')) });
  await assert.rejects(given, /enough/);
});

test('any octets are a list', async (t) => {
  const file = path.join(temporaryFolder(t), 'blocklist.txt');
  const piece = fc.constantFrom('---\n', '\n', '/ipfs/', cid, '\r', '\0', '!', '*', 'version: 1\n');
  const content = fc.array(fc.oneof(piece, fc.string()), { maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(content, async (parts) => {
      writeFileSync(file, parts.join(''));
      const { loaded } = await loadRules(file, { seed });
      assert.ok(loaded.bad.length <= loaded.badCount);
    }),
    { numRuns: 100 },
  );
});
