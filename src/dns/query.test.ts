import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import * as fc from 'fast-check';
import { encodeQuery } from '../../test/support/dns-messages.ts';
import { checkProperty } from '../../test/support/property.ts';
import { rcodes } from './codes.ts';
import { parseQuery, type ParsedQuery } from './query.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/[^0-9a-f]/g, ''), 'hex');

/** ID 1234, RD, one question. */
const head = '1234 0100 0001 0000 0000 0000';
const alice = '05 616c696365 03 616c74 00 0001 0001';
const opt = '00 0029 04d0 00 00 8000 0000';

function flawOf(parsed: ParsedQuery): string {
  if (parsed.kind === 'query') return 'none';
  return parsed.kind === 'silence' ? `silence: ${parsed.why}` : `${parsed.rcode}: ${parsed.why}`;
}

/** A query for a name of so many octets. */
const long = (octets: number): Buffer => {
  const labels = [
    '3f'.padEnd(2 + 126, '61'),
    '3f'.padEnd(2 + 126, '61'),
    '3f'.padEnd(2 + 126, '61'),
  ];
  const last = octets - 3 * 64 - 2;
  return hex(
    `${head} ${labels.join('')} ${last.toString(16).padStart(2, '0')}${'61'.repeat(last)} 00 0001 0001`,
  );
};

describe('a query', () => {
  test('is read', () => {
    const parsed = parseQuery(hex(head.replace(/0000$/, '0001') + alice + opt), 512);
    assert.ok(parsed.kind === 'query');
    const { query } = parsed;
    assert.equal(query.id, 0x1234);
    assert.deepEqual(query.labels, ['alice', 'alt']);
    assert.deepEqual([query.type, query.class], [1, 1]);
    assert.deepEqual(query.edns, {
      udpBytes: 1232,
      version: 0,
      dnssecOk: true,
      isPadded: false,
    });
  });

  test('keeps its spelling, and has the key of all its spellings', () => {
    const upper = parseQuery(encodeQuery({ name: 'ALICE.Alt', type: 'AAAA' }), 512);
    const lower = parseQuery(encodeQuery({ name: 'alice.alt', type: 'AAAA' }), 512);
    assert.ok(upper.kind === 'query' && lower.kind === 'query');
    assert.equal(upper.query.key, lower.query.key);
    assert.deepEqual(upper.query.labels, ['alice', 'alt']);
    assert.match(Buffer.from(upper.query.question).toString('latin1'), /ALICE.Alt/);
  });

  test('of a type with the number of a letter is not confused with another', () => {
    const keys = [65, 97].map((type) => {
      const parsed = parseQuery(hex(`${head} 0161 00 00${type.toString(16)} 0001`), 512);
      return parsed.kind === 'query' ? [parsed.query.key, parsed.query.type] : assert.fail();
    });
    assert.deepEqual([keys[0]?.[1], keys[1]?.[1]], [65, 97]);
    assert.notEqual(keys[0]?.[0], keys[1]?.[0]);
  });

  test('may have a dot within a label', () => {
    const parsed = parseQuery(hex(`${head} 09 616c6963652e616c74 00 0001 0001`), 512);
    assert.ok(parsed.kind === 'query');
    assert.deepEqual(parsed.query.labels, ['alice.alt']);
  });

  test('may be about the root', () => {
    const parsed = parseQuery(hex(`${head} 00 0002 0001`), 512);
    assert.ok(parsed.kind === 'query');
    assert.deepEqual(parsed.query.labels, []);
  });

  test('may have a name of 255 octets, and no longer one', () => {
    assert.equal(flawOf(parseQuery(long(255), 1232)), 'none');
    assert.equal(flawOf(parseQuery(long(256), 1232)), '1: question');
  });
});

