/**
 * What the program says in its log, and docs/LOGS.md, in both directions; and that no line at info
 * or above is made of what somebody else wrote.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type LogCall, logCallsIn } from '../support/log-calls.ts';
import { readText, type Source, sourcesIn } from '../support/sources.ts';

/** The writer itself, which gets its messages from the others. */
const writer = 'src/node/log.ts';

const sources: Source[] = sourcesIn('src').filter(({ file, isTest }) => !isTest && file !== writer);
const shown: LogCall[] = sources.flatMap(logCallsIn).filter(({ level }) => level !== 'debug');

interface Sample {
  readonly level: string;
  readonly message: string;
  readonly fields: readonly string[];
}

/** Rows "| `warn  message field=value` | … |". */
function samplesIn(text: string): Sample[] {
  return [...text.matchAll(/^\| `(error|warn|info) +(.+?)` *\|/gm)].map((match) => {
    const [, level = '', said = ''] = match;
    const [message = ''] = said.split(/ \w+=/);
    const behind = said.slice(message.length).replace(/"(?:[^"\\]|\\.)*"/g, '""');
    const fields = [...behind.matchAll(/ (\w+)=/g)].map(([, name = '']) => name);
    return { level, message, fields };
  });
}

const samples: Sample[] = samplesIn(readText('docs/LOGS.md'));

test('the search for log calls finds them, however they are written', () => {
  const text = [
    "log.info('one', { a, b: x(1, 2), c: { d: 1 } });",
    "this.#deps.log\n  .warn('it\\'s two');",
    "if (x) logger.error('three; (', found);",
    "log[told ? 'debug' : 'warn']('four');",
    '// log.warn("not me")',
    'log.warn(`five ${x}`, { ...y });',
  ].join('\n');
  const found = logCallsIn({ file: 'src/x.ts', text, isTest: false });
  assert.deepEqual(
    found.map(({ level, message, fields }) => [level, message, fields]),
    [
      ['info', 'one', ['a', 'b', 'c']],
      ['warn', "it's two", []],
      ['error', 'three; (', undefined],
      ['error', 'four', []],
      ['warn', undefined, undefined],
    ],
  );
  const why = "const why = error.message;\nlog.warn('six', { why });";
  assert.match(logCallsIn({ file: '', text: why, isTest: false })[0]?.made ?? '', /error\.message/);
  assert.equal(found[1]?.place, 'src/x.ts:2');
  assert.ok(shown.length > 50);
});

test('a message is a constant, written where it is said', () => {
  const loose = shown.filter(({ message }) => message === undefined);
  assert.deepEqual(
    loose.map(({ place }) => place),
    [],
    'search, docs/LOGS.md and the limit on repeated lines go by the message',
  );
});

test('docs/LOGS.md has a sample of each line at info and above', () => {
  const lost = shown
    .filter(({ message, level }) => {
      return !samples.some((sample) => sample.message === message && sample.level === level);
    })
    .map(({ place, level, message }) => `add to docs/LOGS.md: ${level} "${message}" (${place})`);
  assert.deepEqual(lost, []);
});

test('docs/LOGS.md has no sample of what is never said, and none twice', () => {
  const dead = samples
    .filter(({ message, level }) => {
      return !shown.some((call) => call.message === message && call.level === level);
    })
    .map(({ level, message }) => `remove from docs/LOGS.md: ${level} "${message}"`);
  assert.deepEqual(dead, []);
  const messages = samples.map(({ message }) => message);
  assert.deepEqual(
    messages.filter((message, at) => messages.indexOf(message) !== at),
    [],
  );
});

test('the samples have the fields that the lines have', () => {
  const wrong = shown.flatMap(({ place, message, fields }) => {
    const sample = samples.find((each) => each.message === message);
    if (!fields || !sample) return [];
    const [have, want] = [sample.fields, fields].map((list) => list.toSorted().join(' '));
    return have === want ? [] : [`"${message}" (${place}) has: ${want}; docs/LOGS.md: ${have}`];
  });
  assert.deepEqual(wrong, []);
});

test('no line at info or above quotes an error: its words may be those of a peer', () => {
  // What goes wrong in the store is said by the system and the database, never by a peer.
  const quoting = shown.filter(
    ({ place, made }) =>
      !place.startsWith('src/store/') && /String\(error|\berror\.message\b|\.stack\b/.test(made),
  );
  assert.deepEqual(
    quoting.map(
      ({ place, made }) => `${place}: ${made}; use reasonOf(error) of src/base/reason.ts`,
    ),
    [],
  );
});
