/** Who is asked before a change, and what counts as yes. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import type { CommandContext, Shell } from '../command.ts';
import { Terminal } from '../tui.ts';
import { LocalSystem } from './local-system.ts';
import { agree, beginSession, type SetupSession } from './session.ts';

interface Asking {
  /** What the user types, and whether the input then ends. */
  readonly typed?: string;
  readonly ends?: boolean;
  readonly signal?: AbortSignal;
  readonly json?: boolean;
}

function sessionWith({ typed = '', ends = false, signal, json = false }: Asking): {
  readonly session: SetupSession;
  readonly shown: string[];
} {
  const shown: string[] = [];
  const stream = { write: (text: string | Uint8Array) => shown.push(String(text)) };
  const stdin = Object.assign(new PassThrough(), { isTTY: true });
  if (ends) stdin.end(typed);
  else stdin.write(typed);
  const context: CommandContext = {
    terminal: new Terminal({ stdout: stream, stderr: stream, json, program: 'altnet' }),
    signal: signal ?? new AbortController().signal,
    cwd: '/',
    folders: { data: '/', keydir: '/' },
    shell: { stdin } as unknown as Shell,
    services: () => Promise.reject(new Error('no node is needed')),
  };
  const input = { operands: [], options: {} };
  return { session: beginSession(new LocalSystem({ root: '/none' }), { context, input }), shown };
}

for (const typed of ['y\n', ' YES \n']) {
  test(`${JSON.stringify(typed)} agrees, after the change was shown`, async () => {
    const { session, shown } = sessionWith({ typed });
    await agree(session, ['write /etc/x', 'run \u001B[2J']);
    const text = 'write /etc/x\nrun \\u001b[2J\naltnet: make these changes? y or n\n';
    assert.equal(shown.join(''), text);
  });
}

for (const asking of [{ typed: 'n\n' }, { typed: '\n' }, { typed: 'yolo\n' }, { ends: true }]) {
  test(`${JSON.stringify(asking)} does not`, async () => {
    await assert.rejects(agree(sessionWith(asking).session, []), { code: 'ABORTED' });
  });
}

test('Ctrl-C ends the question', async () => {
  const controller = new AbortController();
  const asked = agree(sessionWith({ signal: controller.signal }).session, []);
  controller.abort();
  await assert.rejects(asked, { name: 'AbortError' });
});

test('a program that reads JSON is not asked', async () => {
  const { session } = sessionWith({ json: true, typed: 'y\n' });
  await assert.rejects(agree(session, []), { code: 'USAGE' });
});
