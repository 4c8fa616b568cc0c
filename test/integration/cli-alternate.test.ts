/** Two people with `alternate`: one puts a link, the other gets it. The lines are a promise. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';

const root: string = path.resolve(import.meta.dirname, '../..');
/** What users run; Windows, which cannot run a shell script, takes the sources. */
const [program, ...programWords]: [string, ...string[]] =
  process.platform === 'win32'
    ? [process.execPath, path.join(root, 'src/cli/alternate-main.ts')]
    : [path.join(root, 'bin/alternate')];

interface Session {
  readonly child: ChildProcess;
  readonly port: number;
  readonly author: string;
  readonly said: () => string;
  /** Writes a line and resolves with what was said until the next prompt. */
  readonly ask: (line: string) => Promise<string>;
}

async function startSession(t: TestContext, ...words: string[]): Promise<Session> {
  const args = [...programWords, '--network', 'local', '--data', temporaryFolder(t), ...words];
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  atEnd(t, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const exited = once(child, 'exit');
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  const prompt = async (from: number): Promise<string> => {
    while (!text.slice(from).endsWith('>> ')) {
      assert.equal(child.exitCode, null, text);
      await Promise.race([once(child.stdout ?? child, 'data'), exited]);
    }
    return text.slice(from, -'>> '.length);
  };
  const greeting = await prompt(0);
  const form =
    /^Node [0-9a-f]{40} running on port (\d+)\nPublic key ID is ([0-9a-f]{40})\n \(type 'h' or 'help' for a list of possible commands\)\n\n$/;
  assert.match(greeting, form);
  const [, port = '', author = ''] = form.exec(greeting) ?? [];
  const ask = (line: string): Promise<string> => {
    const from = text.length;
    child.stdin?.write(`${line}\n`);
    return prompt(from);
  };
  return { child, port: Number(port), author, said: () => text, ask };
}

test('a link that one puts, the other gets', async (t) => {
  const first = await startSession(t);
  const second = await startSession(t, '-b', `127.0.0.1:${first.port}`, '-p', '0');
  assert.notEqual(first.author, second.author);
  const [dead, mirror] = ['http://dead.example/driver.rar', 'https://mirror.example/driver.rar'];

  assert.match(
    await second.ask(`p ${dead} ${mirror}`),
    /^p \S+ \S+\nPut: success \(took \d+\.\d{3}s\)\n$/,
  );
  const found = await first.ask(`g ${dead}`);
  const lines = found.split('\n');
  assert.equal(lines[0], `g ${dead}`);
  assert.match(
    lines[1] ?? '',
    /^Get: found https:\/\/mirror\.example\/driver\.rar \(after \d+\.\d{6}s\) signed by [0-9a-f]{40}$/,
  );
  assert.ok(lines[1]?.endsWith(`signed by ${second.author}`));
  assert.match(lines[2] ?? '', /^Get: completed \(took \d+\.\d{6}s\)$/);
  assert.equal(lines.length, 4);

  assert.match(await first.ask('g http://dead.example/unknown'), /^g \S+\nGet: completed \(took/);
  assert.match(await first.ask('g nonsense'), /\nGet: failed: .*nonsense/);
  assert.match(await first.ask('p one'), /\nPut: failed: write p URL TARGET\n$/);
  assert.match(await first.ask('dance'), /\nUnknown command: dance/);
  assert.match(await first.ask('h'), / p URL TARGET .*\n g URL .*\n h .*\n q .*\n$/);

  const exits = [first, second].map(({ child }) => once(child, 'exit'));
  first.child.stdin?.end('q\n');
  second.child.stdin?.end(); // the end of the input is q
  assert.deepEqual(await Promise.all(exits), [
    [0, null],
    [0, null],
  ]);
});

test('who is reached by nobody is told so, beside the lines of the session', async (t) => {
  const deaf = createSocket('udp4').bind(0, '127.0.0.1');
  await once(deaf, 'listening');
  t.after(() => deaf.close());
  const address = `127.0.0.1:${deaf.address().port}`;
  const words = ['--network', 'local', '--data', temporaryFolder(t), '-b', address];
  const child = spawn(program, [...programWords, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece));
  await once(child, 'close');
  assert.equal(child.exitCode, 0);
  assert.equal(stderr, `alternate: nobody answers at ${address} yet; still trying\n`);
});

test('a script is run to its end, line by line', async (t) => {
  const child = spawn(
    program,
    [...programWords, '-network', 'local', '-data', temporaryFolder(t)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  child.stdin.end('h\n\ng http://dead.example/x\nq\ng http://never.example/\n');
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, text);
  assert.match(text, /^>> h\n/m);
  assert.match(text, /^>> g http:\/\/dead\.example\/x\nGet: /m);
  assert.ok(text.endsWith('>> q\n'), text);
});

test('wrong words end with exit code 2 and one line', async () => {
  for (const words of [
    ['-p', '70000'],
    ['--bootstrap', 'x'],
    ['--network', 'x'],
    ['--nope'],
    ['x'],
  ]) {
    const child = spawn(program, [...programWords, ...words], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (piece: string) => (stderr += piece));
    await once(child, 'close');
    assert.equal(child.exitCode, 2, words.join(' '));
    assert.match(stderr, /^alternate: [^\n]+\n$/);
  }
});
