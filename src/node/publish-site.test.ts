/** The order in which a site is published; what comes of it is tested in services.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { manualWorld } from '../../test/support/manual-world.ts';
import type { PublishInput, PublishResult } from '../api/ports-sites.ts';
import type { CallOptions } from '../api/ports.ts';
import { abortReason } from '../base/abort.ts';
import { AltNetError } from '../base/errors.ts';
import { cidOf } from '../content/dag/root.ts';
import type { Progress, ReplicateOptions } from '../content/types.ts';
import type { OwnName } from '../name/types.ts';
import type { Parts } from './parts.ts';
import { publishSite } from './publish-site.ts';
import { SiteVersions } from './versions.ts';

const [old, next] = [rootOf(1), rootOf(2)];

function rootOf(digit: number): CID {
  return cidOf({ codec: 'dag-pb', hash: new Uint8Array(32).fill(digit) });
}

interface Bench {
  /** What was done, in order; a copying with what it replaces. */
  readonly done: string[];
  readonly told: Progress[];
  readonly targets: Map<string, CID>;
  /** What the parts do instead of succeeding at once. */
  look: (signal: AbortSignal | undefined) => Promise<void>;
  point: () => Promise<void>;
  copy: (options: ReplicateOptions) => Promise<void>;
  publish: (input: Partial<PublishInput>, options?: CallOptions) => Promise<PublishResult>;
  opensHere: boolean;
  readonly world: ReturnType<typeof manualWorld>;
}

function bench(): Bench {
  const done: string[] = [];
  const told: Progress[] = [];
  const targets = new Map<string, CID>(); // BOUNDED by the test
  const world = manualWorld();
  const onProgress = (progress: Progress): void => void told.push(progress);
  const list = (): OwnName[] =>
    [...targets].map(([name, root]) => ({ name, root, version: 7 }) as OwnName);
  // A node that is no registrar.
  const trust = { registrars: { has: () => false } };
  const identity = { author: { publicKey: new Uint8Array(32) } };
  const self: Bench = {
    done,
    told,
    targets,
    world,
    look: async () => undefined,
    point: async () => undefined,
    copy: async () => undefined,
    opensHere: true,
    publish: (input, options = {}) => {
      const given = { input, options: { onProgress, ...options }, add: () => sites.add() };
      const parts = { sites, names, world, trust, identity } as unknown as Parts;
      return publishSite(parts, context, given);
    },
  };
  const sites = {
    add: async () => {
      done.push('add');
      return { root: next, files: 1, bytes: 10, announced: 3, entry: '' };
    },
    replicate: async (_root: CID, options: ReplicateOptions) => {
      done.push(options.replaces ? `replace ${options.replaces.equals(old)}` : 'copy');
      await self.copy(options);
      return { replicas: 6, wanted: 6, refused: [] };
    },
    supersede: async (root: CID) => void done.push(`supersede ${root.equals(old)}`),
  };
  const names = {
    list,
    opensHere: () => self.opensHere,
    requireWritable: async (_: string, { signal }: { signal?: AbortSignal }) => {
      done.push('look');
      await self.look(signal);
    },
    register: async (name: string, root: CID) => {
      done.push('point');
      await self.point();
      targets.set(name, root);
      return { name, root, version: 8 };
    },
  };
  const holdings = { get: () => undefined, change: async () => undefined };
  const versions = new SiteVersions({ sites, holdings, names });
  const context = { versions, onNameChanged: () => undefined, siteUrl: () => undefined };
  return self;
}

test('others replace the old version only once the name shows the new one', async () => {
  const { publish, done, targets, told } = bench();
  targets.set('alice.alt', old);
  assert.equal((await publish({ name: 'alice' })).version, 8);
  assert.deepEqual(done, ['add', 'point', 'supersede true', 'replace true']);
  assert.deepEqual(
    told.map(({ phase }) => phase),
    ['naming', 'copying'],
  );
});

test('a name that does not move leaves the old version alone everywhere', async () => {
  const it = bench();
  it.targets.set('alice.alt', old);
  it.point = () =>
    Promise.reject(new AltNetError('NO_ANSWER', { what: 'it', answered: 0, wanted: 1 }));
  await assert.rejects(it.publish({ name: 'alice' }), { code: 'NO_ANSWER' });
  assert.deepEqual(it.done, ['add', 'point']);
});

test('what another name shows as well is not replaced', async () => {
  const { publish, done, targets } = bench();
  targets.set('alice.alt', old);
  targets.set('bob.alt', old);
  await publish({ name: 'alice' });
  assert.deepEqual(done, ['add', 'point', 'copy']);
});

test('stopped while copying, the name has moved', async () => {
  const it = bench();
  it.targets.set('alice.alt', old);
  const stop = new AbortController();
  it.copy = async ({ signal }) => {
    stop.abort(new AltNetError('ABORTED', {}));
    throw abortReason(signal);
  };
  await assert.rejects(it.publish({ name: 'alice' }, { signal: stop.signal }), { code: 'ABORTED' });
  assert.ok(it.targets.get('alice.alt')?.equals(next));
});

test('copies for a new name are made while its work is done, and given up with it', async () => {
  const it = bench();
  const { promise: hasCopied, resolve: copied } = Promise.withResolvers<void>();
  it.point = () => hasCopied;
  it.copy = async ({ onProgress }) => {
    onProgress?.({ phase: 'copying', bytes: 5, files: 1, peers: 1 });
    copied();
  };
  await it.publish({ name: 'alice' });
  assert.deepEqual(it.done.slice(0, 2), ['look', 'add']);
  assert.ok(it.done.indexOf('copy') > 1 && it.done.includes('point'));
  const before = it.told.findIndex(({ phase }) => phase === 'copying');
  assert.equal(it.told[before]?.bytes, 0, 'what is shown until then is the naming');

  const lost = bench();
  lost.point = () =>
    Promise.reject(new AltNetError('NAME_TAKEN', { name: 'alice.alt', owner: '' }));
  let left: AbortSignal | undefined;
  lost.copy = async ({ signal }) => void (left = signal);
  await assert.rejects(lost.publish({ name: 'alice' }), { code: 'NAME_TAKEN' });
  assert.equal(left?.aborted, true);
});

test('the name of somebody else is refused before anything is read', async () => {
  const it = bench();
  it.look = () => Promise.reject(new AltNetError('NAME_TAKEN', { name: 'alice.alt', owner: 'ab' }));
  await assert.rejects(it.publish({ name: 'alice' }), { code: 'NAME_TAKEN' });
  assert.deepEqual(it.done, ['look']);
});

test('that nobody tells whose the name is refuses nothing', async () => {
  const it = bench();
  it.look = (signal) =>
    new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(abortReason(signal)));
    });
  const publishing = it.publish({ name: 'alice' });
  await it.world.advanceAsync(10_000);
  await publishing;
  assert.deepEqual(it.done.slice(0, 2), ['look', 'add']);
  const stop = new AbortController();
  const stopped = it.publish({ name: 'bob' }, { signal: stop.signal });
  stop.abort(new AltNetError('ABORTED', {}));
  await assert.rejects(stopped, { code: 'ABORTED' });
});

test('a name that does not resolve here is not what the address is of', async () => {
  const it = bench();
  const here = await it.publish({ name: 'alice' });
  assert.deepEqual([here.url, here.elsewhere], ['http://alice.alt/', undefined]);
  it.opensHere = false;
  const elsewhere = await it.publish({ name: 'alice' });
  assert.deepEqual([elsewhere.url, elsewhere.elsewhere], [`http://${next.toString()}.alt/`, true]);
});
