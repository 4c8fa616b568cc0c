/** Whole answers, and their dates. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { utf8 } from '../base/bytes.ts';
import { ReadyAnswer } from './ready-answer.ts';

const date = 'Sat, 21 Nov 2026 21:53:34 GMT';
const ms = Date.parse(date);
const headWith = (dateLine: string, connection = 'keep-alive'): string =>
  `HTTP/1.1 200 OK\r\netag: "a"\r\n${dateLine}Connection: ${connection}\r\nKeep-Alive: timeout=30\r\n\r\n`;
const head = headWith(`Date: ${date}\r\n`);

test('an answer is given with the date of the second', () => {
  const answer = ReadyAnswer.of(head, utf8('body'));
  assert.ok(answer);
  const first = answer.octetsAt(ms);
  assert.equal(first.toString(), `${head}body`);
  assert.equal(first.length, answer.bytes);
  assert.equal(answer.octetsAt(ms + 999), first, 'made once a second');
  const later = answer.octetsAt(ms + 26_000);
  assert.equal(later.toString(), `${headWith('Date: Sat, 21 Nov 2026 21:54:00 GMT\r\n')}body`);
  assert.equal(first.toString(), `${head}body`, 'what may still be on its way is left alone');
  assert.equal(answer.octetsAt(ms).toString(), `${head}body`, 'a clock may be put back');
});

test('what has no date, ends its connection or is no head cannot be given again', () => {
  for (const other of [
    headWith(''),
    headWith('Date: today\r\n'),
    headWith(`Date: ${date}\r\n`, 'close'),
    head.slice(0, -2),
    '',
  ]) {
    assert.equal(ReadyAnswer.of(other, utf8('body')), undefined, other);
  }
});
