import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CID } from 'multiformats/cid';
import { manualWorld } from '../../test/support/manual-world.ts';
import { RecordBoard } from '../../test/support/content-net.ts';
import { MemoryBlocks, MemoryHoldings } from '../../test/support/memory-blocks.ts';
import { AltNetError } from '../base/errors.ts';
import type { Connections, HoldingKind } from '../content/ports.ts';
import { cidOf, type Link } from '../content/dag/root.ts';
import { Sites } from '../content/sites.ts';
import { SigningKey } from '../identity/key.ts';
import { networkId, networkProfiles } from '../record/network.ts';
import { SiteVersions } from './versions.ts';

interface Bench {
  readonly versions: SiteVersions;
  /** Points a name to a root, or nowhere. */
  readonly point: (name: string, root: CID | undefined) => Promise<void>;
  /** First digits of the roots that are superseded. */
  readonly superseded: () => string;
  readonly holdings: MemoryHoldings;
}

const network = networkId(networkProfiles.local);
const nowhere: Connections = {
  addresses: () => [],
  remoteAddress: () => undefined,
  provenAddresses: () => [],
  handle: () => Promise.resolve(),
  open: () => Promise.reject(new AltNetError('UNREACHABLE', { what: 'it', why: 'offline' })),
};

/** Own sites a, b and c, d that was kept, and e, a copy for somebody else. */
async function bench(): Promise<Bench & Record<'a' | 'b' | 'c' | 'd' | 'e', CID>> {
  const blocks = new MemoryBlocks();
  const holdings = new MemoryHoldings(blocks);
  const board = new RecordBoard();
  const signer = { key: new SigningKey('node', new Uint8Array(32)), network };
  const offline = { publisher: board, search: board, connections: nowhere, signer };
  const sites = new Sites({ blocks, holdings, ...offline, world: manualWorld() });
  const add = async (letter: string, kind: HoldingKind = 'own', keep = false): Promise<CID> => {
    const hash = new Uint8Array(32).fill(Number.parseInt(letter.repeat(2), 16));
    const root: Link = { codec: 'dag-pb', hash };
    await holdings.open({ kind, root, keep });
    return cidOf(root);
  };
  const [a, b, c] = [await add('a'), await add('b'), await add('c')];
  const [d, e] = [await add('d', 'own', true), await add('e', 'replica')];
  const targets = new Map<string, CID>(); // BOUNDED by the test
  const names = { list: () => [...targets].map(([name, root]) => ({ name, root })) };
  const versions = new SiteVersions({ sites, holdings, names });
  const point = (name: string, root: CID | undefined): Promise<void> =>
    versions.follow(async () => {
      if (root) targets.set(name, root);
      else targets.delete(name);
    });
  const superseded = (): string =>
    holdings
      .list()
      .filter(({ supersededMs }) => supersededMs !== undefined)
      .map(({ hash }) => (hash[0] ?? 0).toString(16).charAt(0))
      .join('');
  return { versions, point, superseded, holdings, a, b, c, d, e };
}

test('a name that moves on leaves its old site, and one that comes back takes it up', async () => {
  const { point, superseded, holdings, a, b, c } = await bench();
  await point('one.alt', a);
  await point('two.alt', a);
  await point('one.alt', b);
  assert.equal(superseded(), '', 'the other name still points to it');
  await point('two.alt', b);
  assert.equal(superseded(), 'a');
  const [since] = holdings.list().flatMap(({ supersededMs }) => supersededMs ?? []);
  await point('two.alt', c);
  const { supersededMs } = holdings.list().find((held) => held.supersededMs !== undefined) ?? {};
  assert.deepEqual([superseded(), supersededMs], ['a', since], 'its time began when it was left');
  await point('two.alt', a);
  assert.equal(superseded(), 'c');
  await point('one.alt', undefined);
  await point('two.alt', undefined);
  assert.equal(superseded(), 'abc', 'names that were released point nowhere');
});

test('what was kept, what is a copy and what is not here stays as it is', async () => {
  const { point, superseded, holdings, a, d, e } = await bench();
  const gone = cidOf({ codec: 'dag-pb', hash: new Uint8Array(32) });
  for (const root of [d, e, gone, a]) await point('one.alt', root);
  assert.equal(superseded(), '');
  assert.equal(holdings.list().length, 5);
});

test('a change that fails half-way is followed all the same', async () => {
  const { versions, point, superseded, a, b } = await bench();
  await point('one.alt', a);
  const failing = versions.follow(async () => {
    await point('one.alt', b);
    throw new AltNetError('NO_PEERS', { what: 'one.alt' });
  });
  await assert.rejects(failing, { code: 'NO_PEERS' });
  assert.equal(superseded(), 'a');
});

test('that it cannot be written down does not fail the change', async () => {
  const { holdings, point, superseded, a, b } = await bench();
  await point('one.alt', a);
  holdings.change = () => Promise.reject(new AltNetError('DISK_FULL', { folder: '/' }));
  await point('one.alt', b);
  assert.equal(superseded(), '');
});

test('a version without a name takes the place of the one before', async () => {
  const { versions, point, superseded, a, b, d } = await bench();
  await versions.replace(undefined, a);
  await versions.replace(a, a);
  assert.equal(superseded(), '');
  await versions.replace(a, b);
  assert.equal(superseded(), 'a');
  await versions.replace(b, a);
  assert.equal(superseded(), 'b', 'and back');
  await point('one.alt', a);
  await versions.replace(a, b);
  await versions.replace(d, b);
  assert.equal(superseded(), '', 'one that is named or was kept is not replaced');
});

test('copies elsewhere may be replaced only by what replaces the site here', async () => {
  const { versions, point, a, b, d } = await bench();
  assert.equal(versions.target('one.alt'), undefined, 'a new name');
  assert.equal(versions.isFree(a), true);
  assert.equal(versions.isFree(d), false, 'kept');
  await point('one.alt', a);
  assert.equal(versions.target('one.alt'), a);
  assert.equal(versions.isFree(a), false, 'named');
  await point('two.alt', a);
  await point('one.alt', b);
  assert.equal(versions.isFree(a), false, 'the other name has it');
  await point('two.alt', b);
  assert.equal(versions.isFree(a), true);
});
