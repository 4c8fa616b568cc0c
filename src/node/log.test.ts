import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger, type LogOptions } from './log.ts';

function lines(options: LogOptions): string[] {
  const written: string[] = [];
  const log = createLogger(options, (line) => written.push(line));
  log.debug('looking', { n: 1 });
  log.info('listening', { address: '127.0.0.1:9000' });
  log.warn('odd', { why: 'two words\u001b[2J\nand a line' });
  log.error('bad');
  return written;
}

test('text is a line for people; what could disturb a terminal is escaped', () => {
  const [info, warn, error, ...more] = lines({ level: 'info', format: 'text' });
  assert.match(info ?? '', /^\d\d:\d\d:\d\d info {2}listening address=127\.0\.0\.1:9000\n$/);
  assert.match(warn ?? '', / warn {2}odd why="two words\\u001b\[2J\\nand a line"\n$/);
  assert.match(error ?? '', / error bad\n$/);
  assert.deepEqual(more, []);
});

test('JSON is one object a line', () => {
  const parsed = lines({ level: 'debug', format: 'json' }).map(
    (line) => JSON.parse(line) as Record<string, unknown>,
  );
  assert.deepEqual(
    parsed.map(({ level, msg }) => [level, msg]),
    [
      ['debug', 'looking'],
      ['info', 'listening'],
      ['warn', 'odd'],
      ['error', 'bad'],
    ],
  );
  assert.equal(parsed[0]?.['n'], 1);
});

test('nothing in a field gets out of its line, in either format', () => {
  for (const format of ['text', 'json'] as const) {
    const written: string[] = [];
    const log = createLogger({ level: 'debug', format }, (line) => written.push(line));
    const why = '\u009b31m\u202Egnp.exe\u2028\r\n{"level":"error"}\u0000\ud800';
    log.debug('odd', { why });
    assert.equal(written.length, 1);
    assert.match(written[0] ?? '', /^[^\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]+\n$/u);
    if (format === 'text') continue;
    assert.equal((JSON.parse(written[0] ?? '') as { why: string }).why.at(0), '\u009b');
  }
});

test('a long text is cut', () => {
  const written: string[] = [];
  const log = createLogger({ level: 'debug', format: 'json' }, (line) => written.push(line));
  log.debug('odd', { why: 'x'.repeat(1e6), n: 1 });
  const { why, n } = JSON.parse(written[0] ?? '') as { why: string; n: number };
  assert.deepEqual([why.length, why.at(-1), n], [501, '…', 1]);
});

test('a message that comes again and again is left out, and counted', () => {
  let nowMs = 0;
  const written: { msg: string; leftOut?: number }[] = [];
  const log = createLogger(
    { level: 'info', format: 'json', clock: { monotonicMs: () => nowMs } },
    (line) => written.push(JSON.parse(line) as { msg: string }),
  );
  for (let i = 0; i < 1000; i++) log.warn('flood', { i });
  const first = written.length;
  assert.ok(first < 100);
  log.warn('other');
  assert.equal(written.at(-1)?.msg, 'other', 'another message is not held back');
  nowMs = 60_000;
  log.warn('flood');
  assert.deepEqual([written.at(-1)?.msg, written.at(-1)?.leftOut], ['flood', 1000 - first]);
  log.debug('not written');
  assert.equal(written.length, first + 2);
});
