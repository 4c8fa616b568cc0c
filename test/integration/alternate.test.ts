/** A scripted session of `alternate` on two nodes: its lines are a promise to scripts. */
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { atEnd, temporaryFolder } from '../support/cleanup.ts';

const program: string = path.resolve(import.meta.dirname, '../../src/cli/alternate-main.ts');
const waitMs = 60_000;

/** A running `alternate`: types a line, reads what comes until the next prompt. */
class Session {
  readonly #child: ChildProcessWithoutNullStreams;
  #unread = '';

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#child = child;
    child.stdout.setEncoding('utf8').on('data', (text: string) => (this.#unread += text));
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Everything up to and including the next prompt. */
  async untilPrompt(): Promise<string> {
    const tooLate = AbortSignal.timeout(waitMs);
    for (;;) {
      const end = this.#unread.indexOf('>> ');
      if (end !== -1) {
        const text = this.#unread.slice(0, end + 3);
        this.#unread = this.#unread.slice(end + 3);
        return text;
      }
      assert.ok(!tooLate.aborted, `no prompt after: ${this.#unread}`);
      await once(this.#child.stdout, 'data', { signal: tooLate });
    }
  }

  /** Ends it with `q`; the exit code. */
  async quit(): Promise<number | null> {
    const exited = once(this.#child, 'exit');
    this.type('q');
    await exited;
    return this.#child.exitCode;
  }
}

function openSession(t: TestContext, ...words: string[]): Session {
  const args = [program, '--network', 'local', '--data', temporaryFolder(t), ...words];
  const child = spawn(process.execPath, args);
  child.stderr.resume();
  atEnd(t, async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  });
  return new Session(child);
}

const greeting =
  /^Node [0-9a-f]{40} running on port (\d+)\nPublic key ID is ([0-9a-f]{40})\n \(type 'h' or 'help' for a list of possible commands\)\n\n>> $/;

test('what one puts, the other gets', async (t) => {
  const first = openSession(t);
  const [, port, signer] = greeting.exec(await first.untilPrompt()) ?? [];
  assert.ok(port && signer, 'the first greets');
  const second = openSession(t, '-b', `127.0.0.1:${port}`);
  assert.match(await second.untilPrompt(), greeting);

  const url = 'http://dead.example/driver.rar';
  first.type(`p ${url} https://mirror.example/driver.rar`);
  assert.match(
    await first.untilPrompt(),
    /^p http:\S+ https:\S+\nPut: success \(took \d+\.\d{3}s\)\n>> $/,
  );
  second.type(`g ${url}`);
  const found = `Get: found https://mirror\\.example/driver\\.rar \\(after \\d+\\.\\d{6}s\\) signed by ${signer}`;
  assert.match(
    await second.untilPrompt(),
    new RegExp(`^g ${url}\\n${found}\\nGet: completed \\(took \\d+\\.\\d{6}s\\)\\n>> $`),
  );
  second.type('g http://dead.example/unknown');
  assert.match(
    await second.untilPrompt(),
    /^g http:\S+\nGet: completed \(took \d+\.\d{6}s\)\n>> $/,
  );
  second.type('g ftp://dead.example/');
  assert.match(await second.untilPrompt(), /^g \S+\nGet: failed: [^\n]*ftp:[^\n]*\n>> $/);
  second.type('h');
  assert.match(await second.untilPrompt(), / p URL TARGET {2}put: /);

  assert.equal(await second.quit(), 0);
  assert.equal(await first.quit(), 0);
});
