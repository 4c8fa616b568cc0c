import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { base32 } from 'multiformats/bases/base32';
import { base58btc } from 'multiformats/bases/base58';
import { checkProperty } from '../../test/support/property.ts';
import { type Bytes, concatBytes, toHex, utf8 } from '../base/bytes.ts';
import type { ListLine } from './list-line.ts';
import { lineBytesMax, type LineMeaning, readLine } from './read-line.ts';
import { parseLine, type Rule } from './rule.ts';
import type { RuleSink } from './rule-set.ts';

function lineOf(octets: Bytes): ListLine {
  const place = { start: 0, end: octets.length, from: 0, to: octets.length };
  return { octets, ...place, number: 1, isTooLong: false };
}

/** What was added, as text. */
class Recorder implements RuleSink {
  readonly added: string[] = [];
  addBlock(hash: Bytes, allow: boolean): void {
    this.add({ on: 'block', hash }, allow);
  }
  addDouble(digest: Bytes, form: 'multihash' | 'cid', allow: boolean): void {
    this.add({ on: 'double', digest, form }, allow);
  }
  add(rule: Rule, allow: boolean): void {
    const shown = Object.entries(rule).map(([name, value]: [string, unknown]) => [
      name,
      value instanceof Uint8Array ? toHex(value) : value,
    ]);
    this.added.push(JSON.stringify([Object.fromEntries(shown), allow]));
  }
}

function readAs(text: string): { meaning: LineMeaning; added: string[] } {
  const sink = new Recorder();
  return { meaning: readLine(lineOf(utf8(text)), sink), added: sink.added };
}

function parsedAs(text: string): { meaning: LineMeaning; added: string[] } {
  const sink = new Recorder();
  const parsed = parseLine(text);
  if (parsed.is === 'rule') sink.add(parsed.rule, parsed.allow);
  const meaning = parsed.is === 'bad' ? { why: parsed.why } : parsed.is;
  return { meaning, added: sink.added };
}

test('the short way for common lines says what the long way says', () => {
  const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const word = digest.chain((hash) =>
    fc.constantFrom(
      toHex(hash),
      toHex(hash).toUpperCase(),
      base58btc.baseEncode(concatBytes(Uint8Array.of(0x12, 32), hash)),
      base58btc.baseEncode(concatBytes(Uint8Array.of(0x13, 32), hash)),
      base32.encode(concatBytes(Uint8Array.of(1, 0x70, 0x12, 32), hash)),
      base32.encode(concatBytes(Uint8Array.of(1, 0x55, 0x12, 32), hash)),
      base32.encode(concatBytes(Uint8Array.of(1, 0x71, 0x1e, 32), hash)),
    ),
  );
  const before = fc.constantFrom('', '/ipfs/', '/ipld/', '//', '/ipns/', '/ipf/', ' ', '#', '/');
  const after = fc.constantFrom('', ' ', '\t', ' a:b', '/', '/*', '*', '0', '\r', '\0', '/a');
  const bang = fc.constantFrom('', '', '!', '!!', ' !');
  checkProperty(
    fc.property(bang, before, word, after, (...parts) => {
      const text = parts.join('');
      assert.deepEqual(readAs(text), parsedAs(text), text);
    }),
  );
});

test('any octets have a meaning', () => {
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 300 }), (octets) => {
      const meaning = readLine(lineOf(octets), new Recorder());
      assert.ok(typeof meaning === 'object' ? meaning.why !== '' : meaning !== 'rule');
    }),
  );
});

test('what is not UTF-8 and what is too long is told apart', () => {
  const sink = new Recorder();
  const broken = lineOf(concatBytes(utf8('/name/'), Uint8Array.of(0xff)));
  assert.deepEqual(readLine(broken, sink), { why: 'it is not UTF-8' });
  const long = readLine({ ...lineOf(utf8('')), isTooLong: true }, sink);
  assert.deepEqual(long, { why: `it is longer than ${lineBytesMax} bytes` });
  assert.deepEqual(sink.added, []);
});
