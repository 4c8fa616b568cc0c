import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answer } from 'dns-packet';
import * as fc from 'fast-check';
import { decodeAnswer, encodeQuery, linesOf, queryOf } from '../../../test/support/dns-messages.ts';
import { addressOf, type ReplyParts, replyTo } from '../../../test/support/fake-resolver.ts';
import { checkProperty } from '../../../test/support/property.ts';
import { parseReply, type Reply } from './reply.ts';

const question = { name: 'example.com', id: 99 };
const { key } = queryOf(question);
const octets = encodeQuery(question);

const soa = (ttl: number, minimum: number): Answer => ({
  type: 'SOA',
  name: 'com',
  ttl,
  data: { mname: 'a.example', rname: 'b.example', minimum },
});

const opt = (extendedRcode = 0): Answer => ({
  name: '.',
  type: 'OPT',
  udpPayloadSize: 1232,
  extendedRcode,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
});

function read(parts: ReplyParts): Reply {
  const parsed = parseReply(replyTo({ octets }, parts), { id: 99, key });
  assert.ok(parsed.kind === 'reply');
  return parsed;
}

describe('how long an answer holds', () => {
  const [short, long] = [
    addressOf('example.com', '192.0.2.1', 30),
    addressOf('example.com', '192.0.2.2', 90),
  ];
  const cases: readonly (readonly [string, ReplyParts, number])[] = [
    ['the least of the answers', { answers: [long, short] }, 30],
    ['no longer than a day', { answers: [addressOf('example.com', '192.0.2.1', 604_800)] }, 86_400],
    [
      '0 for a TTL with the highest bit',
      { answers: [addressOf('example.com', '192.0.2.1', 0x80_00_00_01)] },
      0,
    ],
    ['of nothing, the minimum of the zone', { authorities: [soa(600, 60)] }, 60],
    ['of nothing, the TTL of the zone', { authorities: [soa(50, 60)] }, 50],
    ['of no name, an hour at most', { rcode: 3, authorities: [soa(99_999, 99_999)] }, 3600],
    [
      'of an alias to no name, the lesser',
      { rcode: 3, answers: [short], authorities: [soa(600, 60)] },
      30,
    ],
    ['of nothing without a zone, not at all', {}, 0],
    [
      'of a referral, not at all',
      { authorities: [{ type: 'NS', name: 'com', ttl: 99, data: 'a.example' }] },
      0,
    ],
    ['of a failure, not at all', { rcode: 2, authorities: [soa(600, 60)] }, 0],
  ];
  for (const [what, parts, seconds] of cases) {
    test(what, () => assert.equal(read(parts).ttlSeconds, seconds));
  }
});

describe('what is passed on', () => {
  const glue = addressOf('ns.example.com', '192.0.2.9');

  test('is without the OPT record, which stands last', () => {
    const reply = read({
      answers: [addressOf('example.com', '192.0.2.1')],
      additionals: [glue, opt()],
    });
    const { answers, additionals } = decodeAnswer(reply.octets);
    assert.deepEqual(
      [answers?.length, linesOf(additionals)],
      [1, ['ns.example.com A 300 192.0.2.9']],
    );
    assert.equal(reply.ttlOffsets.length, 2);
  });

  test('is without anything additional when names may point beyond the OPT record', () => {
    const reply = read({
      answers: [addressOf('example.com', '192.0.2.1')],
      additionals: [opt(), glue],
    });
    const { answers, additionals } = decodeAnswer(reply.octets);
    assert.deepEqual([answers?.length, additionals], [1, []]);
    assert.equal(reply.ttlOffsets.length, 1);
  });

  test('has all bits of the code', () => {
    assert.equal(read({ additionals: [opt(1)] }).rcode, 16);
  });

  test('may have records of a type that nobody knows', () => {
    const record = Buffer.from('c00c fde8 0001 0000003c 0003 010203'.replaceAll(' ', ''), 'hex');
    const message = Buffer.concat([replyTo({ octets }), record]);
    message.writeUInt16BE(1, 6);
    const reply = parseReply(message, { id: 99, key });
    assert.ok(reply.kind === 'reply' && reply.ttlSeconds === 60);
    assert.deepEqual(Buffer.from(reply.octets), message);
  });
});

describe('what is no answer to the question', () => {
  const right = replyTo({ octets }, { answers: [addressOf('example.com', '192.0.2.1')] });
  const cases: readonly (readonly [string, Buffer])[] = [
    ['nothing', Buffer.alloc(0)],
    ['another ID', replyTo({ octets }, { id: 98 })],
    ['a question', octets],
    ['another name', replyTo({ octets: encodeQuery({ name: 'example.net', id: 99 }) })],
    [
      'another type',
      replyTo({ octets: encodeQuery({ name: 'example.com', type: 'AAAA', id: 99 }) }),
    ],
    ['another opcode', Buffer.from(right).fill(0xa0, 2, 3)],
    ['no question in it', Buffer.from(right).fill(0, 4, 6)],
  ];
  for (const [what, message] of cases) {
    test(what, () => assert.equal(parseReply(message, { id: 99, key }).kind, 'mismatch'));
  }

  test('one that is cut off is broken', () => {
    for (let length = 12 + key.length; length < right.length; length++) {
      assert.equal(parseReply(right.subarray(0, length), { id: 99, key }).kind, 'broken');
    }
  });

  test('its name may be in any case', () => {
    const upper = encodeQuery({ name: 'EXAMPLE.com', id: 99 });
    assert.equal(parseReply(replyTo({ octets: upper }), { id: 99, key }).kind, 'reply');
  });
});

test('no octets behind the question are too strange', () => {
  const start = replyTo({ octets });
  const property = fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(3), (noise, count) => {
    const message = Buffer.concat([start, noise]);
    for (const at of [6, 8, 10]) message.writeUInt16BE(count, at);
    const parsed = parseReply(message, { id: 99, key });
    if (parsed.kind !== 'reply') return;
    assert.ok(parsed.ttlOffsets.every((at) => at + 4 <= parsed.octets.length));
    assert.ok(parsed.ttlSeconds >= 0 && parsed.ttlSeconds <= 86_400);
  });
  checkProperty(property);
});
