import assert from 'node:assert/strict';
import { PassThrough, Readable } from 'node:stream';
import { test } from 'node:test';
import { FixedServices, samples } from '../../test/support/node-services.ts';
import { AltNetError } from '../base/errors.ts';
import { runSession } from './alternate-session.ts';
import type { Surroundings } from './process.ts';
import { type OutputStream, Terminal } from './tui.ts';

const ready = { node: '8d'.repeat(32), author: '85'.repeat(32), listen: '0.0.0.0:45198' };

/** What a session says to these lines. */
async function say(
  lines: readonly string[],
  { services = new FixedServices(), signal = new AbortController().signal } = {},
): Promise<string[]> {
  let text = '';
  const stdout: OutputStream = { write: (data) => (text += String(data)) };
  const terminal = new Terminal({ stdout, stderr: stdout, json: false, program: 'alternate' });
  const stdin = Readable.from(lines.map((line) => `${line}\n`)) as unknown;
  const surroundings = { stdin, stdout, signal } as Surroundings;
  await runSession({ services, ready }, { terminal, surroundings });
  return text.split('\n');
}

const head = [
  'Node 8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d running on port 45198',
  'Public key ID is 8585858585858585858585858585858585858585',
  " (type 'h' or 'help' for a list of possible commands)",
  '',
];

test('a session has the promised lines', async () => {
  const services = new FixedServices();
  const put = 'p http://dead.example/driver.rar https://mirror.example/driver.rar';
  assert.deepEqual(await say([put, 'g http://dead.example/driver.rar', 'q', 'h'], { services }), [
    ...head,
    `>> ${put}`,
    'Put: success (took 0.500s)',
    '>> g http://dead.example/driver.rar',
    'Get: found https://mirror.example/a (after 0.050000s) signed by 0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c',
    'Get: completed (took 0.060000s)',
    '>> q',
    '',
  ]);
  assert.deepEqual(services.asked, [
    [
      'putLink',
      {
        url: 'http://dead.example/driver.rar',
        target: samples.putLink.target.replace(/a$/, 'driver.rar'),
      },
    ],
    ['getLinks', 'http://dead.example/driver.rar'],
  ]);
});

test('the end of the input is q, and the last line is still done', async () => {
  const lines = await say(['g http://dead.example/']);
  assert.deepEqual(lines.slice(-3), ['Get: completed (took 0.060000s)', '>> ', '']);
});

test('a failure is a line, and the session goes on', async () => {
  const services = new FixedServices();
  services.failure = new AltNetError('BAD_URL', { text: '\u001B]0;x', why: 'no scheme' });
  const lines = await say(['p x y', 'g x', 'p x', 'g', '', 'dance'], { services });
  const said = lines.slice(head.length).filter((line) => !line.startsWith('>> '));
  assert.match(said[0] ?? '', /^Put: failed: "\\u001b\]0;x" cannot be used/);
  assert.match(said[1] ?? '', /^Get: found /);
  assert.match(said[2] ?? '', /^Get: failed: /);
  assert.deepEqual(said.slice(3), [
    'Put: failed: write p URL TARGET',
    'Get: failed: write g URL',
    "Unknown command: dance (type 'h' or 'help' for a list of possible commands)",
    '',
  ]);
});

test('a signal stops what runs', async () => {
  const services = new FixedServices();
  services.endless = true;
  const stopping = new AbortController();
  const session = say(['g http://dead.example/', 'h'], { services, signal: stopping.signal });
  while (services.asked.length === 0) await new Promise(setImmediate);
  stopping.abort();
  assert.equal((await session).filter((line) => line.startsWith('>> ')).length, 1);
  assert.equal(await services.givenUp.promise, 'getLinks');
});

test('on a terminal lines are edited, Ctrl-C leaves and nothing is written twice', async () => {
  const services = new FixedServices();
  const streams = { stdin: new PassThrough(), stdout: new PassThrough() };
  let text = '';
  streams.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const [stdin, stdout] = Object.values(streams).map((s) => Object.assign(s, { isTTY: true }));
  const surroundings = { stdin, stdout, signal: new AbortController().signal } as unknown;
  const terminal = new Terminal({
    stdout: streams.stdout,
    stderr: streams.stdout,
    json: false,
    program: 'alternate',
  });
  const ended = runSession(
    { services, ready },
    { terminal, surroundings: surroundings as Surroundings },
  );
  streams.stdin.write('g x\u007Fhttp://dead.example/\r');
  while (!text.includes('Get: completed')) await new Promise(setImmediate);
  assert.equal(text.split('http://dead.example/').length, 2, text);
  services.endless = true;
  streams.stdin.write('g http://slow.example/\r');
  while (services.asked.length < 2) await new Promise(setImmediate);
  streams.stdin.write('\u0003');
  await ended;
  assert.deepEqual(services.asked[0], ['getLinks', 'http://dead.example/']);
});