describe('what is no query', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['nothing', '', 'silence: short'],
    ['less than a header', '1234 0100 0001', 'silence: short'],
    ['an answer', `1234 8180 0001 0000 0000 0000 ${alice}`, 'silence: response'],
    ['an update', `1234 2800 0001 0000 0000 0000 ${alice}`, '4: opcode'],
    ['no question', '1234 0100 0000 0000 0000 0000', '1: counts'],
    ['two questions', `1234 0100 0002 0000 0000 0000 ${alice} ${alice}`, '1: counts'],
    ['huge counts', '1234 0100 ffff ffff ffff ffff', '1: counts'],
    ['answers in it', `1234 0100 0001 0001 0000 0000 ${alice}`, '1: counts'],
    ['three additional records', `1234 0100 0001 0000 0000 0003 ${alice}`, '1: counts'],
    ['a pointer', `${head} c00c 0001 0001`, '1: question'],
    ['a pointer within', `${head} 0161 c00c 0001 0001`, '1: question'],
    ['a label of 64', `${head} 40 ${'61'.repeat(64)} 00 0001 0001`, '1: question'],
    ['a name cut off', `${head} 05 616c`, '1: question'],
    ['a name without an end', `${head} 05 616c696365`, '1: question'],
    ['no class', `${head} 05 616c696365 03 616c74 00 0001 00`, '1: question'],
    ['octets behind', `${head} ${alice} 00`, '1: additional'],
    [
      'an OPT record cut off',
      `1234 0100 0001 0000 0000 0001 ${alice} 00 0029 04d0`,
      '1: additional',
    ],
    [
      'an OPT record about a name',
      `1234 0100 0001 0000 0000 0001 ${alice} 0161 ${opt}`,
      '1: additional',
    ],
    ['two OPT records', `1234 0100 0001 0000 0000 0002 ${alice} ${opt} ${opt}`, '1: additional'],
    [
      'an option that is too long',
      `1234 0100 0001 0000 0000 0001 ${alice} 00 0029 04d0 00000000 0004 000a 0008`,
      '1: additional',
    ],
    [
      'a pointer in what follows',
      `1234 0100 0001 0000 0000 0001 ${alice} c00c 0001 0001 00000000 0000`,
      '1: additional',
    ],
  ];
  for (const [what, octets, flaw] of cases) {
    test(what, () => assert.equal(flawOf(parseQuery(hex(octets), 1232)), flaw));
  }

  test('what is too long', () => {
    const message = encodeQuery({ name: 'alice.alt' });
    assert.equal(flawOf(parseQuery(message, message.length)), 'none');
    assert.equal(flawOf(parseQuery(message, message.length - 1)), '1: long');
  });
});

test('every query of a common library is read as what it says', () => {
  const label = fc.string({
    unit: fc.constantFrom(...'abzAZ059-_'.split('')),
    minLength: 1,
    maxLength: 63,
  });
  const names = fc.array(label, { minLength: 1, maxLength: 3 });
  const property = fc.property(names, fc.nat(0xffff), fc.boolean(), (labels, id, dnssecOk) => {
    const message = encodeQuery({ name: labels.join('.'), id, edns: { dnssecOk, udpBytes: 600 } });
    const parsed = parseQuery(message, 4096);
    assert.ok(parsed.kind === 'query');
    assert.equal(parsed.query.id, id);
    assert.deepEqual(
      parsed.query.labels,
      labels.map((one) => one.toLowerCase()),
    );
    assert.deepEqual(parsed.query.edns, {
      udpBytes: 600,
      version: 0,
      dnssecOk,
      isPadded: false,
    });
  });
  checkProperty(property);
});

test('no octets are too strange', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 600 }), (octets) => {
    const parsed = parseQuery(octets, 512);
    if (parsed.kind === 'refused')
      assert.ok([rcodes.formErr, rcodes.notImp].includes(parsed.rcode as 1));
    if (parsed.kind === 'query') assert.ok(parsed.query.labels.length <= 127);
  });
  checkProperty(property);
});
