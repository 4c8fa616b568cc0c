import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { NewFiles } from './new-files.ts';

const bytes = Buffer.from('what is in the file');
const large = randomBytes(1_000_000);

/** Makes small files in a folder; each takes `takesMs`, as its clock has it. */
function slowedFiles(folder: string): {
  readonly make: (name: string, takesMs: number) => Promise<void> | undefined;
  readonly pass: (ms: number) => void;
} {
  let nowMs = 0;
  let stepMs = 0;
  const files = new NewFiles({ flags: 'wx', mode: 0o600, nowMs: () => (nowMs += stepMs) });
  return {
    make: (name, takesMs) => {
      stepMs = takesMs;
      const made = files.make({ name: path.join(folder, name), parts: [bytes] });
      stepMs = 0;
      return made;
    },
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

test('a small file is there at once, a large one later', async (t) => {
  const folder = temporaryFolder(t);
  const files = new NewFiles({ flags: 'wx', mode: 0o600, nowMs: () => 0 });
  const [small, big] = [path.join(folder, 'small'), path.join(folder, 'big')];
  assert.equal(files.make({ name: small, parts: [bytes] }), undefined);
  assert.deepEqual(readFileSync(small), bytes);
  const made = files.make({ name: big, parts: [large] });
  assert.ok(made);
  await made;
  assert.ok(large.equals(readFileSync(big)));
  if (process.platform !== 'win32') assert.equal(statSync(big).mode & 0o777, 0o600);
});

test('a file of several parts has them one after the other, also very many', async (t) => {
  const name = path.join(temporaryFolder(t), 'parts');
  const anew = new NewFiles({ flags: 'w', mode: 0o600, nowMs: () => 0 });
  const none = Buffer.alloc(0);
  const some = Array.from({ length: 3000 }, (_, i) => large.subarray(7 * i, 7 * i + 7));
  for (const parts of [[], [none], [none, bytes, none, bytes], [large, none, bytes], some]) {
    await anew.make({ name, parts });
    assert.ok(Buffer.concat(parts).equals(readFileSync(name)), `${parts.length} parts`);
  }
});

test('others get their turn after some milliseconds', async (t) => {
  const { make } = slowedFiles(temporaryFolder(t));
  for (let i = 0; i < 20; i++) assert.equal(make(`quick-${i}`, 0.125), undefined);
  let turns = 0;
  setImmediate(() => turns++);
  for (let i = 20; i < 24; i++) await make(`quick-${i}`, 0.125);
  assert.equal(turns, 1);
  assert.equal(make('and on', 0.125), undefined);
});

test('a disk that was waited for is left to other threads for a while', async (t) => {
  const folder = temporaryFolder(t);
  const { make, pass } = slowedFiles(folder);
  await make('slow', 25);
  for (const name of ['elsewhere', 'another']) {
    const elsewhere = make(name, 0);
    assert.ok(elsewhere);
    await elsewhere;
    assert.deepEqual(readFileSync(path.join(folder, name)), bytes);
    pass(499);
  }
  pass(2);
  assert.equal(make('at once', 0), undefined);
});

test('what is there is refused or made anew, and what cannot be is told', async (t) => {
  const folder = temporaryFolder(t);
  for (const content of [bytes, large]) {
    const name = path.join(folder, `${content.length}`);
    const anew = new NewFiles({ flags: 'w', mode: 0o600 });
    const fresh = new NewFiles({ flags: 'wx', mode: 0o600 });
    await fresh.make({ name, parts: [content] });
    await assert.rejects(async () => fresh.make({ name, parts: [content] }), { code: 'EEXIST' });
    await anew.make({ name, parts: [content.subarray(1)] });
    assert.ok(content.subarray(1).equals(readFileSync(name)));
    const below = path.join(name, 'below');
    await assert.rejects(async () => anew.make({ name: below, parts: [content] }), {
      code: 'ENOTDIR',
    });
  }
});
