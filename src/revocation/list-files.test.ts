import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RecordBoard, startContentNode } from '../../test/support/content-net.ts';
import { revocationBytes } from '../record/revocations.ts';
import { fileRoot, listFiles } from './list-files.ts';

const octets = (entries: number, fill: number): Uint8Array =>
  Uint8Array.from({ length: entries * revocationBytes }, (_, i) => (i * fill) % 251);

for (const entries of [21, 7943, 30_000]) {
  test(`a list of ${entries} entries is a file that others can have`, async (t) => {
    const board = new RecordBoard();
    const one = await startContentNode(t, board);
    const two = await startContentNode(t, board);
    const list = octets(entries, 7);
    const root = await listFiles(one.sites).publish(list, {});
    assert.ok(root.equals(await fileRoot(list)));
    const { signal } = new AbortController();
    const files = listFiles(two.sites);
    assert.deepEqual(await files.read(root, { bytes: list.length, signal }), list);
    const other = files.read(root, { bytes: list.length + revocationBytes, signal });
    await assert.rejects(other, { code: 'CONTENT_BAD' });
  });
}

test('what is another size than its revoker says is not fetched beyond its top', async (t) => {
  const board = new RecordBoard();
  const one = await startContentNode(t, board);
  const two = await startContentNode(t, board);
  const list = octets(100_000, 5); // 13 blocks
  const root = await listFiles(one.sites).publish(list, {});
  const { signal } = new AbortController();
  const read = listFiles(two.sites).read(root, { bytes: 21 * revocationBytes, signal });
  await assert.rejects(read, { code: 'CONTENT_BAD' });
  assert.ok(two.blocks.size < 6, `${two.blocks.size} blocks`);
});

test('a newer list takes the place of the one before', async (t) => {
  const board = new RecordBoard();
  const { sites, holdings } = await startContentNode(t, board);
  const files = listFiles(sites);
  const before = await files.publish(octets(30, 3), {});
  const after = await files.publish(octets(31, 3), { replaces: before });
  const superseded = [...holdings.list()].filter(({ supersededMs }) => supersededMs !== undefined);
  assert.equal([...holdings.list()].length, 2);
  assert.deepEqual(
    superseded.map(({ hash }) => hash),
    [before.multihash.digest],
  );
  assert.equal(holdings.get(after.multihash.digest)?.kind, 'own');
});
