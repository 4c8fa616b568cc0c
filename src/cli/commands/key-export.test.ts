import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { runCli } from '../../../test/support/cli.ts';

test('key export says that it made the key, so that nobody keeps a copy of the wrong one', async (t) => {
  const cwd = temporaryFolder(t);
  const words = ['key', 'export', '--data', path.join(cwd, 'mistyped')];
  const [first, second] = [await runCli(words, { cwd }), await runCli(words, { cwd })];
  assert.match(first.stderr, /there was no author key at .*author\.key, so a new one was made/);
  assert.doesNotMatch(second.stderr, /new one/);
  assert.equal(first.stdout, second.stdout);
});
