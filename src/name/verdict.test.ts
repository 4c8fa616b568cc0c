import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { equalBytes } from '../base/bytes.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import { SigningKey } from '../identity/key.ts';
import { seqOf, type SignedRecord } from '../record/envelope.ts';
import { makeNameRecord, makeNameTombstone } from '../record/name.ts';
import { networkId, networkProfiles } from '../record/network.ts';
import type { NameAnswer } from './ports.ts';
import { tallyOf } from './tally.ts';
import {
  type Evidence,
  isMajority,
  judge,
  judgeKeyName,
  type Pin,
  type Verdict,
} from './verdict.ts';

const now = 1_767_300_000;
const month = 30 * 86_400;
const network = networkId(networkProfiles.local);
const root = CID.createV1(0x70, Digest.create(0x12, new Uint8Array(32).fill(1)));
const owners = new Map(
  ['a', 'b', 'c'].map((name, i) => [
    name,
    new SigningKey('author', new Uint8Array(32).fill(i + 1)),
  ]),
);

type Owner = 'a' | 'b' | 'c';

function keyOf(owner: Owner): SigningKey {
  const key = owners.get(owner);
  assert.ok(key);
  return key;
}

function live(owner: Owner, version = 1, expires: number = now + month): SignedRecord {
  const stamp = { seq: seqOf(0, version), issued: expires - 2 * month, expires };
  return makeNameRecord({ label: 'alice', root }, stamp, { key: keyOf(owner), network });
}

function withdrawal(owner: Owner, version: number): SignedRecord {
  const stamp = { seq: seqOf(0, version), issued: now - 60 };
  return makeNameTombstone('alice', stamp, { key: keyOf(owner), network });
}

/** Each in a network of its own, unless `ip` says otherwise. */
function contact(index: number, ip = Uint8Array.of(20 + index, index, 1, 1)): Contact {
  return contactOf(new Uint8Array(32).fill(index + 1), { ip, port: 9000 });
}

/**
 * "3a 1b 2-" is three nodes that hold a's record, one that holds b's and two that hold nothing;
 * "a?" is one that awaits confirmation, "a!" one that shows a's expired record, "ax" a withdrawal.
 */
function answersOf(spec: string): NameAnswer[] {
  const words = spec.split(' ').filter((word) => word !== '');
  const each = words.flatMap((word) => {
    const [, count, owner, mark] = /^(\d+)([abc-])([?!x]?)$/.exec(word) ?? [];
    assert.ok(owner, `bad spec ${word}`);
    return Array.from({ length: Number(count) }, () => ({ owner, mark }));
  });
  return each.map(({ owner, mark }, i): NameAnswer => {
    if (owner === '-') return { from: contact(i), records: [] };
    const name = owner as Owner;
    const marked: Record<string, SignedRecord> = {
      '!': live(name, 1, now - 1),
      x: withdrawal(name, 2),
    };
    const record = marked[mark ?? ''] ?? live(name);
    return { from: contact(i), records: [record], provisional: [mark === '?'] };
  });
}

function contactsOf(answers: readonly NameAnswer[]): Contact[] {
  return answers.flatMap(({ from }) => (from === 'self' ? [] : [from]));
}

function judged(spec: string, changes: Partial<Evidence> = {}): Verdict {
  const answers = answersOf(spec);
  const tally = tallyOf(answers, contactsOf(answers));
  const count = answers.length;
  const nothing = { pin: undefined, own: undefined };
  return judge({ tally, asked: count, answered: count, now, ...nothing, ...changes });
}

function nameOf(publicKey: Uint8Array): string {
  return [...owners].find(([, key]) => equalBytes(key.publicKey, publicKey))?.[0] ?? '?';
}

/** "ok a", "contested a b", "not-found". */
function inWords(verdict: Verdict): string {
  if (verdict.state === 'contested') return `contested ${verdict.claimants.map(nameOf).join(' ')}`;
  if (verdict.state === 'not-found') return verdict.state;
  return `${verdict.state} ${nameOf(verdict.record.author)}`;
}

const pinOf = (owner: Owner, version = 1, freeAt: number = now + month): Pin => ({
  owner: keyOf(owner).publicKey,
  seq: seqOf(0, version),
  freeAt,
});

describe('a name never seen before', () => {
  const cases: [spec: string, verdict: string][] = [
    ['', 'not-found'],
    ['3-', 'not-found'],
    ['1a', 'new a'],
    ['2a', 'ok a'],
    ['1a 1-', 'new a'],
    ['1a 1b', 'contested a b'],
    ['3a', 'ok a'],
    ['2a 1-', 'new a'],
    ['2a 1b', 'contested a b'],
    ['3a 1b', 'ok a'],
    ['3a 2b', 'contested a b'],
    ['4a 1b', 'ok a'],
    ['11a 8b', 'ok a'],
    ['10a 9b', 'contested a b'],
    ['20a', 'ok a'],
    ['11a 9b', 'ok a'],
    ['11a 9-', 'ok a'],
    ['10a 10b', 'contested a b'],
    ['10a 5b 5c', 'contested a b c'],
    ['10a 10-', 'new a'],
    ['4a 16-', 'new a'],
    ['1a 19-', 'new a'],
    ['20a?', 'new a'],
    ['11a 9a?', 'ok a'],
    ['6a 6a? 8b', 'new a'],
    ['20a!', 'expired a'],
    ['19a! 1b', 'new b'],
    ['20ax', 'not-found'],
    ['19a 1ax', 'not-found'],
  ];
  for (const [spec, expected] of cases) {
    test(`${spec === '' ? 'nobody' : spec} → ${expected}`, () => {
      assert.equal(inWords(judged(spec)), expected);
    });
  }

  test('is no more than new when most of those asked were silent', () => {
    assert.equal(inWords(judged('4a', { asked: 9 })), 'new a');
    assert.equal(inWords(judged('4a', { asked: 8 })), 'ok a');
  });
});

