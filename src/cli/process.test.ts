import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import process from 'node:process';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';

const source = pathToFileURL(path.join(import.meta.dirname, 'process.ts')).href;
/** Says when it was asked to stop, and does not. */
const stubborn = `
  import { runProcess } from '${source}';
  await runProcess('stubborn', ({ signal }) => {
    signal.addEventListener('abort', () => console.log('asked'));
    console.log('running');
    setInterval(() => undefined, 1000);
    return new Promise(() => undefined);
  });
`;

test(
  'a program that does not stop when it is asked ends at once when it is asked again',
  { skip: process.platform === 'win32' && 'there are no such signals' },
  async (t) => {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', stubborn], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => child.kill('SIGKILL'));
    const exited = once(child, 'exit');
    await once(child.stdout, 'data');
    child.kill('SIGINT');
    child.kill('SIGINT'); // the same wish, handed on by another
    const [said] = (await once(child.stdout, 'data')) as [Buffer];
    assert.equal(said.toString(), 'asked\n');
    const asking = setInterval(() => child.kill('SIGINT'), 100);
    t.after(() => clearInterval(asking));
    assert.deepEqual(await exited, [130, null]);
  },
);
