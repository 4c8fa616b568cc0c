import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import { tinyContact } from '../../../test/support/tiny-contact.ts';
import type { Contact } from '../../identity/contact.ts';
import { compareDistance } from '../distance.ts';
import { Nearest } from './nearest.ts';

test('the nearest of those that are let through remain, in order', () => {
  const byte = fc.integer({ min: 0, max: 255 });
  checkProperty(
    fc.property(
      byte,
      fc.integer({ min: 1, max: 8 }),
      fc.uniqueArray(byte, { maxLength: 60 }),
      fc.func(fc.boolean()),
      (target, count, ids, accept) => {
        const goal = Uint8Array.of(target);
        const contacts = ids.map((id) => tinyContact(id));
        const isLetThrough = ({ contact }: { contact: Contact }): boolean => accept(contact.id[0]);
        const nearest = new Nearest(goal, count, isLetThrough);
        for (const contact of contacts) nearest.offer({ contact });
        const expected = contacts
          .filter(({ id }) => accept(id[0]))
          .toSorted((a, b) => compareDistance(goal, a.id, b.id))
          .slice(0, count);
        assert.deepEqual(nearest.contacts, expected);
        assert.equal(nearest.isFull, expected.length === count);
      },
    ),
  );
});
