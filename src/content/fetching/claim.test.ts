/** What a fetch says of its size: early, as there may be no room for it, and never too much. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { RecordBoard, startContentNode } from '../../../test/support/content-net.ts';
import { utf8 } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { silentLogger } from '../../base/logger.ts';
import type { Link } from '../dag/root.ts';
import type { Want } from '../dag/walk.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';
import { Fetcher } from './fetch.ts';
import type { Claim } from './fetch-job.ts';
import { BadPeers } from './providers.ts';

/** As in transfer.ts: wants that nobody was asked yet. */
const queueMax = 1024;
/** More than any leaf has. */
const bytesSaid = 10;

interface ClaimedAt extends Claim {
  /** Blocks that had come by then. */
  readonly came: number;
}

async function claimsOf(t: TestContext, leaves: number): Promise<ClaimedAt[]> {
  const board = new RecordBoard();
  const [provider, reader] = [await startContentNode(t, board), await startContentNode(t, board)];
  const links = Array.from({ length: leaves }, (_, n): Link => {
    return { codec: 'raw', hash: provider.blocks.add(utf8(`leaf ${n}`)) };
  });
  const root: Link = { codec: 'raw', hash: provider.blocks.add(utf8('root')) };
  const { clock, timers } = systemWorld;
  const [bad, slow] = [new BadPeers(clock, 60_000), new BadPeers(clock, 60_000)];
  const rest = { clock, timers, bad, slow, slots: new StreamSlots(8), self: reader.key.publicKey };
  const fetcher = new Fetcher(
    { search: board, connections: reader.host, ...rest },
    { blocks: reader.blocks, options: {}, world: systemWorld, logger: silentLogger },
  );
  const here = fetcher.blocks(root);
  const claims: ClaimedAt[] = [];
  let came = -1; // `onArrival` is called once at the beginning
  await fetcher.fetch({
    root,
    async *missing(): AsyncGenerator<Want, void, undefined> {
      for (const link of links) {
        if (!here.has(link.hash)) yield { link, level: 0, path: [], scope: 'all', bytesSaid };
      }
    },
    into: () => reader.holdings.open({ kind: 'visited', root }),
    known: { publicKey: provider.key.publicKey, addresses: provider.host.addresses() },
    onArrival: () => void came++,
    // oxlint-disable-next-line typescript/require-await -- the fetch waits for it
    onClaim: async (claim) => void claims.push({ ...claim, came }),
  });
  return claims;
}

test('what a fetch will bring is told before much of it came, and never as more', async (t) => {
  const leaves = 4 * queueMax;
  const claims = await claimsOf(t, leaves);
  const total = leaves * bytesSaid;
  const [first] = claims;
  assert.ok(first && first.bytesTotal > 0.9 * total, `${first?.bytesTotal} of ${total}`);
  assert.ok(first.came <= queueMax, `${first.came} blocks had come before`);
  for (const { bytesTotal, bytesLeft } of claims) {
    assert.ok(bytesTotal <= total, `${bytesTotal} of ${total}`);
    assert.ok(bytesLeft <= bytesTotal);
  }
});
