import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  contact,
  contactsOf,
  live,
  nameOf,
  type Owner,
  tallied,
} from '../../test/support/name-claims.ts';
import type { Contact } from '../identity/contact.ts';
import type { NameAnswer } from './ports.ts';

function holding(from: Contact, ...owned: Owner[]): NameAnswer {
  const records = owned.map((owner) => live(owner));
  return { from, records, provisional: owned.map(() => false) };
}

describe('counting', () => {
  test('gives a network two votes, a larger one four', () => {
    const ips = [1, 2, 3, 4].map((host) => Uint8Array.of(30, 1, 1, host));
    const wide = [2, 3, 4, 5].map((net) => Uint8Array.of(30, 1, net, 1));
    const contacts = [...ips, ...wide].map((ip, i) => contact(i, ip));
    const { claims, responders } = tallied(contacts.map((from) => holding(from, 'a')));
    assert.deepEqual([claims[0]?.votes, responders], [4, 4]);
    const local = contacts.map((_, i) => contact(i, Uint8Array.of(127, 0, 0, 1)));
    assert.equal(tallied(local.map((from) => holding(from, 'a'))).responders, 8);
  });

  test('leaves out nodes that are not near and those that hold for several owners', () => {
    const [near, far, double] = [contact(1), contact(2), contact(3)];
    const answers = [holding(near, 'a'), holding(far, 'b'), holding(double, 'b', 'c')];
    const { claims, responders } = tallied(answers, [near, double]);
    assert.equal(responders, 2);
    assert.deepEqual(
      claims.map(({ votes }) => votes),
      [1, 0],
    );
  });

  test('takes a holder of one and candidate of another for what it has confirmed', () => {
    const answer: NameAnswer = { ...holding(contact(1), 'b', 'a'), provisional: [true, false] };
    const { claims } = tallied([answer]);
    assert.deepEqual(
      claims.map(({ owner, confirmed }) => [nameOf(owner), confirmed]),
      [['a', 1]],
    );
  });

  test('does not count contacts that never answered', () => {
    const answers = Array.from({ length: 12 }, (_, i) => holding(contact(i), 'a'));
    const madeUp = Array.from({ length: 40 }, (_, i) => contact(100 + i));
    assert.equal(tallied(answers, [...madeUp, ...contactsOf(answers)]).responders, 12);
  });

  test('counts this node when it holds the name or everybody is near', () => {
    const many = Array.from({ length: 20 }, (_, i) => contact(i));
    const others = many.map((from) => holding(from));
    const empty: NameAnswer = { from: 'self', records: [], provisional: [] };
    const full: NameAnswer = { from: 'self', records: [live('a')], provisional: [false] };
    assert.equal(tallied([empty, ...others], many).responders, 20);
    assert.equal(tallied([full, ...others], many).responders, 21);
    assert.equal(tallied([empty, ...others.slice(1)], many.slice(1)).responders, 20);
  });
});
