import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { tinyContact } from '../../../test/support/tiny-contact.ts';
import type { Contact } from '../../identity/contact.ts';
import { isTooFar } from '../lookup/closeness.ts';
import { compareDistance } from '../distance.ts';
import { NetworkSize } from '../lookup/network-size.ts';
import { RoundTrips } from './rtt.ts';

test('the size of a network follows from how dense lookups find it', () => {
  const { random } = manualWorld();
  const nodes = Array.from({ length: 2000 }, (): Contact => ({
    ...tinyContact(1),
    id: random.bytes(8),
  }));
  const size = new NetworkSize(20);
  assert.equal(size.estimate(), undefined);
  for (let i = 0; i < 50; i++) {
    const target = random.bytes(8);
    const sorted = nodes.toSorted((a, b) => compareDistance(target, a.id, b.id));
    size.add(target, sorted.slice(0, 20));
  }
  const estimate = size.estimate() ?? 0;
  assert.ok(estimate > 1500 && estimate < 2600, `${estimate}`);
});

test('a network with fewer nodes than k is counted', () => {
  const size = new NetworkSize(20);
  size.add(Uint8Array.of(0), [1, 2, 3].map(tinyContact));
  assert.equal(size.estimate(), 4);
});

test('a key is too far only when both the estimate and the table say so', () => {
  const self = Uint8Array.of(0xff);
  const contacts = Array.from({ length: 60 }, (_, i) => tinyContact(i));
  const far = (networkSize: number, known: readonly Contact[]): boolean =>
    isTooFar(Uint8Array.of(0), { self, contacts: () => known, networkSize, k: 20 });
  assert.equal(far(1000, contacts), true);
  assert.equal(far(1000, contacts.slice(1)), false, '59 nearer ones are no proof');
  assert.equal(far(40, contacts), false, 'in a small network everybody is near');
});

test('slow is what takes longer than nine of ten answers, within bounds', () => {
  const trips = new RoundTrips();
  assert.equal(trips.slowMs(), 750);
  for (let ms = 100; ms < 200; ms++) trips.add(ms);
  assert.ok(trips.slowMs() >= 185 && trips.slowMs() <= 199, 'the last 64 count');
  for (let i = 0; i < 64; i++) trips.add(2);
  assert.equal(trips.slowMs(), 50);
});
