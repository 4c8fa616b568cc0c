import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tinyContact } from '../../../test/support/tiny-contact.ts';
import { showsAbsence } from './absence.ts';
import type { GatherEnd } from './gather.ts';

/** `heard` others answered of `asked`, and all of them count. */
function shows(
  heard: number,
  asked: number,
  { isSettled = true, complete = true }: { isSettled?: boolean; complete?: boolean } = {},
): boolean {
  const closest = Array.from({ length: Math.min(heard, 20) }, (_, i) => tinyContact(i));
  const end: GatherEnd = { asked, answered: heard, closest, complete };
  return showsAbsence(end, { k: 20, isSettled });
}

test('in a full neighbourhood a few may be silent', () => {
  assert.equal(shows(20, 20), true);
  assert.equal(shows(20, 24, { isSettled: false }), true);
  assert.equal(shows(20, 25), false);
  assert.equal(shows(40, 48), true);
});

test('where there are fewer nodes, each may be the only one that has it', () => {
  assert.equal(shows(7, 7), true);
  assert.equal(shows(7, 8), false);
  assert.equal(shows(7, 7, { isSettled: false }), false, 'others may be there');
});

test('nobody who answers, and a search that was cut short, show nothing', () => {
  assert.equal(shows(0, 0), false);
  assert.equal(shows(0, 3), false);
  assert.equal(shows(20, 20, { complete: false }), false);
});
