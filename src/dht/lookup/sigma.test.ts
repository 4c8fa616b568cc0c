import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import { nearestOf, staticContact, staticNodes } from '../../../test/support/static-net.ts';
import { tinyContact, tinyIds } from '../../../test/support/tiny-contact.ts';
import { prefixOf } from '../../base/address.ts';
import type { Contact } from '../../identity/contact.ts';
import { compareDistance, distanceShare } from '../distance.ts';
import { isInSigma, selectSigma, sigmaSize } from './sigma.ts';

const key = Uint8Array.of(0);

function selected(ids: readonly number[], size: Parameters<typeof selectSigma>[2]): unknown[] {
  return tinyIds(selectSigma(key, ids.map(tinyContact), size));
}

test('by density: all within the radius, at least so many, at most so many', () => {
  const radius = 0x10 / 256;
  const ids = [0x40, 1, 2, 3, 0x10, 0x11, 0x80];
  assert.deepEqual(selected(ids, { least: 2, most: 9, radius }), [1, 2, 3, 0x10]);
  assert.deepEqual(selected(ids, { least: 6, most: 9, radius }), [1, 2, 3, 0x10, 0x11, 0x40]);
  assert.deepEqual(selected(ids, { least: 2, most: 3, radius }), [1, 2, 3]);
  assert.deepEqual(selected([], { least: 2, most: 3, radius }), []);
});

test('the radius holds k of N nodes on average', () => {
  const nodes = staticNodes(2000);
  const size = sigmaSize(2000, 20);
  const sizes = staticNodes(100, 2).map(({ id }) => selectSigma(id, nodes, size).length);
  const mean = sizes.reduce((a, b) => a + b, 0) / sizes.length;
  assert.ok(mean > 20 && mean < 24, `${mean}`);
  assert.ok(sizes.every((count) => count >= 20 && count <= 60));
});

function at(n: number, ...ip: number[]): Contact {
  return { ...tinyContact(n), endpoint: { ip: Uint8Array.from(ip), port: 9000 } };
}

test('one network gets two places, a wide one four; the next nearest fill up', () => {
  const contacts = [
    at(1, 8, 8, 8, 1),
    at(2, 8, 8, 8, 2),
    at(3, 8, 8, 8, 3),
    at(4, 8, 8, 9, 1),
    at(5, 8, 8, 10, 1),
    at(6, 8, 8, 11, 1),
    at(7, 9, 9, 9, 1),
  ];
  const set = selectSigma(key, contacts, { least: 5, most: 9, radius: 0 });
  assert.deepEqual(tinyIds(set), [1, 2, 4, 5, 7]);
});

test('we belong to it where our place would be within', () => {
  const others = [1, 2, 3, 0x20].map(tinyContact);
  const size = { least: 3, most: 5, radius: 0x10 / 256 };
  const belongs = (self: number): boolean => isInSigma(Uint8Array.of(self), { key, others, size });
  assert.equal(belongs(0), true, 'among the least');
  assert.equal(belongs(0x0f), true, 'within the radius');
  assert.equal(belongs(0x11), false);
});

test('whatever stands around a key, the set is what its definition says', () => {
  const node = fc.tuple(fc.uint8Array({ minLength: 8, maxLength: 8 }), fc.nat({ max: 30 }));
  const nodes = fc.uniqueArray(node, { maxLength: 80, selector: ([id]) => id.join() });
  const target = fc.uint8Array({ minLength: 8, maxLength: 8 });
  checkProperty(
    fc.property(nodes, target, fc.integer({ min: 1, max: 2000 }), (some, goal, networkSize) => {
      const contacts = some.map(([id, index]) => staticContact(id, index));
      const size = sigmaSize(networkSize, 20);
      const set = selectSigma(goal, contacts, size);
      assert.ok(set.length <= 60);
      const inOrder = set.toSorted((a, b) => compareDistance(goal, a.id, b.id));
      assert.deepEqual(set, inOrder);
      for (const contact of contacts) {
        const sharing = (width: 'narrow' | 'wide'): number =>
          set.filter(
            (other) => prefixOf(other.endpoint.ip, width) === prefixOf(contact.endpoint.ip, width),
          ).length;
        assert.ok(sharing('narrow') <= 2 && sharing('wide') <= 4);
        if (set.includes(contact) || sharing('narrow') === 2 || sharing('wide') === 4) continue;
        // Who is left out without its network being the reason stands too far out.
        const nearer = nearestOf(set, goal, set.length).filter(
          ({ id }) => compareDistance(goal, id, contact.id) < 0,
        ).length;
        const within = distanceShare(contact.id, goal) <= size.radius;
        assert.ok(nearer >= 60 || (nearer >= 20 && !within));
      }
    }),
  );
});
