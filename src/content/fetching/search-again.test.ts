/** What becomes of a fetch whose first search found nobody. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { temporaryFolder } from '../../../test/support/cleanup.ts';
import {
  type ContentNode,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';
import type { ProviderSearch } from '../ports.ts';
import { ProviderDialer } from './dialer.ts';
import { BadPeers } from './providers.ts';
import { SearchAgain } from './search-again.ts';

async function publishSome(t: TestContext, node: ContentNode): Promise<CID> {
  const folder = temporaryFolder(t);
  await writeFile(path.join(folder, 'page'), randomBytes(1000));
  return (await node.sites.publish(folder)).root;
}

/** The first so many searches hear of nobody, and of too few who should know. */
class DeafBoard extends RecordBoard {
  readonly patience: boolean[] = [];
  #deaf: number;

  constructor(deaf: number) {
    super();
    this.#deaf = deaf;
  }

  override async *gather(
    ...[key, how]: Parameters<ProviderSearch['gather']>
  ): ReturnType<ProviderSearch['gather']> {
    this.patience.push(how?.isPatient === true);
    if (this.#deaf-- > 0) return { isConclusive: false };
    return yield* super.gather(key);
  }
}

test('who is not heard of at first is searched for again, with more patience', async (t) => {
  const board = new DeafBoard(1);
  const provider = await startContentNode(t, board);
  const reader = await startContentNode(t, board);
  const root = await publishSome(t, provider);
  assert.equal((await reader.sites.ensure(root)).files, 1);
  assert.deepEqual(board.patience, [false, true]);
});

test('who served something before and lacks this does not end the search', async (t) => {
  const board = new DeafBoard(0);
  const [other, provider, reader] = [
    await startContentNode(t, board),
    await startContentNode(t, board),
    await startContentNode(t, board),
  ];
  await reader.sites.ensure(await publishSome(t, other));
  const gather = board.gather.bind(board);
  let searches = 0;
  t.mock.method(board, 'gather', (key: Uint8Array) =>
    searches++ === 0 ? new DeafBoard(1).gather(key) : gather(key),
  );
  const root = await publishSome(t, provider);
  assert.equal((await reader.sites.ensure(root)).files, 1);
  assert.equal(searches, 2);
});

test('a search that was conclusive ends at once, any other after some seconds', async () => {
  for (const [isConclusive, searchesDue, endMs] of [
    [true, 1, 0],
    [false, 5, 7500],
  ] as const) {
    const world = manualWorld();
    let searches = 0;
    const dialer = new ProviderDialer(
      {
        search: {
          async *gather() {
            searches++;
            yield* [];
            return { isConclusive };
          },
        },
        connections: {
          addresses: () => [],
          remoteAddress: () => undefined,
          provenAddresses: () => [],
          handle: () => Promise.resolve(),
          open: () => assert.fail('there is nobody to connect to'),
        },
        ...world,
        bad: new BadPeers(world.clock, 1),
        slow: new BadPeers(world.clock, 1),
        slots: new StreamSlots(1),
        self: new Uint8Array(32),
      },
      {
        link: { codec: 'raw', hash: new Uint8Array(32) },
        known: [],
        signal: new AbortController().signal,
        onFailure: assert.ifError,
      },
    );
    dialer.start();
    let isOver = false;
    void dialer.next().then((provider) => (isOver = provider === undefined));
    await world.advanceAsync(endMs - 1);
    assert.equal(isOver, endMs === 0);
    await world.advanceAsync(251);
    assert.deepEqual([isOver, searches], [true, searchesDue]);
    assert.equal(world.pendingTimers(), 0);
    dialer.stop();
  }
});

test('while somebody is dialled it is searched ever less often, and without end', () => {
  const world = manualWorld();
  const again = new SearchAgain(world.clock);
  const how = { isDialling: true, isConclusive: true };
  const waitsMs = Array.from({ length: 5 }, () => {
    const waitMs = again.dueMs(how) - world.clock.monotonicMs();
    world.advance(waitMs);
    again.searched();
    return waitMs;
  });
  assert.deepEqual(waitsMs, [2000, 4000, 8000, 16_000, 16_000]);
  assert.equal(again.dueMs({ ...how, isDialling: false }), Infinity);
});
