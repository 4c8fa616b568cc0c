import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test, type TestContext } from 'node:test';
import { atEnd } from '../../test/support/cleanup.ts';
import { type Bytes, toHex } from '../base/bytes.ts';
import { systemWorld } from '../base/clock.ts';
import { SigningKey } from '../identity/key.ts';
import { PeerHost } from '../peer/host.ts';
import { announceProtocol, AnnounceStreams } from './announce-streams.ts';

interface Peer {
  readonly host: PeerHost;
  readonly key: SigningKey;
  readonly streams: AnnounceStreams;
  /** What it heard, and from whom. */
  readonly heard: [Bytes, Bytes][];
  /** Resolves when it has heard so much. */
  hears(count: number): Promise<void>;
}

async function start(t: TestContext): Promise<Peer> {
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  const heard: [Bytes, Bytes][] = [];
  let onHeard: (() => void) | undefined;
  const streams = new AnnounceStreams(host, systemWorld, (record, from) => {
    heard.push([record, from]);
    onHeard?.();
  });
  await streams.start();
  const hears = (count: number): Promise<void> =>
    new Promise((resolve) => {
      onHeard = (): void => {
        if (heard.length >= count) resolve();
      };
      onHeard();
    });
  return { host, key, streams, heard, hears };
}

/** Both are connected when it resolves. */
async function connect(from: Peer, to: Peer): Promise<void> {
  const target = { publicKey: to.key.publicKey, addresses: to.host.addresses() };
  const stream = await from.host.open(target, announceProtocol);
  await stream.close();
}

/** The first octet of each record that came. */
function firsts({ heard }: Peer): string[] {
  return heard.map(([bytes]) => toHex(bytes.subarray(0, 1)));
}

const { signal } = new AbortController();
const record = (fill: number, length = 200): { bytes: Bytes } => ({
  bytes: new Uint8Array(length).fill(fill),
});

test('a record reaches all who are connected, whoever dialled, and nobody else', async (t) => {
  const [one, two, three, far] = [await start(t), await start(t), await start(t), await start(t)];
  await connect(one, two);
  await connect(three, one);
  await one.streams.send(record(1), { except: [], signal });
  await Promise.all([two.hears(1), three.hears(1)]);
  assert.deepEqual(two.heard.at(-1), [record(1).bytes, one.key.id]);
  await one.streams.send(record(2), { except: [two.key.id], signal });
  await three.hears(2);
  assert.deepEqual([two, three, far].map(firsts), [['01'], ['01', '02'], []]);
});

test('what is no record is dropped, and so is too much of it', async (t) => {
  const [one, two] = [await start(t), await start(t)];
  await connect(one, two);
  await one.streams.send(record(1, 1001), { except: [], signal });
  await one.streams.send(record(2, 1000), { except: [], signal });
  await two.hears(1);
  assert.equal(two.heard[0]?.[0][0], 2);
  for (let n = 3; n < 40; n++) await one.streams.send(record(n), { except: [], signal });
  assert.equal(two.heard.length, 20, 'a peer is heard so often a minute');
});
