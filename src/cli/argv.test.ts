import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { checkProperty } from '../../test/support/property.ts';
import { type LongOptions, normaliseArgv, splitWords, wantsJson, wantsJsonLog } from './argv.ts';

const long: LongOptions = new Map([
  ['listen', { takesValue: true }],
  ['note', { takesValue: true }],
  ['headless', { takesValue: false }],
]);
const short: ReadonlySet<string> = new Set(['-b', '-p']);

const cases: readonly [what: string, given: string, wanted: string][] = [
  ['a long option with one dash', '-listen :9000', '--listen :9000'],
  ['with its value in one word', '-listen=:9000', '--listen=:9000'],
  ['with an empty value', '-listen= -headless', '--listen= --headless'],
  ['two dashes stay', '--listen :9000', '--listen :9000'],
  ['short options stay', '-b a:1 -p 9', '-b a:1 -p 9'],
  ['a short option with its value attached stays', '-p9000', '-p9000'],
  ['unknown options stay, for the parser to refuse', '-lisen x', '-lisen x'],
  ['negative numbers stay', 'put -5 -1.5', 'put -5 -1.5'],
  ['a lone dash stays', 'put -', 'put -'],
  ['nothing after -- is touched', '-headless -- -listen', '--headless -- -listen'],
  ['the value of an option is no option', '--note -listen -headless', '--note -listen --headless'],
  ['nor is the value of a short one', '-b -headless', '-b -headless'],
  ['a value may be --', '-note -- -headless', '--note -- --headless'],
];

for (const [what, given, wanted] of cases) {
  test(`normaliseArgv: ${what}`, () => {
    assert.deepEqual(normaliseArgv(given.split(' '), long, short), wanted.split(' '));
  });
}

test('normaliseArgv changes nothing the second time, and never the number of words', () => {
  const word = fc.constantFrom(
    '-listen',
    '--listen',
    '-note=x',
    '-headless',
    '-b',
    '--',
    'a',
    '-5',
  );
  checkProperty(
    fc.property(fc.array(word), (argv) => {
      const once = normaliseArgv(argv, long, short);
      assert.equal(once.length, argv.length);
      assert.deepEqual(normaliseArgv(once, long, short), once);
    }),
  );
});

test('wantsJson looks at options only', () => {
  assert.equal(wantsJson(['peers', '--json']), true);
  assert.equal(wantsJson(['peers', '-json']), true);
  assert.equal(wantsJson(['put', '--', '--json']), false);
});

test('splitWords cuts a line as a shell would', () => {
  assert.deepEqual(splitWords('  link get  http://a/b '), ['link', 'get', 'http://a/b']);
  assert.deepEqual(splitWords(`put "two words" 'and "more"' ""`), [
    'put',
    'two words',
    'and "more"',
    '',
  ]);
  assert.deepEqual(splitWords(String.raw`a\ b "c\"d" 'e\f'`), ['a b', 'c"d', String.raw`e\f`]);
  assert.deepEqual(splitWords(''), []);
  assert.throws(() => splitWords('put "open'), { code: 'USAGE' });
});

const quote = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

test('splitWords gives back any words that were quoted', () => {
  checkProperty(
    fc.property(fc.array(fc.string()), (words) => {
      assert.deepEqual(splitWords(words.map(quote).join(' ')), words);
    }),
  );
});

test('wantsJsonLog knows both spellings', () => {
  assert.equal(wantsJsonLog(['start', '--log-format', 'json']), true);
  assert.equal(wantsJsonLog(['-log-format=json', '-headless']), true);
  assert.equal(wantsJsonLog(['start', '--log-format', 'text', 'json']), false);
  assert.equal(wantsJsonLog(['put', '--', '--log-format', 'json']), false);
});
