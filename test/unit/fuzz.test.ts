/**
 * A short fuzzing session with the same inputs each time; `FUZZ_SECONDS` and `FUZZ_SEED` make it
 * longer and other. `test/fuzz/main.ts` runs as many as are wanted and measures.
 */
import assert from 'node:assert/strict';
import process from 'node:process';
import { test } from 'node:test';
import { fuzzApi } from '../fuzz/api.ts';
import { diceOf } from '../fuzz/dice.ts';
import { dnsQueries, dnsReplies, fuzzDns } from '../fuzz/dns.ts';
import { isDeterministic } from '../fuzz/canonical.ts';
import { writeCbor } from '../fuzz/cbor.ts';
import { packets, replies, requests } from '../fuzz/messages.ts';
import { bodies, recordBodies, recordOctets } from '../fuzz/records.ts';
import { Finding, fuzz, type Target } from '../fuzz/target.ts';
import { fuzzAnswering, fuzzAsking } from '../fuzz/transport.ts';
import { rightNames, wrongNames } from '../support/name-samples.ts';
import { toHex } from '../../src/base/bytes.ts';

const seconds = Number(process.env['FUZZ_SECONDS'] ?? 0);
const seed = Number(process.env['FUZZ_SEED'] ?? 1);

const targets = [
  packets,
  requests,
  replies,
  bodies,
  recordOctets,
  recordBodies,
  dnsQueries,
  dnsReplies,
];

for (const target of targets) {
  test(`hostile octets break no promise: ${target.name}`, () => {
    const end = performance.now() + 1000 * seconds;
    const runs = seconds > 0 ? Number.MAX_SAFE_INTEGER : 2500;
    const isOver = (): boolean => seconds > 0 && performance.now() > end;
    const [tally] = fuzz([target], { dice: diceOf(seed), runs, isOver });
    assert.ok(tally && tally.runs > 0);
    // Changed octets break the signature of any record.
    if (target !== recordOctets) assert.ok(tally.accepted > 0, 'some inputs are still right');
  });
}

test('a running transport takes hostile datagrams without harm', async () => {
  const counters = await fuzzAnswering(diceOf(seed), 1500);
  for (const outcome of ['init.mac1', 'init.length', 'init.seal', 'resp.unasked', 'resp.sent']) {
    assert.ok((counters[outcome] ?? 0) > 0, `${outcome} was reached`);
  }
});

test('a running transport takes hostile answers without harm', async () => {
  const counters = await fuzzAsking(diceOf(seed), 128);
  assert.ok((counters['resp.opened'] ?? 0) > 0);
});

test('the API of a running node takes hostile requests without harm', async () => {
  const outcomes = await fuzzApi(diceOf(seed), 250);
  for (const status of ['200', '400', '401', '404', '415']) {
    assert.ok((outcomes[status] ?? 0) > 0, `${status} was reached`);
  }
});

test('the DNS service takes hostile queries without harm', async () => {
  const outcomes = await fuzzDns(diceOf(seed), 1000);
  for (const outcome of [
    'silence',
    'rcode 0',
    'rcode 1',
    'rcode 2',
    'rcode 3',
    'rcode 4',
    'rcode 5',
  ]) {
    assert.ok((outcomes[outcome] ?? 0) > 0, `${outcome} was reached`);
  }
});

test('without twists the writer of hostile bodies writes the one encoding', () => {
  const records = [
    ...Object.values(rightNames),
    ...Object.values(wrongNames).map((it) => it.record),
  ];
  for (const { fields, body } of records) {
    assert.equal(toHex(writeCbor(fields, diceOf(1), Number.POSITIVE_INFINITY)), toHex(body));
    assert.ok(isDeterministic(body));
  }
});

test('a broken promise is found, with its input', () => {
  const broken: Target = {
    name: 'broken',
    make: (dice) => dice.bytes(2),
    run: (input) => {
      assert.notEqual((input[0] ?? 0) & 7, 7);
      return true;
    },
  };
  assert.throws(
    () => fuzz([broken], { dice: diceOf(seed), runs: 1000 }),
    (error) => error instanceof Finding && /broken: .*input: [0-9a-f]{4}$/s.test(error.message),
  );
});
