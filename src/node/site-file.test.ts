import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { type ErrorCode, isAltNetError } from '../base/errors.ts';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { MemorySites } from '../../test/support/memory-sites.ts';
import { writeSiteFile } from './site-file.ts';

const sites = new MemorySites();
const root = sites.add({ 'index.html': 'start', 'a/index.html': 'below', 'a/b.txt': 'file' });

for (const [inside, content] of [
  ['', 'start'],
  ['a', 'below'],
  ['a/', 'below'],
  ['a/b.txt', 'file'],
] as const) {
  test(`"${inside}" of a site is written to disk`, async (t) => {
    const dest = path.join(temporaryFolder(t), 'file');
    const bytes = await writeSiteFile(sites, { root, path: inside, dest, bytesMax: 5 });
    assert.deepEqual([bytes, readFileSync(dest, 'utf8')], [content.length, content]);
  });
}

test('what cannot be written leaves nothing behind, and harms no file that was there', async (t) => {
  const folder = temporaryFolder(t);
  const dest = path.join(folder, 'file');
  const refused = async (inside: string, bytesMax: number, code: ErrorCode): Promise<void> => {
    const written = writeSiteFile(sites, { root, path: inside, dest, bytesMax });
    await assert.rejects(written, (error) => isAltNetError(error, code));
  };
  await refused('none', 5, 'CONTENT_NO_PATH');
  await refused('', 4, 'CONTENT_UNAVAILABLE');
  assert.deepEqual(readdirSync(folder), []);
  writeFileSync(dest, 'mine');
  await refused('', 5, 'PATH_UNSUPPORTED');
  assert.equal(readFileSync(dest, 'utf8'), 'mine');
});