describe('a name whose owner is known', () => {
  test('stays the owner’s, whatever the majority says', () => {
    assert.equal(inWords(judged('1a 19b', { pin: pinOf('a') })), 'ok a');
    assert.equal(inWords(judged('19b 1-', { pin: pinOf('a') })), 'contested a b');
    assert.equal(inWords(judged('20-', { pin: pinOf('a') })), 'not-found');
  });

  test('does not go back to an older version', () => {
    assert.equal(inWords(judged('20a', { pin: pinOf('a', 2) })), 'not-found');
    const answers = answersOf('19a 1-');
    const late: NameAnswer = { from: contact(50), records: [live('a', 7)] };
    const tally = tallyOf([...answers, late], contactsOf(answers));
    const verdict = judge({
      tally,
      asked: 21,
      answered: 21,
      pin: pinOf('a', 2),
      own: undefined,
      now,
    });
    assert.ok(verdict.state === 'ok' && verdict.record.seq === seqOf(0, 7));
  });

  test('is judged by votes again once it is free', () => {
    assert.equal(inWords(judged('20b', { pin: pinOf('a', 1, now) })), 'ok b');
    assert.equal(inWords(judged('20a!', { pin: pinOf('a') })), 'expired a');
    assert.equal(inWords(judged('20ax', { pin: pinOf('a') })), 'not-found');
  });

  test('is new while only this node, its owner, has it', () => {
    const own = { pin: pinOf('a'), own: live('a') };
    assert.equal(inWords(judged('', own)), 'new a');
    assert.equal(inWords(judged('3-', own)), 'new a');
    assert.equal(inWords(judged('1a 2-', own)), 'ok a');
    assert.equal(inWords(judged('3b', own)), 'contested a b');
    const alone = tallyOf([{ from: 'self', records: [live('a')] }], []);
    assert.equal(inWords(judge({ tally: alone, asked: 1, answered: 1, now, ...own })), 'new a');
  });

  test('shows the owner’s newest record, also where others still have an older one', () => {
    const verdict = judged('20a', { pin: pinOf('a'), own: live('a', 3) });
    assert.ok(verdict.state === 'ok' && verdict.record.seq === seqOf(0, 3));
  });
});

describe('counting', () => {
  test('gives a network two votes, a larger one four', () => {
    const ips = [1, 2, 3, 4].map((host) => Uint8Array.of(30, 1, 1, host));
    const wide = [2, 3, 4, 5].map((net) => Uint8Array.of(30, 1, net, 1));
    const contacts = [...ips, ...wide].map((ip, i) => contact(i, ip));
    const answers = contacts.map((from) => ({ from, records: [live('a')] }));
    const { claims, responders } = tallyOf(answers, contacts);
    assert.deepEqual([claims[0]?.votes, responders], [4, 4]);
    const local = contacts.map((_, i) => contact(i, Uint8Array.of(127, 0, 0, 1)));
    const onLoopback = local.map((from) => ({ from, records: [live('a')] }));
    assert.equal(tallyOf(onLoopback, local).responders, 8);
  });

  test('leaves out nodes that are not near and those that hold for several owners', () => {
    const [near, far, double] = [contact(1), contact(2), contact(3)];
    const answers: NameAnswer[] = [
      { from: near, records: [live('a')] },
      { from: far, records: [live('b')] },
      { from: double, records: [live('b'), live('c')] },
    ];
    const { claims, responders } = tallyOf(answers, [near, double]);
    assert.equal(responders, 2);
    assert.deepEqual(
      claims.map(({ votes }) => votes),
      [1, 0],
    );
  });

  test('counts this node when it holds the name or everybody is near', () => {
    const many = Array.from({ length: 20 }, (_, i) => contact(i));
    const others = many.map((from): NameAnswer => ({ from, records: [] }));
    const empty: NameAnswer = { from: 'self', records: [] };
    const full: NameAnswer = { from: 'self', records: [live('a')] };
    assert.equal(tallyOf([empty, ...others], many).responders, 20);
    assert.equal(tallyOf([full, ...others], many).responders, 21);
    assert.equal(tallyOf([empty, ...others.slice(1)], many.slice(1)).responders, 20);
  });

  test('needs more than half at any size, and never trusts one voice', () => {
    for (let responders = 1; responders <= 60; responders++) {
      const least = Array.from({ length: responders + 1 }, (_, votes) => votes).find((votes) =>
        isMajority(votes, responders),
      );
      if (responders === 1) assert.equal(least, undefined);
      else assert.ok(least !== undefined && least > responders / 2 && least >= 2);
    }
  });
});

test('the name of a key shows the highest seq that is valid', () => {
  const records = [live('a', 1), live('a', 3), live('a', 2)];
  const found = judgeKeyName({ records, minSeq: 0n, now });
  assert.ok(found.state === 'ok' && found.record.seq === seqOf(0, 3));
  const state = (more: SignedRecord[], minSeq = 0n): string =>
    judgeKeyName({ records: more, minSeq, now }).state;
  assert.equal(state([]), 'not-found');
  assert.equal(state(records, seqOf(0, 4)), 'not-found');
  assert.equal(state([live('a', 4, now - 1), ...records]), 'expired');
  assert.equal(state([withdrawal('a', 9), ...records]), 'not-found');
});
