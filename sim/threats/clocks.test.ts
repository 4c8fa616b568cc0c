/**
 * Threat "clock error" (docs/spec/threats.md): one node in ten is a day ahead, or behind. That such
 * a node notices, and becomes a client, is tested with src/dht/mode; here they all stay servers.
 */
import assert from 'node:assert/strict';
import { testsOf } from '../own-thread.ts';
import { equalBytes } from '../../src/base/bytes.ts';
import { clockToleranceSeconds } from '../../src/record/acceptance.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import { recordKinds, storeStatusName } from '../../src/record/kinds.ts';
import type { SimNode } from '../node.ts';
import { patient } from '../patient.ts';
import { finds, lookupExactness, sampleOf, simKinds } from '../samples.ts';
import { simulate } from '../simulate.ts';
import type { Simulation } from '../simulation.ts';
import { claimOf, isOwnedBy, rootOf, userOf } from './claims.ts';

const test = testsOf(import.meta.url);

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const daySeconds = 86_400;
const options = { nodes: 54, dht: { ...patient(30), confirmAfterMs: 60_000 } };

interface Clocks {
  readonly right: readonly SimNode[];
  readonly ahead: readonly SimNode[];
  readonly behind: readonly SimNode[];
}

/** Of 60 nodes three are a day ahead and three a day behind. */
async function withWrongClocks(sim: Simulation): Promise<Clocks> {
  const { world } = sim;
  const right = [...sim.nodes];
  const wrong: SimNode[] = [];
  for (const clockOffsetMs of [dayMs, dayMs, dayMs, -dayMs, -dayMs, -dayMs]) {
    wrong.push(await world.until(sim.join({ clockOffsetMs })));
  }
  await world.pass(hourMs);
  return { right, ahead: wrong.slice(0, 3), behind: wrong.slice(3) };
}

/** Of `readers`, how many find the record. */
async function findersOf(
  sim: Simulation,
  record: SignedRecord,
  readers: readonly SimNode[],
): Promise<number> {
  let count = 0;
  for (const reader of readers) if (await finds(sim, reader, record)) count++;
  return count;
}

/** Whether nobody whose clock is right should hold it by now; names stay reserved when they end. */
function isWrong({ kind, issued, expires }: SignedRecord, nowUnixSeconds: number): boolean {
  if (issued > nowUnixSeconds + clockToleranceSeconds) return true;
  return kind !== recordKinds.name && expires <= nowUnixSeconds - clockToleranceSeconds;
}

/** What nodes hold and would show. */
function shownBy(nodes: readonly SimNode[]): readonly SignedRecord[] {
  const held = nodes.flatMap(({ records }) => [...records.entries()]);
  return [...new Set(held.map(({ stored }) => stored.record))];
}

test('lookups and names work among right clocks while one node in ten is a day off', async (t) => {
  await simulate(t, options, async (sim) => {
    const { world } = sim;
    const { right, ahead, behind } = await withWrongClocks(sim);
    const exactness = await lookupExactness(sim, 100);
    t.diagnostic(`${(exactness * 100).toFixed(2)} % of the nearest were found`);
    assert.ok(exactness >= 0.99);

    const [owner, ...readers] = right.slice(0, 6);
    assert.ok(owner);
    for (const kind of simKinds) {
      const record = sampleOf(kind, { node: owner, label: `${kind}-right` });
      const { stored } = await world.until(owner.dht.store(record));
      assert.ok(stored >= 15, `${kind}: ${stored}`);
      assert.equal(await findersOf(sim, record, readers), readers.length);
    }
    await world.until(userOf(owner).register('timely', rootOf(1)));
    await world.pass(10 * 60_000);
    for (const reader of [...readers, ...ahead]) {
      const seen = await world.until(userOf(reader).resolve('timely'));
      assert.deepEqual([seen.state, isOwnedBy(seen, owner)], ['ok', true]);
    }
    // Where it is still yesterday, nobody believes in what is signed today.
    const [late] = behind;
    assert.ok(late);
    assert.equal((await world.until(userOf(late).resolve('timely'))).state, 'not-found');
  });
});

test('what wrong clocks sign and keep is neither stored nor shown by right ones', async (t) => {
  await simulate(t, options, async (sim) => {
    const { world } = sim;
    const { right, ahead, behind } = await withWrongClocks(sim);
    const readers = right.slice(0, 5);
    /** To all who should have it, and to those whose clocks agree. */
    const publish = async (alike: readonly SimNode[]): Promise<readonly SignedRecord[]> => {
      const [node] = alike;
      assert.ok(node);
      const targets = alike.map(({ contact }) => contact);
      const kinds = simKinds.map((kind) => sampleOf(kind, { node, label: `${kind}-wrong` }));
      for (const record of kinds) {
        await world.until(node.dht.store(record));
        await world.until(node.dht.store(record, { targets }));
      }
      return kinds;
    };
    const future = await publish(ahead);
    const [name, link, provider] = await publish(behind);
    assert.ok(name && link && provider);
    for (const record of [...future, provider]) {
      assert.ok(sim.holdings.holdersOf(record) > 0, 'those with the same clock hold it');
      assert.ok(!shownBy(right).some(({ hash }) => equalBytes(hash, record.hash)));
      assert.equal(await findersOf(sim, record, readers), 0);
    }
    // Signed yesterday, and valid for long.
    for (const record of [name, link]) {
      assert.equal(await findersOf(sim, record, readers), readers.length);
    }

    for (const node of right.slice(10, 16)) {
      await world.until(node.dht.store(sampleOf('provider', { node, label: 'short-lived' })));
    }
    await world.pass(10 * hourMs); // hand-offs, and two hours beyond a provider's life
    const now = readers[0]?.now() ?? 0;
    assert.ok(shownBy(ahead).some((record) => isWrong(record, now)));
    assert.ok(!shownBy(right).some((record) => isWrong(record, now)));
    for (const record of future) assert.equal(await findersOf(sim, record, readers), 0);
  });
});

/** What right storers say to a record, and how many hold it afterwards. */
async function offer(
  sim: Simulation,
  { by, record, right }: { by: SimNode; record: SignedRecord; right: readonly SimNode[] },
): Promise<readonly [string | undefined, number]> {
  const { refusals } = await sim.world.until(by.dht.store(record));
  const [main] = refusals.toSorted((a, b) => b.count - a.count);
  const holders = right.filter(({ records }) => records.list(record.key).length > 0).length;
  return [main && storeStatusName(main.status), holders];
}

test('right storers refuse the future and the past, whoever offers them', async (t) => {
  await simulate(t, options, async (sim) => {
    const { right } = await withWrongClocks(sim);
    const by = await sim.world.until(sim.join({ server: false }));
    const now = by.now();
    const claim = (label: string, issued: number, expires: number): SignedRecord =>
      claimOf(by, label, { issued, expires });
    const offered = (record: SignedRecord): ReturnType<typeof offer> =>
      offer(sim, { by, record, right });
    const later = claim('later', now + daySeconds, now + 2 * daySeconds);
    assert.deepEqual(await offered(later), ['CLOCK', 0]);
    const barely = claim('barely', now + clockToleranceSeconds + 60, now + daySeconds);
    assert.deepEqual(await offered(barely), ['CLOCK', 0]);
    const ended = claim('ended', now - daySeconds, now - clockToleranceSeconds - 60);
    assert.deepEqual(await offered(ended), ['EXPIRED', 0]);
    const [, holders] = await offered(claim('fits', now - daySeconds, now + daySeconds));
    assert.ok(holders >= 15, `${holders}`);
  });
});
