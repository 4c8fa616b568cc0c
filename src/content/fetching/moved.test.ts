/** A fetch whose way to the only provider gets better while it runs. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { RecordBoard, startContentNode } from '../../../test/support/content-net.ts';
import { syncProtocol } from '../exchange/frames.ts';
import { SyncServer } from '../exchange/sync-server.ts';

test('what is left is asked on the better way, and nothing comes twice', async (t) => {
  const board = new RecordBoard();
  const provider = await startContentNode(t, board);
  const bytes = randomBytes(32 * 1024 * 1024);
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'large.bin'), bytes);
  const { root } = await provider.sites.publish(folder);

  /** Of each stream, in the order in which they were opened. */
  const sent: number[] = [];
  const honest = new SyncServer(provider.blocks);
  await provider.host.handle(syncProtocol, (stream) => {
    const number = sent.push(0) - 1;
    const { writePiece: _, ...others } = stream;
    return honest.serve({
      ...others,
      write: async (piece) => {
        sent[number] = (sent[number] ?? 0) + piece.length;
        await stream.write(piece);
      },
    });
  });

  const reader = await startContentNode(t, board);
  const open = reader.host.open.bind(reader.host);
  let opened = 0;
  reader.host.open = async (target, protocol, options) => {
    const stream = await open(target, protocol, options);
    const isFirst = protocol === syncProtocol && opened++ === 0;
    return { ...stream, isOutdated: () => isFirst && (sent[0] ?? 0) > 1024 * 1024 };
  };
  const progress = await reader.sites.ensure(root);
  assert.ok(progress);
  const [first = 0, second = 0] = sent;
  assert.ok(first > 0 && second > 0, 'both ways were used');
  const all = sent.reduce((sum, one) => sum + one, 0);
  assert.ok(all < bytes.length * 1.05, 'nothing comes twice');
});
