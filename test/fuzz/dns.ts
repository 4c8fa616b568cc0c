/** Fuzzing of the DNS service: queries, answers of other resolvers, and the service between them. */
import assert from 'node:assert/strict';
import { decode } from 'dns-packet';
import type { Bytes } from '../../src/base/bytes.ts';
import { systemWorld } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { headerBytes } from '../../src/dns/codes.ts';
import { DnsService } from '../../src/dns/dns-service.ts';
import { parseQuery, type Query } from '../../src/dns/query.ts';
import { addressRecords, authorityRecord, noRecords } from '../../src/dns/records.ts';
import { encodeAnswer, encodeRefusal, plainAnswer } from '../../src/dns/response.ts';
import { parseReply } from '../../src/dns/upstream/reply.ts';
import { encodeQuery, queryOf } from '../support/dns-messages.ts';
import { DnsNames } from '../support/dns-names.ts';
import { addressOf, replyTo } from '../support/fake-resolver.ts';
import type { Dice } from './dice.ts';
import { mutateOctets } from './octets.ts';
import type { Target } from './target.ts';

const queryBytesMax = 1232;

/** Mutations copy with `slice`, which copies nothing of a Buffer. */
function plain(octets: Bytes): Bytes {
  return Uint8Array.from(octets);
}

const sampleQueries: readonly Bytes[] = [
  encodeQuery({ name: 'alice.alt' }),
  encodeQuery({ name: 'blog.ALICE.alt', type: 'AAAA', edns: { dnssecOk: true } }),
  encodeQuery({ name: 'alt', type: 'SOA', edns: { udpBytes: 4096 } }),
  encodeQuery({ name: `${'a'.repeat(63)}.${'b'.repeat(63)}.alt`, type: 'TXT' }),
  encodeQuery({ name: 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi.alt' }),
  encodeQuery({ name: 'x.gns.alt', flags: 0 }),
  encodeQuery({ name: 'example.com', type: 'ANY' as 'A', edns: {} }),
  encodeQuery({ name: 'localhost' }),
].map(plain);

const makeQuery = (dice: Dice): Bytes =>
  dice.oneIn(20)
    ? dice.pick(sampleQueries)
    : mutateOctets(dice.pick(sampleQueries), dice, dice.pick(sampleQueries));

const found = {
  ...plainAnswer(0),
  isAuthoritative: true,
  answers: addressRecords(['192.0.2.1']).v4 ?? noRecords,
  authority: authorityRecord('alt'),
};
const failed = plainAnswer(2, { code: 22, text: 'nobody can say' });

/** What is read is right, and each answer to it is one, of the size that was allowed. */
export const dnsQueries: Target = {
  name: 'DNS queries',
  make: makeQuery,
  run(input) {
    const parsed = parseQuery(input, queryBytesMax);
    if (parsed.kind === 'silence') return false;
    if (parsed.kind === 'refused') {
      assert.equal(encodeRefusal(parsed, parsed.rcode).length, headerBytes);
      return false;
    }
    checkQuery(parsed.query, input);
    for (const answer of [found, failed]) {
      checkAnswer(encodeAnswer(parsed.query, answer, queryBytesMax), parsed.query);
    }
    const cut = encodeAnswer(parsed.query, found, 0);
    assert.ok(((cut[2] ?? 0) & 2) !== 0 && cut.length <= input.length + 11);
    return true;
  },
};

function checkQuery(query: Query, input: Bytes): void {
  const octets = query.labels.reduce((sum, label) => sum + label.length + 1, 1);
  assert.ok(octets <= 255 && query.labels.every(({ length }) => length > 0 && length <= 63));
  assert.equal(query.question.length, octets + 4);
  assert.ok(query.question.length + headerBytes <= input.length);
}

function checkAnswer(message: Bytes, { id, question }: Query): void {
  assert.ok(message.length <= queryBytesMax);
  const asBuffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  assert.equal(decode(asBuffer).id, id);
  assert.ok(asBuffer.subarray(headerBytes, headerBytes + question.length).equals(question));
}

const asked = queryOf({ name: 'example.com', id: 4711, edns: {} });
const sampleReplies: readonly Bytes[] = [
  replyTo({ octets: encodeQuery({ name: 'example.com' }) }, { rcode: 3 }),
  replyTo(
    { octets: encodeQuery({ name: 'example.com' }) },
    {
      answers: [addressOf('example.com', '192.0.2.1'), addressOf('example.com', '192.0.2.2')],
      authorities: [{ type: 'SOA', name: 'com', ttl: 60, data: { mname: 'a', rname: 'b' } }],
      additionals: [addressOf('ns.example.com', '192.0.2.9')],
    },
  ),
].map(plain);
/** Behind what an answer must begin with to be looked at. */
const replyHead = headerBytes + asked.question.length;

/** Whatever another resolver sends, nothing is read or written beyond it. */
export const dnsReplies: Target = {
  name: 'DNS answers of other resolvers',
  make(dice) {
    const [sample, other] = [dice.pick(sampleReplies), dice.pick(sampleReplies)];
    if (dice.oneIn(8)) return mutateOctets(sample, dice, other);
    const records = mutateOctets(sample.subarray(replyHead), dice, other);
    const message = Buffer.concat([sample.subarray(0, replyHead), records]);
    if (dice.oneIn(2)) message[dice.pick([7, 9, 11])] = dice.below(4);
    return message;
  },
  run(input) {
    const reply = parseReply(input, { id: 4711, key: asked.key });
    if (reply.kind !== 'reply') return false;
    assert.ok(reply.octets.length <= input.length && reply.octets.length >= replyHead);
    assert.ok(reply.ttlOffsets.every((at) => at >= replyHead && at + 4 <= reply.octets.length));
    const passed = { ...reply, kind: 'passed', ageSeconds: 7 } as const;
    const message = encodeAnswer(asked, passed, 65_535);
    assert.equal(message.length, reply.octets.length + 11);
    return true;
  },
};

/** Queries to a whole service that has nobody to ask; how many got which answer. */
export async function fuzzDns(dice: Dice, runs: number): Promise<Record<string, number>> {
  const service = new DnsService(
    {
      names: new DnsNames('alice.alt'),
      world: systemWorld,
      log: silentLogger,
      readSystem: () => Promise.resolve({ servers: [], search: [] }),
    },
    { tld: 'alt', ips: ['192.0.2.1'], upstream: [] },
    { host: '127.0.0.1', port: 0 },
  );
  const outcomes: Record<string, number> = {};
  for (let run = 0; run < runs; run++) {
    const answer = await service.answerHttps(makeQuery(dice), '127.0.0.1');
    const outcome = answer ? `rcode ${(answer.message[3] ?? 0) & 15}` : 'silence';
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  await service.stop();
  return outcomes;
}
