/** Sites that are read while the store needs their room, or has lost blocks of them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { CID } from 'multiformats/cid';
import { atEnd, temporaryFolder } from '../../../test/support/cleanup.ts';
import { collect } from '../../../test/support/collect.ts';
import {
  type ContentNode,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { testStore } from '../../../test/support/store-folder.ts';
import { block, hold } from '../../../test/support/store-holdings.ts';
import { concatBytes } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import { BadPeers } from '../fetching/providers.ts';
import { Fetcher } from '../fetching/fetch.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';
import { cidOf } from '../dag/root.ts';
import { importPath } from '../import/import.ts';
import { SiteFiles } from './site-reader.ts';

const fileBytes = 2_000_000;

async function publish(t: TestContext, { sites }: ContentNode, bytes: Buffer): Promise<CID> {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'large.bin'), bytes);
  return (await sites.publish(folder)).root;
}

test('a root that goes while a file of it is read ends nothing but the fetching of the rest', async (t) => {
  const board = new RecordBoard();
  const [a, b] = [await startContentNode(t, board), await startContentNode(t, board)];
  const bytes = randomBytes(fileBytes);
  const root = await publish(t, a, bytes);
  b.holdings.bytesMax = fileBytes; // too little to bring the site here in the background
  const file = await b.sites.open(root, 'large.bin');
  assert.ok(file.type === 'file');
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  atEnd(t, () => process.off('unhandledRejection', note));
  const pieces: Uint8Array[] = [];
  for await (const piece of file.read()) {
    pieces.push(piece);
    b.blocks.delete(root.multihash.digest);
  }
  assert.ok(bytes.equals(concatBytes(...pieces)));
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  await b.sites.stop();
  assert.deepEqual(unhandled, []);
});

test('what is being read stays, and what was read last goes last', async (t) => {
  let nowMs = 1_000_000;
  const clock = { unixMs: () => nowMs, monotonicMs: () => nowMs };
  const { store } = await testStore(t, {
    budgetBytes: 6_000_000,
    world: { ...systemWorld, clock },
  });
  const { holdings, blocks } = store;
  const folder = temporaryFolder(t);
  const bytes = randomBytes(fileBytes);
  await writeFile(path.join(folder, 'large.bin'), bytes);
  const importing = await holdings.open({ kind: 'visited' });
  const { root, files, bytes: all } = await importPath(importing, folder, {});
  await importing.complete({ link: root, files, bytes: all });
  await importing.close();
  const sources = {
    search: new RecordBoard(),
    connections: {
      addresses: () => [],
      remoteAddress: () => undefined,
      provenAddresses: () => [],
      handle: () => Promise.resolve(),
      open: () => Promise.reject(new Error('nobody is there')),
    },
    bad: new BadPeers(clock, 1),
    slow: new BadPeers(clock, 1),
    slots: new StreamSlots(1),
    clock,
    timers: systemWorld.timers,
    self: new Uint8Array(32),
  };
  const parts = { blocks, options: {}, world: systemWorld, logger: silentLogger };
  const reader = new SiteFiles(holdings, new Fetcher(sources, parts));
  nowMs += 1000;
  await hold(store, 'younger', [block('younger', 1_000_000)]);
  nowMs += 1000;
  const file = await reader.open(cidOf(root), 'large.bin', { onServed: () => undefined });
  assert.ok(file.type === 'file');

  // It was read last, so the younger one goes before it.
  await hold(store, 'third', [block('third', 2_000_000), block('fourth', 1_500_000)]);
  assert.ok(holdings.get(root.hash), 'what was read last');

  // While it is read it does not go at all: there is no room for so much besides it.
  const reading = file.read()[Symbol.asyncIterator]();
  const first = await reading.next();
  assert.ok(first.done !== true);
  nowMs += 3_600_000;
  await assert.rejects(
    hold(store, 'large', [block('a', 2_000_000), block('b', 1_900_000), block('c', 1_800_000)]),
    {
      code: 'STORE_FULL',
    },
  );
  const rest = await collect({ [Symbol.asyncIterator]: () => reading });
  assert.ok(bytes.equals(concatBytes(first.value, ...rest)));
  await hold(store, 'large', [block('a', 2_000_000), block('b', 1_900_000), block('c', 1_800_000)]);
  assert.equal(holdings.get(root.hash), undefined, 'read to its end');
});
