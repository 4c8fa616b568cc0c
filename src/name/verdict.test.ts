import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  answersOf,
  contact,
  contactsOf,
  handedOver,
  inWords,
  judged,
  keyOf,
  live,
  month,
  network,
  now,
  type Owner,
  pinOf,
  plain,
  root,
  tallied,
  withdrawal,
} from '../../test/support/name-claims.ts';
import { seqOf, type SignedRecord } from '../record/envelope.ts';
import { makeNameRecord } from '../record/name.ts';
import { signCertificate } from '../record/zone.ts';
import type { NameAnswer } from './ports.ts';
import { answersWanted, type Evidence, isMajority, judge, judgeCertified } from './verdict.ts';

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
    ['1a 3-', 'not-found'],
    ['2a 6-', 'not-found'],
    ['3a 5-', 'new a'],
    ['11a 8b', 'ok a'],
    ['10a 9b', 'contested a b'],
    ['20a', 'ok a'],
    ['11a 9b', 'ok a'],
    ['11a 9-', 'ok a'],
    ['10a 10b', 'contested a b'],
    ['10a 5b 5c', 'contested a b c'],
    ['10a 1b 9-', 'new a'],
    ['10a 5b 5-', 'new a'],
    ['10a 6b 4-', 'contested a b'],
    ['10a 10-', 'new a'],
    ['6a 14-', 'new a'],
    ['5a 15-', 'not-found'],
    ['1a 19-', 'not-found'],
    ['3a 3b 14-', 'not-found'],
    ['5a 5b 5c 5-', 'contested a b c'],
    ['1a 59-', 'not-found'],
    ['30a 30-', 'new a'],
    ['31a 29-', 'ok a'],
    ['20a?', 'new a'],
    ['11a 9a?', 'ok a'],
    ['10a 10a?', 'new a'],
    ['6a 6a? 8b', 'new a'],
    ['20a!', 'expired a'],
    ['5a! 15-', 'not-found'],
    ['19a! 1b', 'expired a'],
    ['20ax', 'not-found'],
    ['19a 1ax', 'not-found'],
  ];
  for (const [spec, expected] of cases) {
    test(`${spec === '' ? 'nobody' : spec} → ${expected}`, () => {
      assert.equal(inWords(judged(spec)), expected);
    });
  }

  test('is no more than new when most of those who would know are silent', () => {
    assert.equal(inWords(judged('4a', { heard: false })), 'new a');
  });

  test('is free a month after its end', () => {
    assert.equal(inWords(judged('20a!', { now: now + month - 2 })), 'expired a');
    assert.equal(inWords(judged('20a!', { now: now + month - 1 })), 'not-found');
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
    const late: NameAnswer = { from: contact(50), records: [live('a', 7)], provisional: [false] };
    const tally = tallied([...answers, late], contactsOf(answers));
    const verdict = judge({ ...plain, tally, pin: pinOf('a', 2) });
    assert.ok(verdict.state === 'ok' && verdict.record.seq === seqOf(0, 7));
  });

  test('is judged by votes again once it is free', () => {
    assert.equal(inWords(judged('20b', { pin: pinOf('a', 1, now) })), 'ok b');
    assert.equal(inWords(judged('20a!', { pin: pinOf('a', 0) })), 'expired a');
    assert.equal(inWords(judged('20ax', { pin: pinOf('a') })), 'not-found');
  });

  test('is new while only this node, its owner, has it', () => {
    const own = { pin: pinOf('a'), own: live('a') };
    assert.equal(inWords(judged('', own)), 'new a');
    assert.equal(inWords(judged('3-', own)), 'new a');
    assert.equal(inWords(judged('1a 2-', own)), 'new a');
    assert.equal(inWords(judged('3a?', own)), 'new a');
    assert.equal(inWords(judged('3a', own)), 'ok a');
    assert.equal(inWords(judged('1a', { ...own, complete: false })), 'ok a');
    assert.equal(inWords(judged('5a?', { ...own, complete: false })), 'new a');
    assert.equal(inWords(judged('3b', own)), 'contested a b');
    const alone = tallied([{ from: 'self', records: [live('a')], provisional: [false] }]);
    assert.equal(inWords(judge({ ...plain, tally: alone, ...own })), 'new a');
  });

  test('shows the owner’s newest record, also where others still have an older one', () => {
    const verdict = judged('20a', { pin: pinOf('a'), own: live('a', 3) });
    assert.ok(verdict.state === 'ok' && verdict.record.seq === seqOf(0, 3));
  });
});

describe('a majority', () => {
  test('needs more than half at any size, and never trusts one voice', () => {
    for (let responders = 1; responders <= 60; responders++) {
      const least = Array.from({ length: responders + 1 }, (_, votes) => votes).find((votes) =>
        isMajority(votes, responders),
      );
      if (responders === 1) assert.equal(least, undefined);
      else assert.ok(least !== undefined && least > responders / 2 && least >= 2);
    }
  });

  test('wants the answers of most who would know, and of twelve where there are enough', () => {
    const wanted = [0, 1, 2, 3, 5, 10, 19, 20, 1000, 1e7].map(answersWanted);
    assert.deepEqual(wanted, [1, 1, 2, 2, 3, 6, 12, 12, 12, 12]);
  });
});

