/** Storers that name ever new providers, none of which can be reached: the search has an end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeKey, testNetwork } from '../../../test/support/dht-samples.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { sleep } from '../../base/abort.ts';
import { unixSeconds } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { contactOf } from '../../identity/contact.ts';
import { DialPutOff } from '../../peer/dial-budget.ts';
import { encodePeerAddress } from '../../peer/peer-address.ts';
import { makeProviderRecord } from '../../record/provider.ts';
import { type Link, multihashOf } from '../dag/root.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';
import { ProviderDialer } from './dialer.ts';
import { BadPeers, candidatesMax } from './providers.ts';

const link: Link = { codec: 'raw', hash: new Uint8Array(32).fill(7) };
const minuteMs = 60_000;
/** As long as a host tries. */
const dialMs = 10_000;

const never = (): undefined => undefined;

interface Searched {
  readonly searches: number;
  readonly dials: number;
  readonly tookMs: number;
}

/** `eachTime`: fresh providers that each search tells of. */
async function searchInVain(eachTime: number, isPutOff: boolean): Promise<Searched> {
  const world = manualWorld();
  let [searches, dials, named] = [0, 0, 0];
  const dialer = new ProviderDialer(
    {
      search: {
        async *gather() {
          searches++;
          const endpoint = { ip: Uint8Array.of(46, 0, 0, 1), port: 9000 };
          const records = Array.from({ length: eachTime }, () => {
            const n = ++named;
            const at = { ip: Uint8Array.of(45, 0, n >> 8, n & 255), port: 9000 };
            const multiaddrs = [encodePeerAddress({ endpoint: at })];
            const signer = { key: nodeKey(n), network: testNetwork };
            const stamp = { issued: unixSeconds(world.clock), seq: 1n };
            return makeProviderRecord({ multihash: multihashOf(link), multiaddrs }, stamp, signer);
          });
          await sleep(world.timers, 1000);
          yield { from: contactOf(nodeKey(0).publicKey, endpoint), records };
          return { isConclusive: false };
        },
      },
      connections: {
        addresses: () => [],
        remoteAddress: never,
        provenAddresses: () => [],
        handle: () => Promise.resolve(),
        async open() {
          dials++;
          if (!isPutOff) await sleep(world.timers, dialMs);
          const cause = isPutOff ? new DialPutOff(minuteMs) : undefined;
          throw new AltNetError('UNREACHABLE', { what: 'it', why: 'nobody there' }, { cause });
        },
      },
      ...world,
      bad: new BadPeers(world.clock, 1),
      slow: new BadPeers(world.clock, 1),
      slots: new StreamSlots(1),
      self: new Uint8Array(32),
    },
    { link, known: [], signal: new AbortController().signal, onFailure: never },
  );
  dialer.start();
  const end = { isOver: false };
  void dialer.next().then(() => (end.isOver = true));
  while (!end.isOver && world.clock.monotonicMs() < 60 * minuteMs) await world.advanceAsync(1000);
  dialer.stop();
  return { searches, dials, tookMs: world.clock.monotonicMs() };
}

for (const [what, eachTime, isPutOff] of [
  ['some providers, dialled in vain', 20, false],
  ['many providers, dialled in vain', 300, false],
  ['some providers, each put off', 20, true],
] as const) {
  test(`a search ends that tells of ${what}, and of others each time`, async () => {
    const { searches, dials, tookMs } = await searchInVain(eachTime, isPutOff);
    assert.ok(tookMs <= 5 * minuteMs, `${tookMs} ms`);
    assert.ok(searches <= 12, `${searches} searches`);
    // Who was put off has another turn, or two.
    assert.ok(dials <= (isPutOff ? 3 : 1) * candidatesMax, `${dials} dials`);
  });
}
