import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  authorKey,
  nodeKey,
  sampleLink,
  sampleLinkTombstone,
  sampleName,
  sampleProvider,
} from '../../../test/support/dht-samples.ts';
import { storageBench, type StorageBench } from '../../../test/support/storage-bench.ts';
import { type Bytes, compareBytes, concatBytes, toHex } from '../../base/bytes.ts';
import { type Contact, contactOf } from '../../identity/contact.ts';
import { compareDistance, distanceShare } from '../distance.ts';
import { handOffPage, type HandOffDeps } from './hand-off.ts';
import type { SyncEntry, SyncReply } from '../ports.ts';
import { type SigmaSize, sigmaSize } from '../lookup/sigma.ts';

const asker = nodeKey(1).id;
const start = new Uint8Array(48);

function deps(
  { storage }: StorageBench,
  { size, known = [] }: { size: SigmaSize; known?: readonly Contact[] },
): HandOffDeps {
  const isAmongNearest = (id: Bytes, key: Bytes, count: number): boolean =>
    known.filter((contact) => compareDistance(key, contact.id, id) < 0).length < count;
  return { storage, isAmongNearest, sigmaSize: () => size };
}

function idOf({ key, hash }: SyncEntry): Bytes {
  return concatBytes(key, hash);
}

/** All pages, one after another. */
function pages(held: HandOffDeps, by = asker): readonly SyncReply[] {
  const read: SyncReply[] = [];
  let after: Bytes | undefined = start;
  while (after) {
    const page: SyncReply = handOffPage(by, after, held);
    read.push(page);
    const last = page.entries.at(-1);
    after = page.more && last ? idOf(last) : undefined;
  }
  return read;
}

test('in a small network everybody should hold everything: all is listed, in order, once', async () => {
  const bench = storageBench();
  const records = [
    ...Array.from({ length: 40 }, (_, i) => sampleName(`n${i}`)),
    ...Array.from({ length: 30 }, (_, i) =>
      sampleLink(`https://${i}.example/`, { by: authorKey(i) }),
    ),
    sampleLinkTombstone('https://0.example/', { seq: 2n, by: authorKey(0) }),
    ...Array.from({ length: 10 }, (_, i) => sampleProvider(i)),
  ];
  for (const record of records) await bench.store(record);
  const read = pages(deps(bench, { size: sigmaSize(3, 20) }));
  assert.deepEqual(
    read.map(({ entries, more }) => [entries.length, more]),
    [
      [22, true],
      [22, true],
      [22, true],
      [14, false],
    ],
  );
  const listed = read.flatMap(({ entries }) => entries.map(idOf));
  assert.deepEqual(listed, listed.toSorted(compareBytes));
  const held = [...bench.storage.entries()].map(({ stored: { record } }) =>
    toHex(concatBytes(record.key, record.hash.subarray(0, 16))),
  );
  assert.deepEqual(listed.map(toHex).toSorted(), held.toSorted());
});

test('in a large one only what is near to who asks, or what nobody is nearer to', async () => {
  const bench = storageBench();
  const names = Array.from({ length: 200 }, (_, i) => sampleName(`n${i}`));
  for (const name of names) await bench.store(name);
  const size = sigmaSize(200, 20); // a tenth of the ID space
  const crowd = Array.from({ length: 150 }, (_, i) =>
    contactOf(nodeKey(i + 2).publicKey, { ip: Uint8Array.of(10, 0, 0, i), port: 9000 }),
  );
  const listed = pages(deps(bench, { size, known: crowd })).flatMap(({ entries }) => entries);
  const expected = names.filter(({ key }) => {
    if (distanceShare(asker, key) <= size.radius) return true;
    return crowd.filter(({ id }) => compareDistance(key, id, asker) < 0).length < 20;
  });
  assert.deepEqual(
    listed.map(({ key }) => toHex(key)),
    expected.map(({ key }) => toHex(key)).toSorted(),
  );
  assert.ok(listed.length > 5 && listed.length < 60, `${listed.length}`);
});

test('a start anywhere, also after the end, is answered', async () => {
  const bench = storageBench();
  await bench.store(sampleName('alice'));
  const held = deps(bench, { size: sigmaSize(3, 20) });
  const end = new Uint8Array(48).fill(0xff);
  assert.deepEqual(handOffPage(asker, end, held), { method: 'sync', entries: [], more: false });
  assert.equal(handOffPage(asker, start, held).entries.length, 1);
});

test('many keys that are nothing to the asker do not end its list', () => {
  const last = new Uint8Array(32).fill(0xff);
  const keys = Array.from({ length: 10_000 }, (_, i) => {
    const key = last.slice();
    key[1] = 0xf8; // in the region of who is at its end, and too far from it
    new DataView(key.buffer).setUint32(2, i);
    return key;
  });
  const { hash } = sampleName('alice');
  const looked: number[] = [];
  const held: HandOffDeps = {
    storage: {
      *keys(from) {
        looked.push(0);
        for (const key of [...keys, last]) {
          if (compareBytes(key, from) < 0) continue;
          looked[looked.length - 1] = (looked.at(-1) ?? 0) + 1;
          yield key;
        }
      },
      list: () => [{ record: { hash } }] as unknown as ReturnType<HandOffDeps['storage']['list']>,
    },
    isAmongNearest: () => false,
    sigmaSize: () => sigmaSize(1e6, 20),
  };
  const read = pages(held, last);
  assert.ok(read.every(({ entries }) => entries.length === 1));
  const listed = read.flatMap(({ entries }) => entries);
  const real = listed.filter((entry) => entry.hash.some((octet) => octet !== 0));
  assert.deepEqual(
    real.map(idOf),
    [concatBytes(last, hash.slice(0, 16))],
    'the others mark the way',
  );
  assert.ok(Math.max(...looked) <= 513, 'at most so many are looked at for one page');
});
