import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { AltNetError } from '../base/errors.ts';
import { FixedServices } from '../../test/support/node-services.ts';
import type { CommandContext, Shell } from './command.ts';
import { commandEntries } from './commands.ts';
import { parseCommand } from './program.ts';
import { completeLine, type LogScreen, Prompt } from './prompt.ts';
import { Terminal } from './tui.ts';

interface Session {
  readonly services: FixedServices;
  readonly screen: LogScreen;
  readonly data: string;
  /** Everything written to either stream so far. */
  readonly written: () => string;
  /** Types text, as keys would. */
  readonly type: (text: string) => void;
  /** Resolves when the output has this text. */
  readonly shows: (text: string) => Promise<void>;
  readonly ended: Promise<void>;
  readonly stop: () => void;
  readonly stopNode: () => void;
}

const words = commandEntries.map((entry) => entry.words).filter((name) => name !== 'start');

/** A prompt at streams that pass for a terminal. */
function open(t: TestContext, data: string = temporaryFolder(t)): Session {
  const services = new FixedServices();
  const stdin = new PassThrough();
  const stdout = Object.assign(new PassThrough(), { isTTY: true });
  const stopping = new AbortController();
  const node = Promise.withResolvers<void>();
  let text = '';
  stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const terminal = new Terminal({ stdout, stderr: stdout, json: false, program: 'altnet' });
  const shell: Shell = {
    stdin: stdin as unknown as Shell['stdin'],
    stdout,
    prompt: {
      words,
      parse: (argv, write) => parseCommand(argv, { inShell: false, version: '0', write }),
    },
  };
  const context: CommandContext & { shell: Shell } = {
    terminal,
    signal: stopping.signal,
    cwd: data,
    folders: { data, keydir: path.join(data, 'keys') },
    shell,
    services: async () => services,
  };
  const screen: LogScreen = { show: (line) => terminal.log(line) };
  const ended = new Prompt(context, screen).run({ until: node.promise });
  atEnd(t, async () => {
    stopping.abort();
    await ended;
  });
  const shows = async (wanted: string): Promise<void> => {
    while (!text.includes(wanted)) await new Promise((resolve) => stdout.once('data', resolve));
  };
  return {
    services,
    screen,
    data,
    written: () => text,
    type: (keys) => void stdin.write(keys),
    shows,
    ended,
    stop: () => stopping.abort(),
    stopNode: node.resolve,
  };
}

test('the prompt takes the words of the shell, one command after another', async (t) => {
  const session = open(t);
  await session.shows('altnet> ');
  const root = '0e'.repeat(32);
  session.type(`register "alice" ${root}\rlink get http://dead.example/a\rnames --json\rquit\r`);
  await session.ended;
  assert.deepEqual(session.services.asked, [
    ['register', { name: 'alice', root }],
    ['getLinks', 'http://dead.example/a'],
    ['names', undefined],
  ]);
  assert.match(session.written(), /registered alice\.alt, stored on 20 nodes/);
  assert.match(session.written(), /1 alternative, 8 nodes asked/);
  assert.match(session.written(), /\{"name":"alice\.alt",.*\}\n/);
});

test('a wrong word is said in one line, and the prompt comes back', async (t) => {
  const session = open(t);
  session.type('publsh x\rstart\rput "open\rput -\r\rhelp\rhelp publish\rq\r');
  await session.ended;
  const text = session.written();
  assert.match(text, /^altnet: unknown command 'publsh'; did you mean publish\?/m);
  assert.match(text, /altnet: unknown command 'start'/);
  assert.match(text, /altnet: the quote " does not end/);
  assert.match(text, /altnet: "-" works in a shell only/);
  assert.match(text, /^Commands at this prompt\./m);
  assert.match(text, /Usage: publish \[options\] <path\|->/);
  assert.deepEqual(session.services.asked, []);
});

test('a failure takes the place of the progress line, as JSON where asked for', async (t) => {
  const session = open(t);
  const why = 'nobody is there';
  session.services.failure = new AltNetError('UNREACHABLE', { what: 'a:1', why });
  session.type('bootstrap a:1\rbootstrap a:1 --json\rquit\r');
  await session.ended;
  const text = session.written();
  assert.ok(text.includes('joining ...\r\u001B[Kaltnet: a:1 cannot be reached: nobody'), text);
  assert.match(text, /\{"error":"a:1 cannot be reached: [^\n]*,"code":"UNREACHABLE"\}\n/);
});

test('Ctrl-C stops the command, then empties the line, then leaves', async (t) => {
  const session = open(t);
  session.services.endless = true;
  session.type('resolve alice\r');
  await session.shows('resolve alice\r\n');
  while (session.services.asked.length === 0) await new Promise(setImmediate);
  session.type('\u0003');
  assert.equal(await session.services.givenUp.promise, 'resolve');
  await session.shows('altnet: stopped before it was done');
  session.type('half a li\u0003names\r');
  await session.shows('a new one\n\u001B[1G\u001B[0Jaltnet> '); // all of it, and the prompt is back
  assert.deepEqual(session.services.asked.at(-1), ['names', undefined]);
  session.type('\u0003');
  await session.ended;
});

for (const [what, leave] of [
  ['Ctrl-D', (session: Session) => session.type('\u0004')],
  ['a signal', (session: Session) => session.stop()],
  ['the end of the node', (session: Session) => session.stopNode()],
] as const) {
  test(`${what} ends the prompt, and what runs with it`, async (t) => {
    const session = open(t);
    session.services.endless = true;
    session.type('ping\r');
    while (session.services.asked.length === 0) await new Promise(setImmediate);
    leave(session);
    await session.ended;
    assert.equal(await session.services.givenUp.promise, 'ping');
  });
}

test('the log is written above the line that is being typed', async (t) => {
  const session = open(t);
  session.type('nam');
  await session.shows('nam');
  session.screen.show('12:00:00 warn  something\n');
  await session.shows('something\n');
  session.type('es\rquit\r');
  await session.ended;
  assert.deepEqual(session.services.asked, [['names', undefined]]);
  assert.ok(session.written().includes('\r\u001B[K12:00:00 warn  something\n'));
});

test('lines are remembered in a private file, secrets are not', async (t) => {
  const first = open(t);
  first.type('names\rkey import secret-key-text\rlinks\rquit\r');
  await first.ended;
  const file = path.join(first.data, 'history');
  const second = open(t, first.data);
  second.type('\u001B[A\u001B[A'); // up, up: "quit" was the last line, "links" the one before
  await second.shows('links');
  second.type('\rquit\r');
  await second.ended;
  assert.deepEqual(second.services.asked, [['links', undefined]]);
  assert.doesNotMatch(readFileSync(file, 'utf8'), /secret/);
  assert.match(readFileSync(file, 'utf8'), /^names$/m);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('Tab completes commands, and what follows them', () => {
  assert.deepEqual(completeLine('pub', words), [['publish '], 'pub']);
  assert.deepEqual(completeLine('link ', words), [['put ', 'get ', 'remove '], '']);
  assert.deepEqual(completeLine('link g', words), [['get '], 'g']);
  assert.deepEqual(completeLine('lin', words), [['link ', 'links '], 'lin']);
  assert.deepEqual(completeLine('publish si', words), [[], 'si']);
  assert.ok(completeLine('', words)[0].includes('quit '));
});
