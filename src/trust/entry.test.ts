import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { isAltNetError } from '../base/errors.ts';
import { encodeNote, parseEntry } from './entry.ts';
import { parseLine } from './rule.ts';

const dagPb = 'bafybeihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq';
const raw = 'bafkreihvvulpp4evxj7x7armbqcyg6uezzuig6jp3lktpbovlqfkuqeuoq';
const hex = 'f5ad16f7f095ba7f7f822c0c05837a84ce6883792fdad53785d55c0aaa409474';

const entries: readonly (readonly [what: string, line: string])[] = [
  [dagPb, `/ipfs/${dagPb}`],
  ['QmesfgDQ3q6prBy2Kg2gKbW4MAGuWiRP2DVuGA5MZSERLo', `/ipfs/${dagPb}`],
  [raw, `/ipfs/${raw}`],
  [hex, `/ipfs/${dagPb}`],
  [hex.toUpperCase(), `/ipfs/${dagPb}`],
  ['alice', '/name/alice.alt'],
  [' Alice.ALT ', '/name/alice.alt'],
  ['bücher', '/name/xn--bcher-kva.alt'],
  ['http://Dead.Example:80/a#b', '/url/http://dead.example/a'],
  ['HTTPS://dead.example/%7Ea', '/url/https://dead.example/~a'],
  [`/ipfs/${dagPb}/a%20b*`, `/ipfs/${dagPb}/a%20b*`],
  ['/ipns/alice.alt', '/ipns/alice.alt'],
  [`//${hex}`, `//${hex}`],
];

for (const [what, line] of entries) {
  test(`blocking ${what.trim().slice(0, 50)}`, () => {
    const entry = parseEntry(what);
    assert.equal(entry.line, line);
    const parsed = parseLine(entry.line);
    assert.ok(parsed.is === 'rule' && !parsed.allow);
    assert.deepEqual(parsed.rule, entry.rule);
  });
}

const refused: readonly (readonly [what: string, code: string, why: RegExp])[] = [
  ['', 'BAD_NAME', /empty/],
  ['blog.alice.alt', 'BAD_NAME', /only one label/],
  ['gns', 'BAD_NAME', /reserved/],
  ['a b', 'BAD_ARGUMENT', /no spaces/],
  ['a+b', 'BAD_NAME', /only letters/],
  ['http://', 'BAD_URL', /form/],
  ['http://user@a/', 'BAD_URL', /user name/],
  ['ftp://a/', 'BAD_URL', /only http/],
  ['/ipfs/x', 'BAD_ARGUMENT', /no CID/],
  ['/ipns/domain.example', 'BAD_ARGUMENT', /no such thing/],
  [`/ipfs/${dagPb} note:x`, 'BAD_ARGUMENT', /no spaces/],
  [`/ipfs/${dagPb}\n/name/x`, 'BAD_ARGUMENT', /no spaces/],
  ['bafyb4ieqht3b2rssdmc7sjv2cy2gfdilxkfh7623nvndziyqnawkmo266a', 'BAD_ARGUMENT', /SHA-256/],
  ['QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn', 'BAD_ARGUMENT', /any site/],
];

for (const [what, code, message] of refused) {
  test(`nothing to block: ${JSON.stringify(what.slice(0, 40))}`, () => {
    assert.throws(() => parseEntry(what), { code, message });
  });
}

test('whatever the words, an entry is one line with one meaning', () => {
  const start = fc.constantFrom('', '/ipfs/', '/name/', 'http://', '//', '!', dagPb, hex);
  checkProperty(
    fc.property(start, fc.string(), fc.string(), (before, word, note) => {
      const line = lineFor(`${before}${word}`, note);
      if (line === undefined) return;
      assert.doesNotMatch(line, /[\r\n]/);
      const parsed = parseLine(line);
      assert.ok(parsed.is === 'rule' && !parsed.allow, line);
    }),
  );
});

function lineFor(what: string, note: string): string | undefined {
  try {
    return parseEntry(what).line + encodeNote(note);
  } catch (error) {
    assert.ok(isAltNetError(error), String(error));
    return undefined;
  }
}

test('a note becomes a hint', () => {
  assert.equal(encodeNote(''), '');
  assert.equal(encodeNote('  '), '');
  assert.equal(encodeNote(' spam: ü 100% '), ' note:spam%3A%20ü%20100%25');
  assert.equal(encodeNote('a\nb'), ' note:a%0Ab');
});
