/** What the check `unit` says of tests that fail, and of errors that belong to none. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { temporaryFolder } from '../support/cleanup.ts';

const unitTests = path.resolve(import.meta.dirname, '../../tools/unit.ts');

/** Runs one test file with this body. */
async function check(t: TestContext, body: string): Promise<{ code: number; output: string }> {
  const cwd = temporaryFolder(t);
  writeFileSync(
    path.join(cwd, 'one.test.mjs'),
    `import { describe, test } from 'node:test';${body}`,
  );
  const { promise, resolve } = Promise.withResolvers<{ code: number; output: string }>();
  execFile(process.execPath, [unitTests, '*.test.mjs'], { cwd }, (error, stdout, stderr) => {
    resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr });
  });
  return promise;
}

test('tests that pass, in groups as well, are counted', async (t) => {
  const grouped =
    "test('one', () => undefined); describe('two', () => test('inner', () => undefined));";
  const { code, output } = await check(t, grouped);
  assert.equal(code, 0, output);
  assert.match(output, /▶ two\n {2}✔ inner/);
  assert.match(output, /^ℹ pass 2$/m);
});

test('a test that fails after a while is named, and the check fails', async (t) => {
  const failing = "test('one', async () => { await null; throw new Error('wrong'); });";
  const { code, output } = await check(t, failing);
  assert.equal(code, 1);
  assert.match(output, /✖ failing tests:[^]*✖ one [^]*wrong/);
});

test('an error that nobody caught fails the check, and is shown', async (t) => {
  const late = 'await null; void Promise.reject(new Error("floating"));';
  const body = `test('one', async () => { ${late} await new Promise(setImmediate); });`;
  const { code, output } = await check(t, body);
  assert.equal(code, 1);
  assert.match(output, /Error: floating\n {4}at .*one\.test\.mjs/);
});
