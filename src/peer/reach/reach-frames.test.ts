import assert from 'node:assert/strict';
import { test } from 'node:test';
import { property, uint8Array } from 'fast-check';
import { parseEndpoint } from '../../base/address.ts';
import { checkProperty } from '../../../test/support/property.ts';
import {
  decodeAnswer,
  decodeQuestion,
  encodeAnswer,
  encodeQuestion,
  type ReachAnswer,
  type ReachQuestion,
} from './reach-frames.ts';

test('questions and answers are read as they were written', () => {
  const questions: ReachQuestion[] = [{ type: 'seen' }, { type: 'dialBack', port: 4001 }];
  for (const one of questions) assert.deepEqual(decodeQuestion(encodeQuestion(one)), one);
  const endpoint = parseEndpoint('45.1.2.3:4001');
  assert.ok(endpoint);
  const answers: ReachAnswer[] = [
    { type: 'seenAt', endpoint },
    { type: 'dialled', result: 'reached' },
    { type: 'dialled', result: 'refused' },
  ];
  for (const one of answers) assert.deepEqual(decodeAnswer(encodeAnswer(one)), one);
});

test('all else is neither', () => {
  assert.equal(decodeQuestion(Uint8Array.of(2, 0, 0)), undefined, 'port 0');
  assert.equal(decodeQuestion(Uint8Array.of(1, 0, 1)), undefined, 'a port that has no meaning');
  assert.equal(decodeQuestion(Uint8Array.of(1, 0)), undefined);
  assert.equal(decodeAnswer(new Uint8Array(19)), undefined);
  const unknown = Uint8Array.from({ length: 19 }, (_, i) => (i === 0 ? 0x82 : 9));
  assert.equal(decodeAnswer(unknown), undefined, 'an unknown result');
  checkProperty(
    property(uint8Array({ maxLength: 24 }), (bytes) => {
      decodeQuestion(bytes);
      decodeAnswer(bytes);
    }),
  );
});
