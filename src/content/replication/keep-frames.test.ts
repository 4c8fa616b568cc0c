import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../../test/support/property.ts';
import {
  decodeAnswer,
  decodeDecline,
  decodeOffer,
  decodeProgress,
  decodeQuestion,
  declineCodes,
  encodeAnswer,
  encodeDecline,
  encodeOffer,
  encodeProgress,
  encodeQuestion,
  keepFrameBytesMax,
  keepFrames,
  type Offer,
} from './keep-frames.ts';

const headBytes = 5;
const body = (frame: Uint8Array): Uint8Array => frame.subarray(headBytes);
const hash = fc.uint8Array({ minLength: 32, maxLength: 32 });
const plain = { noNullPrototype: true } as const;
const link = fc.record({ codec: fc.constantFrom('dag-pb', 'raw'), hash }, plain);
const counts = {
  bytes: fc.maxSafeNat(),
  files: fc.nat(200_000),
  blocks: fc.integer({ min: 1, max: 262_144 }),
};
const replaces = fc.option(hash, { nil: undefined });
const offers: fc.Arbitrary<Offer> = fc.record({ link, replaces, ...counts }, plain);

test('offers, questions, answers and progress come out as they went in', () => {
  checkProperty(
    fc.property(offers, (offer) => assert.deepEqual(decodeOffer(body(encodeOffer(offer))), offer)),
  );
  checkProperty(
    fc.property(fc.array(hash, { minLength: 1, maxLength: 256 }), (hashes) =>
      assert.deepEqual(decodeQuestion(body(encodeQuestion(hashes))), hashes),
    ),
  );
  const standings = fc.constantFrom('no', 'held', 'superseded');
  checkProperty(
    fc.property(fc.array(standings, { minLength: 1, maxLength: 256 }), (answers) =>
      assert.deepEqual(decodeAnswer(body(encodeAnswer(answers)), answers.length), answers),
    ),
  );
  checkProperty(
    fc.property(fc.maxSafeNat(), (bytes) =>
      assert.equal(decodeProgress(body(encodeProgress(bytes))), bytes),
    ),
  );
});

test('any octets give a value within its limits or none', () => {
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 90 }), (octets) => {
      const offer = decodeOffer(octets);
      if (offer) assert.ok(offer.blocks >= 1 && Number.isSafeInteger(offer.bytes));
      decodeQuestion(octets);
      decodeAnswer(octets, octets.length * 4);
      decodeProgress(octets);
      decodeDecline(octets);
    }),
  );
});

test('what breaks a limit is nothing', () => {
  const root = { codec: 'raw', hash: new Uint8Array(32) } as const;
  const good = body(encodeOffer({ link: root, bytes: 1, files: 1, blocks: 1 }));
  assert.ok(decodeOffer(good));
  const changed = (at: number, octet: number): Uint8Array => good.with(at, octet);
  assert.equal(decodeOffer(changed(0, 2)), undefined, 'codec');
  assert.equal(decodeOffer(changed(1, 1)), undefined, 'a former root is announced and missing');
  assert.equal(decodeOffer(changed(1, 2)), undefined, 'flags');
  assert.equal(decodeOffer(changed(34, 0x20)), undefined, 'bytes');
  assert.equal(decodeOffer(changed(42, 1)), undefined, 'files');
  assert.equal(decodeOffer(changed(46, 1)), undefined, 'blocks');
  assert.equal(decodeOffer(good.subarray(1)), undefined);
  assert.equal(decodeAnswer(Uint8Array.of(0b01_10_00_01), 3), undefined, 'octets left over');
  assert.equal(decodeAnswer(Uint8Array.of(0b11_00_00_00), 1), undefined, 'no such answer');
  assert.equal(decodeProgress(new Uint8Array(8).fill(255)), undefined);
  assert.equal(keepFrameBytesMax(0x7f), undefined);
});

test('each reason has its number, and an unknown one is a failure', () => {
  for (const why of Object.keys(declineCodes) as (keyof typeof declineCodes)[]) {
    assert.equal(decodeDecline(body(encodeDecline(keepFrames.refused, why))), why);
  }
  assert.equal(decodeDecline(Uint8Array.of(200)), 'failed');
  assert.equal(decodeDecline(new Uint8Array(2)), undefined);
});
