import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeAnswer, linesOf, queryOf } from '../../test/support/dns-messages.ts';
import { addressOf, replyTo } from '../../test/support/fake-resolver.ts';
import { rcodes } from './codes.ts';
import { addressRecords, anyRecord, authorityRecord, noRecords, type Section } from './records.ts';
import { encodeAnswer, type LocalAnswer, plainAnswer, type PassedAnswer } from './response.ts';
import { parseReply } from './upstream/reply.ts';

function local(over: Partial<LocalAnswer>): LocalAnswer {
  return { ...plainAnswer(rcodes.noError), isAuthoritative: true, ...over };
}

const v4: Section = addressRecords(['192.0.2.7', '2001:db8::7']).v4 ?? noRecords;
const v6: Section = addressRecords(['192.0.2.7', '2001:db8::7']).v6 ?? noRecords;

describe('an answer of our own', () => {
  test('has ID, spelling and addresses', () => {
    const query = queryOf({ name: 'aLIce.Alt', id: 7 });
    const answer = decodeAnswer(encodeAnswer(query, local({ answers: v4 }), 512));
    assert.equal(answer.id, 7);
    assert.deepEqual(
      answer.questions?.map(({ name }) => name),
      ['aLIce.Alt'],
    );
    assert.deepEqual(linesOf(answer.answers), ['aLIce.Alt A 60 192.0.2.7']);
    assert.ok(answer.flag_aa && answer.flag_ra && answer.flag_rd && answer.flag_qr);
    assert.deepEqual(answer.additionals, []);
  });

  test('has an address of the other family, and a start of authority', () => {
    const query = queryOf({ name: 'alice.alt', type: 'AAAA' });
    const message = encodeAnswer(
      query,
      local({ answers: v6, authority: authorityRecord('alt') }),
      512,
    );
    const answer = decodeAnswer(message);
    assert.deepEqual(linesOf(answer.answers), ['alice.alt AAAA 60 2001:db8::7']);
    const [soa] = answer.authorities ?? [];
    assert.ok(soa?.type === 'SOA');
    assert.deepEqual([soa.name, soa.ttl, soa.data.mname, soa.data.minimum], ['alt', 10, 'alt', 10]);
  });

  test('says to ANY what is to be said', () => {
    const query = queryOf({ name: 'alice.alt', type: 'ANY' as 'A' });
    const answer = decodeAnswer(encodeAnswer(query, local({ answers: anyRecord() }), 512));
    assert.deepEqual(linesOf(answer.answers), ['alice.alt HINFO 3600 {cpu:RFC8482,os:}']);
  });

  test('has an OPT record where there was one, with DO as it was', () => {
    for (const dnssecOk of [false, true]) {
      const query = queryOf({ name: 'alice.alt', edns: { dnssecOk, udpBytes: 4000 } });
      const [opt] = decodeAnswer(encodeAnswer(query, local({}), 512)).additionals ?? [];
      assert.ok(opt?.type === 'OPT');
      assert.deepEqual([opt.udpPayloadSize, opt.flag_do, opt.options], [1232, dnssecOk, []]);
    }
  });

  test('says why it failed, to who can read it', () => {
    const failed = plainAnswer(rcodes.servFail, { code: 22, text: 'nobody answered' });
    const withOpt = encodeAnswer(queryOf({ name: 'alice.alt', edns: {} }), failed, 512);
    const [opt] = decodeAnswer(withOpt).additionals ?? [];
    assert.ok(opt?.type === 'OPT');
    const [option] = opt.options as unknown as { code: number; data: Buffer }[];
    assert.equal(option?.code, 15);
    assert.equal(option?.data.readUInt16BE(0), 22);
    assert.equal(option?.data.subarray(2).toString(), 'nobody answered');
    const plain = decodeAnswer(encodeAnswer(queryOf({ name: 'alice.alt' }), failed, 512));
    assert.deepEqual([plain.rcode, plain.additionals], [rcodes.servFail, []]);
  });

  test('is filled up to whole blocks where it is encrypted, for who padded its query', () => {
    const padding = { isEncrypted: true };
    const failed = plainAnswer(rcodes.servFail, { code: 22, text: 'nobody answered' });
    const asked = queryOf({ name: 'alice.alt', edns: { padding: 100 } });
    for (const answer of [failed, local({ answers: v4 })]) {
      const message = encodeAnswer(asked, answer, 65_535, padding);
      assert.equal(message.length, 468);
      const [opt] = decodeAnswer(message).additionals ?? [];
      assert.ok(opt?.type === 'OPT');
      const codes = (opt.options as unknown as { code: number }[]).map(({ code }) => code);
      assert.deepEqual(codes, answer === failed ? [15, 12] : [12]);
      assert.ok(encodeAnswer(asked, answer, 65_535).length < 200, 'not by UDP');
      assert.ok(encodeAnswer(asked, answer, 400, padding).length < 200, 'there is no room');
    }
    const plain = queryOf({ name: 'alice.alt', edns: {} });
    assert.ok(encodeAnswer(plain, failed, 65_535, padding).length < 200, 'nobody wanted it');
  });

  test('has the upper bits of its code in the OPT record', () => {
    const query = queryOf({ name: 'alice.alt', edns: {} });
    const answer = decodeAnswer(encodeAnswer(query, plainAnswer(rcodes.badVers), 512));
    assert.equal(answer.rcode, rcodes.badVers);
  });

  test('says only that there is more when it has no room', () => {
    const query = queryOf({ name: 'alice.alt', edns: {} });
    const whole = encodeAnswer(query, local({ answers: v4 }), 512);
    assert.equal(encodeAnswer(query, local({ answers: v4 }), whole.length).length, whole.length);
    const cut = decodeAnswer(encodeAnswer(query, local({ answers: v4 }), whole.length - 1));
    assert.ok(cut.isTruncated);
    assert.deepEqual([cut.answers, cut.additionals?.length], [[], 1]);
  });
});

