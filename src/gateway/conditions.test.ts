import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { guessRange, judge, matchesAny, parseRange } from './conditions.ts';

const whole = { kind: 'whole' };
const none = { kind: 'unsatisfiable' };

function part(from: number, to: number): object {
  return { kind: 'part', from, to };
}

test('ranges', () => {
  const cases: [text: string, size: number, want: object][] = [
    ['bytes=0-9', 100, part(0, 10)],
    ['bytes=0-0', 100, part(0, 1)],
    ['bytes=90-', 100, part(90, 100)],
    ['bytes=90-1000', 100, part(90, 100)],
    ['bytes=-10', 100, part(90, 100)],
    ['bytes=-1000', 100, part(0, 100)],
    ['BYTES=5-6', 100, part(5, 7)],
    ['bytes= 5-6 ', 100, part(5, 7)],
    [`bytes=0-${'9'.repeat(400)}`, 100, part(0, 100)],
    ['bytes=100-', 100, none],
    [`bytes=${'9'.repeat(400)}-`, 100, none],
    ['bytes=-0', 100, none],
    ['bytes=0-', 0, none],
    ['bytes=-5', 0, none],
    ['bytes=9-5', 100, whole],
    ['bytes=-', 100, whole],
    ['bytes=', 100, whole],
    ['bytes=0-1,5-6', 100, whole],
    ['lines=0-1', 100, whole],
    ['bytes=a-b', 100, whole],
    ['bytes=0x1-2', 100, whole],
    ['bytes=1.5-2', 100, whole],
    ['bytes=+1-2', 100, whole],
    ['', 100, whole],
  ];
  for (const [text, size, want] of cases) assert.deepEqual(parseRange(text, size), want, text);
});

test('what a range is likely to need is known before the size is', () => {
  assert.deepEqual(guessRange('bytes=5-9'), { from: 5, to: 10 });
  assert.equal(guessRange('bytes=5-')?.from, 5);
  for (const text of [undefined, '', 'bytes=-5', 'bytes= -5', 'bytes=9-5', 'bytes=0-1,5-6']) {
    assert.equal(guessRange(text), undefined, text);
  }
});

test('a range is within the body whatever is asked', () => {
  checkProperty(
    fc.property(
      fc.oneof(fc.string(), fc.stringMatching(/^bytes=[0-9]{0,20}-[0-9]{0,20}$/)),
      fc.nat(),
      (text, size) => {
        const wanted = parseRange(text, size);
        if (wanted.kind !== 'part') return;
        const { from, to } = wanted;
        assert.ok(Number.isSafeInteger(from) && Number.isSafeInteger(to));
        assert.ok(0 <= from && from < to && to <= size);
      },
    ),
  );
});

test('entity tags', () => {
  const yes = ['"a"', 'W/"a"', '"x", "a"', '"x",W/"a" ,"y"', '*', ' * ', '"a,b", "a"'];
  for (const list of yes) assert.ok(matchesAny(list, '"a"'), list);
  const no = ['', '"b"', 'a', '"a', '"A"', '"xa"', '"a,b"', '**', "'a'"];
  for (const list of no) assert.ok(!matchesAny(list, '"a"'), list);
});

test('a tag is found in any list of tags, and only there', () => {
  const tag = fc.stringMatching(/^"[!#-~]{0,10}"$/);
  const weak = fc.boolean();
  checkProperty(
    fc.property(fc.array(fc.tuple(tag, weak), { maxLength: 6 }), tag, (listed, sought) => {
      const list = listed.map(([text, isWeak]) => (isWeak ? `W/${text}` : text)).join(', ');
      assert.equal(
        matchesAny(list, sought),
        listed.some(([text]) => text === sought),
      );
    }),
  );
});

test('conditions come in their order', () => {
  const body = { etag: '"a"', size: 10 };
  const ask = (ifNoneMatch?: string, range?: string, ifRange?: string): string =>
    judge({ ifNoneMatch, range, ifRange }, body).kind;
  assert.equal(ask(), 'whole');
  assert.equal(ask('"a"', 'bytes=0-1'), 'unchanged');
  assert.equal(ask('"b"', 'bytes=0-1'), 'part');
  assert.equal(ask(undefined, 'bytes=0-1', '"a"'), 'part');
  assert.equal(ask(undefined, 'bytes=0-1', '"b"'), 'whole');
  assert.equal(ask(undefined, 'bytes=0-1', 'W/"a"'), 'whole');
  assert.equal(ask(undefined, 'bytes=0-1', 'Sat, 01 Jan 2028 00:00:00 GMT'), 'whole');
  assert.equal(ask(undefined, 'bytes=99-'), 'unsatisfiable');
});
