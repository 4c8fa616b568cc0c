import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LatestValue } from '../api/latest.ts';
import type { PublishInput, PublishResult } from '../api/ports-sites.ts';
import { samples } from '../../test/support/node-services.ts';
import { AltNetError } from '../base/errors.ts';
import { type SiteWatch, watchSite } from './watch-site.ts';

interface Bench {
  readonly watch: SiteWatch;
  /** What the next attempts publish, or fail with. */
  readonly next: (string | Error)[];
  readonly asked: PublishInput[];
  /** Versions and failures, in order. */
  readonly told: string[];
  readonly change: () => void;
  /** Resolves when so many attempts were made. */
  readonly attempted: (count: number) => Promise<void>;
}

function bench(over: Partial<SiteWatch> = {}): Bench {
  const [next, asked, told]: [(string | Error)[], PublishInput[], string[]] = [[], [], []];
  const changes = new LatestValue<true>();
  const attempts = new LatestValue<true>();
  const made = { attempts: 0 };
  const watch: SiteWatch = {
    services: {
      publish: async (input): Promise<PublishResult> => {
        asked.push(input);
        const root = next.shift() ?? assert.fail('no further attempt was due');
        if (root instanceof Error) throw root;
        return { ...samples.publish, root };
      },
    },
    input: { path: '/site' },
    async *changes(_path, { signal }) {
      signal.addEventListener('abort', () => changes.end(), { once: true });
      yield true;
      yield* changes;
    },
    onVersion: ({ root }) => void told.push(root),
    onFailure: (error) => void told.push(error instanceof AltNetError ? error.code : 'defect'),
    onAttempted() {
      made.attempts++;
      attempts.set(true);
    },
    retryMs: 1,
    ...over,
  };
  const attempted = async (count: number): Promise<void> => {
    const news = attempts[Symbol.asyncIterator]();
    while (made.attempts < count) await news.next();
  };
  return { watch, next, asked, told, change: () => changes.set(true), attempted };
}

test('each change is a version that replaces the one before, until the end', async () => {
  const { watch, next, asked, told, change, attempted } = bench();
  next.push('v1', 'v2', 'v2', 'v3');
  const end = new AbortController();
  const watching = watchSite(watch, end);
  for (const count of [1, 2, 3, 4]) {
    await attempted(count);
    if (count < 4) change();
  }
  end.abort();
  await watching;
  assert.deepEqual(told, ['v1', 'v2', 'v3'], 'one without new content is not told');
  assert.deepEqual(
    asked.map(({ path, replaces }) => [path, replaces]),
    [
      ['/site', undefined],
      ['/site', 'v1'],
      ['/site', 'v2'],
      ['/site', 'v2'],
    ],
  );
});

test('what changes while the first version is published is not missed', async () => {
  const { watch, next, told, change, attempted } = bench();
  next.push('v1', 'v2');
  const end = new AbortController();
  const watching = watchSite(watch, end);
  change();
  await attempted(2);
  end.abort();
  await watching;
  assert.deepEqual(told, ['v1', 'v2']);
});

test('a failure is told once and tried again until it works', async () => {
  const { watch, next, told, change, attempted } = bench();
  const full = new AltNetError('STORE_FULL', { bytes: 1, bytesMax: 1 });
  const missing = new AltNetError('PATH_MISSING', { path: '/site' });
  next.push('v1', full, full, missing, 'v2', full, 'v3');
  const end = new AbortController();
  const watching = watchSite(watch, end);
  await attempted(1);
  change();
  await attempted(5);
  change();
  await attempted(7);
  end.abort();
  await watching;
  assert.deepEqual(told, ['v1', 'STORE_FULL', 'PATH_MISSING', 'v2', 'STORE_FULL', 'v3']);
});

test('a first version that fails is the end of it', async () => {
  const { watch, next, told } = bench();
  next.push(new AltNetError('NAME_TAKEN', { name: 'a.alt', owner: 'b' }));
  const { signal } = new AbortController();
  await assert.rejects(watchSite(watch, { signal }), { code: 'NAME_TAKEN' });
  assert.deepEqual(told, []);
});

test('a folder that cannot be watched for a while is looked at afterwards', async () => {
  let calls = 0;
  const { watch, next, told, attempted } = bench({
    async *changes(path, { signal }) {
      if (++calls < 3) throw new AltNetError('PATH_MISSING', { path });
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve(), { once: true });
      yield true;
      await promise;
    },
  });
  next.push('v1', 'v2', 'v3', 'v4', 'v5');
  const end = new AbortController();
  const watching = watchSite(watch, end);
  await attempted(2);
  end.abort();
  await watching;
  assert.deepEqual(told.slice(0, 3), ['PATH_MISSING', 'v1', 'v2']);
});

test('a folder that is not there for a while is said once', async () => {
  const { watch, next, told, attempted } = bench({
    async *changes(path, { signal, onAbsent }) {
      const { promise, resolve } = Promise.withResolvers<void>();
      signal.addEventListener('abort', () => resolve(), { once: true });
      yield true;
      onAbsent(new AltNetError('PATH_MISSING', { path }));
      onAbsent(new AltNetError('PATH_MISSING', { path }));
      yield true;
      await promise;
    },
  });
  next.push('v1', 'v2');
  const end = new AbortController();
  const watching = watchSite(watch, end);
  await attempted(2);
  end.abort();
  await watching;
  assert.deepEqual(told, ['PATH_MISSING', 'v1', 'v2']);
});

test('it ends when told: before it began, and while it publishes', async () => {
  const idle = bench();
  const signal = AbortSignal.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(watchSite(idle.watch, { signal }), { code: 'ABORTED' });
  assert.deepEqual(idle.asked, []);
  const end = new AbortController();
  let attempts = 0;
  const { watch, change, told } = bench({
    services: {
      publish: async (_input, { signal: given } = {}) => {
        if (++attempts === 2) end.abort(new AltNetError('ABORTED', {}));
        given?.throwIfAborted();
        return samples.publish;
      },
    },
  });
  const watching = watchSite(watch, end);
  change();
  await watching;
  assert.deepEqual(told, [samples.publish.root]);
});
