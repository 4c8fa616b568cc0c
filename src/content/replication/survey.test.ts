/** Who is asked whether it holds a root, when some storers lie about who provides it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeKey, testNetwork } from '../../../test/support/dht-samples.ts';
import { MemoryBlocks } from '../../../test/support/memory-blocks.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { toHex } from '../../base/bytes.ts';
import { unixSeconds } from '../../base/clock.ts';
import { contactOf } from '../../identity/contact.ts';
import { encodePeerAddress } from '../../peer/peer-address.ts';
import type { SignedRecord } from '../../record/envelope.ts';
import { makeProviderRecord } from '../../record/provider.ts';
import { type Link, multihashOf } from '../dag/root.ts';
import { Survey } from './survey.ts';

const link: Link = { codec: 'raw', hash: new Uint8Array(32).fill(7) };

test('providers that one storer makes up keep nobody from asking the real ones', async () => {
  const world = manualWorld();
  const issued = unixSeconds(world.clock);
  const recordOf = (n: number, seq = 1n): SignedRecord => {
    const endpoint = { ip: Uint8Array.of(45, 0, n >> 8, n & 255), port: 9000 };
    const body = { multihash: multihashOf(link), multiaddrs: [encodePeerAddress({ endpoint })] };
    const signer = { key: nodeKey(n), network: testNetwork };
    return makeProviderRecord(body, { issued, seq }, signer);
  };
  // Each in three versions.
  const madeUp = [1n, 2n, 3n].flatMap((seq) =>
    Array.from({ length: 100 }, (_, i) => recordOf(i + 1, seq)),
  );
  const real = recordOf(200);
  const asked: string[] = [];
  const survey = new Survey({
    blocks: new MemoryBlocks(),
    search: {
      async *gather() {
        for (const [n, records] of [madeUp, [real], [real]].entries()) {
          const endpoint = { ip: Uint8Array.of(46, n, 0, 1), port: 9000 };
          yield { from: contactOf(nodeKey(201 + n).publicKey, endpoint), records };
        }
        return { isConclusive: true };
      },
    },
    connections: {
      addresses: () => [],
      remoteAddress: () => undefined,
      provenAddresses: () => [],
      handle: () => Promise.resolve(),
      open({ publicKey }) {
        asked.push(toHex(publicKey));
        return Promise.reject(new Error('nobody answers'));
      },
    },
    world,
    self: nodeKey(250).publicKey,
  });
  await survey.of([link], new AbortController().signal);
  assert.equal(asked.length, 64);
  assert.equal(asked[0], toHex(real.author));
});
