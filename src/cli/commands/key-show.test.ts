import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { runCli } from '../../../test/support/cli.ts';
import { toHex } from '../../base/bytes.ts';
import { keyId } from '../../identity/key.ts';
import { parseAuthor } from '../../node/words.ts';

test('key show: the key name leads to the public key and its ID', async (t) => {
  const cwd = temporaryFolder(t);
  const words = ['key', 'show', '--data', path.join(cwd, 'data')];
  const json = await runCli([...words, '--json'], { cwd });
  const { keyName, authorPublicKey, author } = JSON.parse(json.stdout) as Record<string, string>;
  const publicKey = parseAuthor(keyName ?? '');
  assert.deepEqual([toHex(publicKey), toHex(keyId(publicKey))], [authorPublicKey, author]);
  const text = await runCli(words, { cwd });
  assert.match(text.stdout, new RegExp(`^author key name +${keyName}$`, 'm'));
});
