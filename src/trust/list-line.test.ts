import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { asBuffer, type Bytes, concatBytes, utf8 } from '../base/bytes.ts';
import { LineCutter, type ListLine } from './list-line.ts';

interface SeenLine {
  readonly text: string;
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly isTooLong: boolean;
}

function seen({ octets, start, end, number, from, to, isTooLong }: ListLine): SeenLine {
  const text = asBuffer(octets.subarray(start, end)).toString('latin1');
  return { text, number, from, to, isTooLong };
}

/** The lines of a file that comes in pieces of these sizes. */
function cut(file: Bytes, sizes: readonly number[], lineBytesMax: number): SeenLine[] {
  const cutter = new LineCutter(lineBytesMax);
  const lines: SeenLine[] = [];
  let at = 0;
  for (const size of [...sizes, file.length]) {
    const piece = file.slice(at, at + size); // memory of its own, as it is in a reader
    for (const line of cutter.cut(piece)) lines.push(seen(line));
    piece.fill(0x0a);
    at += piece.length;
  }
  for (const line of cutter.end()) lines.push(seen(line));
  return lines;
}

/** The same, the simple way. */
function split(file: Bytes, lineBytesMax: number): SeenLine[] {
  const whole = asBuffer(file).toString('latin1');
  const texts = whole.split('\n');
  if (texts.at(-1) === '') texts.pop();
  let from = 0;
  return texts.map((raw, i) => {
    const to = Math.min(from + raw.length + 1, file.length);
    const text = (i === 0 ? raw.replace(/^\xef\xbb\xbf/, '') : raw).replace(/\r$/, '');
    const isTooLong = text.length > lineBytesMax;
    const line = { text: isTooLong ? '' : text, number: i + 1, from, to, isTooLong };
    from = to;
    return line;
  });
}

test('however a file comes in, its lines are the same', () => {
  const octet = fc.constantFrom(0x0a, 0x0d, 0x61, 0x62, 0xef, 0xbb, 0xbf, 0);
  const octets = fc.array(octet, { maxLength: 80 }).map((values) => Uint8Array.from(values));
  const mark = fc.constantFrom(Uint8Array.of(), Uint8Array.of(0xef, 0xbb, 0xbf));
  const sizes = fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 12 });
  checkProperty(
    fc.property(mark, octets, sizes, fc.integer({ min: 1, max: 9 }), (bom, body, parts, max) => {
      const file = concatBytes(bom, body);
      assert.deepEqual(cut(file, parts, max), split(file, max));
    }),
  );
});

test('a line without end takes no memory', () => {
  const cutter = new LineCutter(8);
  const piece = new Uint8Array(64 * 1024).fill(0x61);
  for (let i = 0; i < 100; i++) assert.deepEqual([...cutter.cut(piece)], []);
  const [line] = [...cutter.cut(utf8('\nb\n'))].map(seen);
  const bytes = 100 * piece.length + 1;
  const [last] = [...cutter.end()];
  assert.equal(last, undefined);
  assert.equal(line?.number, 2, 'the object is that of the last line');
  assert.equal(line?.from, bytes);
});
