import assert from 'node:assert/strict';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { temporaryFolder } from '../../test/support/cleanup.ts';
import { type ManualWorld, manualWorld } from '../../test/support/manual-world.ts';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import { type LogFields, silentLogger } from '../base/logger.ts';
import { namesMax, SiteStats } from './site-stats.ts';

const day = 86_400_000;

interface Bench {
  readonly world: ManualWorld;
  readonly notes: MemoryNotes;
  readonly saltFile: string;
  readonly warnings: string[];
  readonly open: () => Promise<SiteStats>;
}

function bench(t: TestContext): Bench {
  const world = manualWorld();
  const notes = new MemoryNotes();
  const saltFile = path.join(temporaryFolder(t), 'visitor-salt');
  const warnings: string[] = [];
  const warn = (message: string, fields?: LogFields): void => {
    warnings.push(`${message} ${JSON.stringify(fields)}`);
  };
  const open = async (): Promise<SiteStats> => {
    const stats = new SiteStats({ notes, saltFile, world, log: { ...silentLogger, warn } });
    await stats.start();
    return stats;
  };
  return { world, notes, saltFile, warnings, open };
}

/** Polls: for what goes on behind, on the disk. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(2);
}

test('requests, bytes and different visitors are counted by name', async (t) => {
  const stats = await bench(t).open();
  for (const ip of ['192.0.2.1', '192.0.2.1', '::ffff:192.0.2.1', '192.0.2.2']) {
    stats.served({ name: 'alice', bytes: 10, ip });
  }
  stats.served({ name: 'bob', bytes: 0, ip: '2001:db8::1' });
  stats.served({ name: 'bob', bytes: 0, ip: '2001:db8::2' });
  stats.served({ name: 'bob', bytes: 0, ip: '2001:db8:0:1::2' });
  const alice = stats.of('alice');
  assert.deepEqual([alice?.requests, alice?.bytes, alice?.visitors], [4, 40, 2]);
  assert.equal(alice?.lastSeen, 1_767_225_600);
  assert.equal(stats.of('bob')?.visitors, 2, 'a network of IPv6 is one visitor');
  assert.equal(stats.of('carol'), undefined);
  await stats.stop();
});

test('a restart on the same day goes on, with the same visitors', async (t) => {
  const { open, world } = bench(t);
  const before = await open();
  before.served({ name: 'alice', bytes: 10, ip: '192.0.2.1' });
  await before.stop();
  const after = await open();
  world.advance(1000);
  after.served({ name: 'alice', bytes: 10, ip: '192.0.2.1' });
  after.served({ name: 'alice', bytes: 10, ip: '192.0.2.3' });
  const { requests, bytes, visitors, days } = after.of('alice') ?? assert.fail();
  assert.deepEqual([requests, bytes, visitors, days.length], [3, 30, 2, 1]);
  await after.stop();
});

test('what was counted is written within ten seconds, once for all that changed', async (t) => {
  const { open, world, notes } = bench(t);
  const stats = await open();
  stats.served({ name: 'alice', bytes: 10, ip: '192.0.2.1' });
  stats.served({ name: 'bob', bytes: 10, ip: '192.0.2.1' });
  assert.equal(notes.list('visits/').length, 0);
  world.advance(10_000);
  await until(() => notes.list('visits/').length === 2);
  // Whoever kills the process now loses nothing.
  const after = await open();
  assert.equal(after.of('alice')?.visitors, 1);
  await after.stop();
  await stats.stop();
});

test('when the day is over its secret goes, and so does all that could lead back', async (t) => {
  const { open, world, notes, saltFile } = bench(t);
  const stats = await open();
  stats.served({ name: 'alice', bytes: 10, ip: '192.0.2.1' });
  await stats.stop();
  const salt = readFileSync(saltFile);
  if (process.platform !== 'win32') assert.equal(statSync(saltFile).mode & 0o777, 0o600);
  const withSketch = notes.list('visits/')[0]?.value.length ?? 0;
  world.advance(day);
  const next = await open();
  assert.equal(existsSync(saltFile), false);
  next.served({ name: 'alice', bytes: 10, ip: '192.0.2.1' });
  assert.equal(next.of('alice')?.visitors, 2);
  await next.stop();
  assert.notDeepEqual(readFileSync(saltFile), salt);
  world.advance(day);
  const last = await open();
  await last.stop();
  assert.ok((notes.list('visits/')[0]?.value.length ?? 0) < withSketch + 28, 'the sketch is gone');
});

test('the secret goes at midnight also when nobody comes', async (t) => {
  const { open, world, saltFile } = bench(t);
  const stats = await open();
  stats.served({ name: 'alice', bytes: 10, ip: '192.0.2.1' });
  await until(() => existsSync(saltFile));
  assert.equal(existsSync(saltFile), true);
  await world.advanceAsync(day);
  await until(() => !existsSync(saltFile));
  assert.equal(existsSync(saltFile), false);
  await stats.stop();
});

test('neither notes nor the file of the secret hold an address', async (t) => {
  const { open, notes, saltFile } = bench(t);
  const stats = await open();
  stats.served({ name: 'alice', bytes: 10, ip: '203.0.113.77' });
  await stats.stop();
  const octets = Buffer.concat([
    ...notes.list('').map(({ name, value }) => Buffer.concat([Buffer.from(name), value])),
    readFileSync(saltFile),
  ]);
  for (const form of ['203.0.113.77', Buffer.from([203, 0, 113, 77]), 'cb00714d']) {
    assert.equal(octets.indexOf(form), -1);
  }
});

test('damaged notes are left out with one warning, a damaged secret without', async (t) => {
  const { open, notes, warnings, saltFile } = bench(t);
  const stats = await open();
  for (const name of ['alice', 'bob', 'carol']) stats.served({ name, bytes: 1, ip: '192.0.2.1' });
  await stats.stop();
  await notes.put('visits/alice', Uint8Array.of(1, 2, 3));
  await notes.put('visits/bob', new Uint8Array(0));
  writeFileSync(saltFile, 'nonsense');
  const after = await open();
  assert.equal(warnings.length, 1);
  assert.match(warnings[0] ?? '', /"sites":2/);
  assert.equal(after.of('alice'), undefined);
  assert.equal(after.of('carol')?.requests, 1);
  after.served({ name: 'alice', bytes: 1, ip: '192.0.2.1' });
  assert.equal(after.of('alice')?.visitors, 1);
  await after.stop();
});

test('more names than can be kept push out those not opened for longest', async (t) => {
  const { open, notes } = bench(t);
  const stats = await open();
  stats.served({ name: 'first', bytes: 1, ip: '192.0.2.1' });
  stats.served({ name: 'second', bytes: 1, ip: '192.0.2.1' });
  for (let i = 2; i < namesMax; i++) stats.served({ name: `n${i}`, bytes: 1, ip: '192.0.2.1' });
  stats.served({ name: 'first', bytes: 1, ip: '192.0.2.1' });
  stats.served({ name: 'more', bytes: 1, ip: '192.0.2.1' });
  assert.equal(stats.size, namesMax);
  assert.equal(stats.of('second'), undefined);
  assert.equal(stats.of('first')?.requests, 2);
  await stats.stop();
  assert.equal(notes.list('visits/').length, namesMax);
  const [one] = notes.list('visits/');
  assert.ok(one);
  for (const name of ['visits/x', 'visits/y']) await notes.put(name, one.value);
  const again = await open();
  assert.equal(again.size, namesMax);
  assert.equal(notes.list('visits/').length, namesMax, 'of what a crash left, too');
  await again.stop();
  assert.equal(notes.get('visits/second'), undefined);
});

test('what cannot be written is tried again', async (t) => {
  const { open, notes, world, warnings } = bench(t);
  const putAll = notes.putAll.bind(notes);
  let isFull = true;
  notes.putAll = async (list) => {
    if (isFull) throw new Error('no space');
    await putAll(list);
  };
  const stats = await open();
  stats.served({ name: 'alice', bytes: 1, ip: '192.0.2.1' });
  world.advance(10_000);
  await until(() => warnings.length > 0);
  assert.equal(warnings.length, 1);
  isFull = false;
  await stats.stop();
  assert.equal(notes.list('visits/').length, 1);
});
