/** What the first answer will not bring is asked for while it comes. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import { RecordBoard, startContentNode } from '../../../test/support/content-net.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { buildFolder } from '../dag/build.ts';
import { requireLink } from '../dag/root.ts';
import { Asked } from '../exchange/asked.ts';
import { encodeFrame, FrameReader, frameTypes, syncProtocol } from '../exchange/frames.ts';
import { SyncServer } from '../exchange/sync-server.ts';

const files = 20;
/** If nobody else is asked. */
const hangs = { timeout: 30_000 };

test(
  'once the root has come another peer is asked, though the answer goes on',
  hangs,
  async (t) => {
    const board = new RecordBoard();
    const world = manualWorld(); // in which nobody is ever late
    const reader = await startContentNode(t, board, { world });
    const providers = [await startContentNode(t, board), await startContentNode(t, board)];
    const folder = temporaryFolder(t);
    for (let i = 0; i < files; i++)
      await writeFile(path.join(folder, `${i}`), randomBytes(200_000));
    const published = await Promise.all(providers.map(({ sites }) => sites.publish(folder)));
    const [{ root }] = [published[0] ?? assert.fail()];
    const otherIsAsked = Promise.withResolvers<void>();
    let streams = 0;
    for (const { host, blocks } of providers) {
      const honest = new SyncServer(blocks);
      await host.handle(syncProtocol, async (stream) => {
        const number = streams++;
        if (number > 1) return honest.serve(stream);
        const frames = new FrameReader(stream.read);
        for (let i = 0; i < 2; i++) await frames.next(); // the root and a want
        const top = blocks.get(requireLink(root).hash) ?? assert.fail();
        if (number > 0) otherIsAsked.resolve();
        else await stream.write(encodeFrame(frameTypes.block, top));
        await otherIsAsked.promise;
        stream.abort(new Error('that was all'));
      });
    }
    assert.equal((await reader.sites.ensure(root)).files, files);
  },
);

test('that an answer is cut short is told once, where the sizes of leaves say so', async () => {
  const leaf = { codec: 'raw', hash: new Uint8Array(32), total: 100, depth: 1 } as const;
  const entries = ['a', 'b', 'c'].map((name) => ({ ...leaf, name }));
  let bytes: Uint8Array = new Uint8Array();
  const link = await buildFolder(entries, (block) => void (bytes = block.bytes));
  const cases = [
    { scope: 'all', limitBytes: bytes.length + 150, told: [true, false] },
    { scope: 'all', limitBytes: bytes.length + 1000, told: [false, false] },
    { scope: 'nodes', limitBytes: bytes.length + 150, told: [false, false] },
  ] as const;
  for (const { scope, limitBytes, told } of cases) {
    const want = { link, level: 0, path: [], scope, limitBytes };
    const ticket = new Asked().add(want, { nowMs: 0, owner: cases });
    ticket.walk.next();
    ticket.walk.accept(bytes);
    assert.deepEqual([ticket.seeCut(), ticket.seeCut()], told);
  }
});