function holders(counts: [SignedRecord | undefined, number][]): NameAnswer[] {
  return counts
    .flatMap(([record, count]) => Array.from({ length: count }, () => record))
    .map((record, i) => ({
      from: contact(i),
      records: record ? [record] : [],
      provisional: [false],
    }));
}

function verdictOf(
  counts: [SignedRecord | undefined, number][],
  changes: Partial<Evidence> = {},
): string {
  return inWords(judge({ ...plain, tally: tallied(holders(counts)), ...changes }));
}

describe('a name that was passed on', () => {
  const toB = handedOver('a', 'b');
  const toC = handedOver('a', 'c');

  test('is the new owner’s, by the votes of both', () => {
    assert.equal(
      verdictOf([
        [live('a'), 19],
        [toB, 1],
      ]),
      'ok b',
    );
    assert.equal(
      verdictOf([
        [live('a'), 6],
        [toB, 6],
        [undefined, 8],
      ]),
      'ok b',
    );
  });

  test('stays so, whatever the old owner signs later', () => {
    const again = live('a', 2 ** 40);
    assert.equal(
      verdictOf([
        [again, 19],
        [toB, 1],
      ]),
      'ok b',
    );
    assert.equal(
      verdictOf(
        [
          [again, 19],
          [toB, 1],
        ],
        { pin: live('a') },
      ),
      'ok b',
    );
    assert.equal(verdictOf([[again, 20]], { pin: toB }), 'contested b a');
  });

  test('follows to who knew the old owner', () => {
    assert.equal(
      verdictOf(
        [
          [toB, 1],
          [undefined, 19],
        ],
        { pin: live('a') },
      ),
      'ok b',
    );
    assert.equal(
      verdictOf(
        [
          [live('c'), 19],
          [toB, 1],
        ],
        { pin: live('a') },
      ),
      'ok b',
    );
  });

  test('to two is left to the votes, and the old owner’s count for neither', () => {
    assert.equal(
      verdictOf([
        [live('a'), 8],
        [toB, 7],
        [toC, 5],
      ]),
      'new b',
    );
    assert.equal(
      verdictOf(
        [
          [live('a'), 6],
          [toB, 7],
          [toC, 7],
        ],
        { pin: live('a') },
      ),
      'contested b c',
    );
    assert.equal(
      verdictOf(
        [
          [toB, 12],
          [toC, 8],
        ],
        { pin: live('a') },
      ),
      'ok b',
    );
  });

  test('is not taken by a chain that another signed', () => {
    const forged = handedOver('c', 'b');
    assert.equal(
      verdictOf([
        [live('a'), 12],
        [forged, 8],
      ]),
      'ok a',
    );
    assert.equal(verdictOf([[forged, 20]], { pin: live('a') }), 'contested a b');
  });
});

function certified(owner: Owner, serial: number, version = 1): SignedRecord {
  const times = { notBefore: now - month, notAfter: now + 6 * month };
  const terms = { label: 'alice', owner: keyOf(owner).publicKey, serial, ...times };
  const certificate = signCertificate(terms, { key: keyOf('c'), network });
  const stamp = { seq: seqOf(0, version), issued: now - 60 };
  const signer = { key: keyOf(owner), network };
  return makeNameRecord({ label: 'alice', root, certificate }, stamp, signer);
}

function certifiedState(records: SignedRecord[], pin?: SignedRecord): string {
  return judgeCertified({ records, pin, now, network }).state;
}

function shown(records: SignedRecord[], pin?: SignedRecord): string {
  return inWords(judgeCertified({ records, pin, now, network }));
}

describe('a name that only one can sign for', () => {
  test('shows the highest seq that is valid', () => {
    const records = [live('a', 1), live('a', 3), live('a', 2)];
    const found = judgeCertified({ records, pin: undefined, now, network });
    assert.ok(found.state === 'ok' && found.record.seq === seqOf(0, 3));
    assert.equal(certifiedState([]), 'not-found');
    assert.equal(certifiedState(records, live('a', 4)), 'not-found');
    assert.equal(certifiedState([live('a', 4, now - 1), ...records]), 'expired');
    assert.equal(certifiedState([withdrawal('a', 9), ...records]), 'not-found');
  });

  test('in a zone is whose certificate has the highest serial', () => {
    assert.equal(shown([certified('a', 1, 9), certified('b', 2)]), 'ok b');
    assert.equal(shown([certified('a', 1, 9)], certified('b', 2)), 'not-found');
    assert.equal(shown([certified('b', 2)], certified('a', 1, 9)), 'ok b');
    assert.equal(shown([certified('a', 1, 9), certified('a', 1, 8)]), 'ok a');
  });
});
