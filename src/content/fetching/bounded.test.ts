/** What a fetch keeps of its plan does not grow with what is fetched. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import {
  type ContentNode,
  RecordBoard,
  startContentNode,
} from '../../../test/support/content-net.ts';
import { utf8 } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { Link } from '../dag/root.ts';
import type { Want } from '../dag/walk.ts';
import { othersMax } from '../exchange/frames.ts';
import { wantsOutstandingMax } from '../exchange/sync-client.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';
import { Fetcher } from './fetch.ts';
import { BadPeers, type ProviderContact } from './providers.ts';

/** As in transfer.ts: wants that nobody was asked yet. */
const queueMax = 1024;

function fetcherOf({ key, host, blocks }: ContentNode): Fetcher {
  const { clock, timers } = systemWorld;
  const [bad, slow] = [new BadPeers(clock, 60_000), new BadPeers(clock, 60_000)];
  const rest = { clock, timers, bad, slow, slots: new StreamSlots(8), self: key.publicKey };
  return new Fetcher(
    { search: new RecordBoard(), connections: host, ...rest },
    { blocks, options: {}, world: systemWorld, logger: silentLogger },
  );
}

/** The most wants that were looked up and whose blocks had not come yet. */
async function mostAhead(t: TestContext, leaves: number): Promise<number> {
  const board = new RecordBoard();
  const [provider, reader] = [await startContentNode(t, board), await startContentNode(t, board)];
  const links = Array.from({ length: leaves }, (_, n): Link => {
    return { codec: 'raw', hash: provider.blocks.add(utf8(`leaf ${n}`)) };
  });
  const root: Link = { codec: 'raw', hash: provider.blocks.add(utf8('root')) };
  const fetcher = fetcherOf(reader);
  const here = fetcher.blocks(root);
  const known: ProviderContact = {
    publicKey: provider.key.publicKey,
    addresses: provider.host.addresses(),
  };
  let [found, came, most] = [0, -1, 0]; // `onArrival` is called once at the beginning
  const { blocks } = await fetcher.fetch({
    root,
    async *missing(): AsyncGenerator<Want, void, undefined> {
      for (const [n, link] of links.entries()) {
        if (here.has(link.hash)) continue;
        found = Math.max(found, n + 1);
        most = Math.max(most, found - came);
        yield { link, level: 0, path: [], scope: 'all', bytesSaid: 10 };
      }
    },
    into: () => reader.holdings.open({ kind: 'visited', root }),
    known,
    onArrival: () => void came++,
  });
  assert.equal(blocks, leaves);
  return most;
}

test('a fetch looks ahead as far for 6,000 files as for 2,000', async (t) => {
  const bound = queueMax + wantsOutstandingMax + othersMax + 1; // the one in hand
  for (const leaves of [2000, 6000]) {
    const most = await mostAhead(t, leaves);
    assert.ok(most <= bound, `${most} of ${leaves} were kept`);
  }
});
