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
