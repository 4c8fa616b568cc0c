import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileCid, MemorySites } from '../../test/support/memory-sites.ts';
import { parseUtf8, utf8 } from '../base/bytes.ts';
import { isAltNetError } from '../base/errors.ts';
import { zoneFileReader } from './zone-file-reader.ts';

function isBad(error: unknown): boolean {
  return isAltNetError(error, 'CONTENT_BAD');
}

test('a zone file is read whole, if it is a file and not too long', async () => {
  const sites = new MemorySites();
  sites.pieceBytes = 3;
  const text = '{"blog":"…"}';
  const root = sites.add({ '': text });
  const folder = sites.add({ 'names.json': text });
  const read = zoneFileReader(sites);
  const bytesMax = utf8(text).length;
  assert.equal(parseUtf8(await read(root, { bytesMax })), text);
  await assert.rejects(read(root, { bytesMax: bytesMax - 1 }), isBad);
  await assert.rejects(read(folder, { bytesMax }), isBad);
  const missing = fileCid(utf8('nobody has it'));
  await assert.rejects(read(missing, { bytesMax }), (error) =>
    isAltNetError(error, 'NO_PROVIDERS'),
  );
  await assert.rejects(read(root, { bytesMax, signal: AbortSignal.abort() }));
});
