import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { atEnd, temporaryFolder } from '../../test/support/cleanup.ts';
import { type WatchOptions, watchFolder } from './watch-folder.ts';

function write(folder: string, name: string, content: string): void {
  const at = path.join(folder, name);
  mkdirSync(path.dirname(at), { recursive: true });
  writeFileSync(at, content);
}

const fast = { quietMs: 30, latestMs: 2000, pollMs: 30, sweepMs: 600_000 };

class Watch {
  calls = 0;
  readonly #heard = new EventTarget();
  readonly #stop = new AbortController();
  readonly #ended: Promise<void>;

  constructor(t: TestContext, from: string, options: Partial<WatchOptions> = {}) {
    this.#ended = this.#listen(from, options);
    atEnd(t, () => this.end());
  }

  async #listen(from: string, options: Partial<WatchOptions>): Promise<void> {
    const { signal } = this.#stop;
    for await (const _ of watchFolder(from, { ...fast, signal, ...options })) {
      this.calls++;
      this.#heard.dispatchEvent(new Event('call'));
    }
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
  }

  /** Resolves at the next change that is told after `change` has begun. */
  async after(change?: () => void): Promise<void> {
    const called = once(this.#heard, 'call');
    change?.();
    await called;
  }
}

async function watchNew(t: TestContext, options?: Partial<WatchOptions>): Promise<[string, Watch]> {
  const folder = path.join(temporaryFolder(t), 'site');
  write(folder, 'index.html', 'x');
  const watch = new Watch(t, folder, options);
  if (watch.calls === 0) await watch.after();
  return [folder, watch];
}

for (const [how, options] of [
  ['watched', {}],
  ['looked at now and then', { foldersMax: 0 }],
] as const) {
  test(`a folder that is ${how}: files, folders and what replaces them`, async (t) => {
    const [folder, watch] = await watchNew(t, options);
    await watch.after(() => write(folder, 'index.html', 'changed'));
    await watch.after(() => write(folder, 'sub/deeper/page.html', 'new'));
    await watch.after(() => write(folder, 'sub/deeper/page.html', 'changed'));
    // As editors do.
    write(folder, '.page.html.swp', 'another');
    const swap = path.join(folder, '.page.html.swp');
    await watch.after(() => renameSync(swap, path.join(folder, 'sub/deeper/page.html')));
    await watch.after(() => rmSync(path.join(folder, 'sub'), { recursive: true }));
    await watch.after(() => write(folder, 'sub/deeper/page.html', 'again'));
    await watch.after(() => write(folder, 'sub/deeper/page.html', 'and again'));
  });

  test(`a folder that is ${how} and is replaced as a whole`, async (t) => {
    const [folder, watch] = await watchNew(t, options);
    for (let i = 0; i < 3; i++) {
      await watch.after(() => {
        rmSync(folder, { recursive: true });
        write(folder, 'index.html', `build ${i}`);
        write(folder, `sub/${i}.html`, 'x');
      });
    }
    await watch.after(() => write(folder, 'sub/2.html', 'y'));
  });
}

test('what is not published does not count, also after .altignore changed', async (t) => {
  const [folder, watch] = await watchNew(t);
  await watch.after(() => write(folder, 'old.map', 'x'));
  await watch.after(() => write(folder, '.altignore', '*.map\ntmp/\n'));
  const calls = watch.calls;
  write(folder, 'new.map', 'x');
  write(folder, 'tmp/x', 'x');
  write(folder, '.hidden', 'x');
  mkdirSync(path.join(folder, 'empty'));
  await watch.after(() => write(folder, 'empty/page.html', 'counts'));
  assert.equal(watch.calls, calls + 1);
});

test('a broken .altignore is told once, and its repair as well', async (t) => {
  const [folder, watch] = await watchNew(t);
  await watch.after(() => write(folder, '.altignore', '\0'));
  await watch.after(() => write(folder, '.altignore', 'x.map'));
});

test('changes are gathered while the last one is worked on', async (t) => {
  const folder = temporaryFolder(t);
  write(folder, 'index.html', 'x');
  const stop = new AbortController();
  const changes = watchFolder(folder, { ...fast, signal: stop.signal });
  await changes.next();
  write(folder, 'index.html', 'y');
  write(folder, 'sub/other.html', 'y');
  await changes.next();
  const third = changes.next();
  stop.abort();
  assert.equal((await third).done, true);
});

test('a lone file is watched', async (t) => {
  const folder = temporaryFolder(t);
  const file = path.join(folder, 'page.html');
  write(folder, 'page.html', 'x');
  const watch = new Watch(t, file);
  if (watch.calls === 0) await watch.after();
  await watch.after(() => writeFileSync(file, 'longer'));
});

function isWatching(): boolean {
  return process.getActiveResourcesInfo().includes('FSEventWrap');
}

test('whoever stops listening ends the watch', async (t) => {
  const folder = temporaryFolder(t);
  write(folder, 'index.html', 'x');
  const { signal } = new AbortController();
  for await (const _ of watchFolder(folder, { ...fast, signal })) break;
  // A watch that goes on would keep this process alive; closing one takes some turns.
  for (let turn = 0; turn < 1000 && isWatching(); turn++) await setImmediate();
  assert.ok(!isWatching());
});

test('it says so when the system does not watch', async (t) => {
  let why = '';
  const [, watch] = await watchNew(t, {
    foldersMax: 0,
    onPolling: (said) => {
      why = said;
    },
  });
  await watch.end();
  assert.match(why, /more than 0 folders/);
});