describe('the answer of another resolver', () => {
  const asked = queryOf({ name: 'example.com', edns: {} });

  function passed(ageSeconds: number, flagsOfReply = 0): PassedAnswer {
    const octets = replyTo(
      { octets: Buffer.concat([Buffer.alloc(12), asked.question]).fill(1, 5, 6) },
      {
        id: 9,
        answers: [
          addressOf('example.com', '192.0.2.1', 300),
          addressOf('example.com', '192.0.2.2', 20),
        ],
      },
    );
    octets.writeUInt16BE(octets.readUInt16BE(2) | flagsOfReply, 2);
    const reply = parseReply(octets, { id: 9, key: asked.key });
    assert.ok(reply.kind === 'reply');
    return { ...reply, kind: 'passed', ageSeconds };
  }

  test('gets our ID and spelling, and TTLs of now', () => {
    const query = queryOf({ name: 'EXAMPLE.com', id: 77 });
    const answer = decodeAnswer(encodeAnswer(query, passed(30), 512));
    assert.equal(answer.id, 77);
    assert.deepEqual(
      answer.questions?.map(({ name }) => name),
      ['EXAMPLE.com'],
    );
    const lines = linesOf(answer.answers).map((line) => line.replace(/^\S+/, ''));
    assert.deepEqual(lines, [' A 270 192.0.2.1', ' A 0 192.0.2.2']);
    assert.ok(answer.flag_ra && !answer.flag_aa);
  });

  test('is filled up as well', () => {
    const padded = queryOf({ name: 'example.com', edns: { padding: 8 } });
    const message = encodeAnswer(padded, passed(0), 65_535, { isEncrypted: true });
    assert.equal(message.length, 468);
    assert.equal(decodeAnswer(message).answers?.length, 2);
  });

  test('says AD to who asked with AD or DO', () => {
    const ad = 0x0020;
    const queries = [
      queryOf({ name: 'example.com' }),
      queryOf({ name: 'example.com', flags: 0x0100 | ad }),
      queryOf({ name: 'example.com', edns: { dnssecOk: true } }),
    ];
    const said = queries.map(
      (query) => decodeAnswer(encodeAnswer(query, passed(0, ad), 512)).flag_ad,
    );
    assert.deepEqual(said, [false, true, true]);
  });

  test('is cut when it has no room', () => {
    const cut = decodeAnswer(encodeAnswer(asked, passed(0), 60));
    assert.deepEqual([cut.isTruncated, cut.answers], [true, []]);
  });
});
