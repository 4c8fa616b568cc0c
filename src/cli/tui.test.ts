import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AltNetError } from '../base/errors.ts';
import { exitCodeOf, type OutputStream, Terminal } from './tui.ts';

interface Written {
  readonly terminal: Terminal;
  readonly stdout: () => string;
  readonly stderr: () => string;
}

function written({ json = false, isTTY = false, jsonLog = false } = {}): Written {
  const texts = { stdout: '', stderr: '' };
  const stream = (name: keyof typeof texts): OutputStream => ({
    isTTY,
    columns: 60,
    write: (data) => (texts[name] += String(data)),
  });
  const streams = { stdout: stream('stdout'), stderr: stream('stderr') };
  const clock = { unixMs: () => 5 };
  const terminal = new Terminal({ ...streams, json, jsonLog, program: 'altnet', ...clock });
  return { terminal, stdout: () => texts.stdout, stderr: () => texts.stderr };
}

const hostile = '\u001B]0;title\u0007';

test('stdout has the result only, as text or as JSON', () => {
  const text = written();
  text.terminal.result({ key: 'value' }, ['one', 'two']);
  text.terminal.list([{ a: 1 }], ['a list']);
  assert.equal(text.stdout(), 'one\ntwo\na list\n');
  const json = written({ json: true });
  json.terminal.result({ key: hostile }, ['one']);
  json.terminal.list([{ a: 1 }, { a: 2 }], ['a list']);
  json.terminal.list([], ['an empty list']);
  assert.equal(json.stdout(), '{"key":"\\u001b]0;title\\u0007"}\n{"a":1}\n{"a":2}\n');
  assert.equal(text.stderr() + json.stderr(), '');
});

test('a failure is one safe line on stderr', () => {
  const error = new AltNetError('BAD_URL', { text: hostile, why: 'no\nscheme' });
  const text = written();
  text.terminal.failure(error);
  assert.match(text.stderr(), /^altnet: "\\u001b[^\n]*no\\u000ascheme\n$/);
  const json = written({ json: true });
  json.terminal.failure(error);
  assert.deepEqual(JSON.parse(json.stderr()), { error: error.message, code: 'BAD_URL' });
  const unforeseen = written();
  unforeseen.terminal.failure(new TypeError('x is not a function'));
  assert.match(unforeseen.stderr(), /^altnet: internal error: x is not a function; .*\n$/);
});

test('progress is drawn on a terminal and wiped before the next output', () => {
  const { terminal, stdout, stderr } = written({ isTTY: true });
  const onProgress = terminal.progress('fetching');
  onProgress({ bytes: 1000, bytesTotal: 4000, files: 1, peers: 2 });
  assert.ok(stderr().includes('\r\u001B[Kfetching [##--------]  25 %'), stderr());
  assert.ok(
    stderr()
      .split('\r')
      .every((line) => line.replace('\u001B[K', '').length < 60),
    'cut to the width',
  );
  const drawn = stderr().length;
  terminal.result({}, ['done']);
  terminal.done();
  assert.equal(stderr().slice(drawn), '\r\u001B[K', 'wiped once');
  assert.equal(stdout(), 'done\n');
});

test('nothing is drawn on a pipe or with JSON', () => {
  for (const options of [{ isTTY: false }, { isTTY: true, json: true }]) {
    const { terminal, stderr } = written(options);
    terminal.progress('fetching')({ bytes: 1, files: 0, peers: 0 });
    terminal.done();
    assert.equal(stderr(), '');
  }
});

test('the exit code says whether the words were wrong', () => {
  assert.equal(exitCodeOf(new AltNetError('USAGE', { why: 'x' })), 2);
  assert.equal(exitCodeOf(new AltNetError('BAD_NAME', { name: '', why: 'x' })), 2);
  assert.equal(exitCodeOf(new AltNetError('NO_NODE', { why: 'x' })), 1);
  assert.equal(exitCodeOf(new Error('x')), 1);
});

test('where the log is JSON, remarks and failures are lines of it', () => {
  const { terminal, stderr } = written({ jsonLog: true });
  terminal.note(`port ${hostile}`);
  terminal.failure(new AltNetError('PORT_TAKEN', { address: 'a:1' }));
  const lines = stderr()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  const error = 'a:1 is in use by another program; choose another port';
  assert.deepEqual(lines, [
    { level: 'warn', time: 5, note: `port ${hostile}`, msg: 'note' },
    { level: 'error', time: 5, error, code: 'PORT_TAKEN', msg: 'failed' },
  ]);
});
