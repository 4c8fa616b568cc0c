import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { tinyContact, tinyIds } from '../../../test/support/tiny-contact.ts';
import type { Contact } from '../../identity/contact.ts';
import { Lookup, type LookupResult } from './lookup.ts';
import { type Answer, type Ask, runQuery } from './query.ts';

const noProbe = (): Promise<never> => Promise.reject(new Error('not probed here'));

const nothing: Answer = { contacts: [], server: true };

function lookupOf(...seeds: number[]): Lookup {
  const known = { target: Uint8Array.of(0), self: Uint8Array.of(0xff) };
  const options = { k: 3, concurrency: 2, askedMax: 50 };
  return new Lookup({ ...known, seeds: seeds.map(tinyContact) }, {}, options);
}

interface Started<T> {
  readonly world: ReturnType<typeof manualWorld>;
  readonly values: T[];
  readonly result: Promise<LookupResult>;
}

/** Reads a query to its end in the background. */
function start<T>(lookup: Lookup, ask: Ask<T>, signal?: AbortSignal): Started<T> {
  const world = manualWorld();
  const query = runQuery({
    lookup,
    ask,
    probe: noProbe,
    timers: world.timers,
    slowMs: () => 100,
    signal,
  });
  const values: T[] = [];
  const read = async (): Promise<LookupResult> => {
    for (;;) {
      const step = await query.next();
      if (step.done === true) return step.value;
      values.push(step.value);
    }
  };
  return { world, values, result: read() };
}

test('what answers emit comes in order of arrival, before the next is asked', async () => {
  const { values, result } = start<number | undefined>(
    lookupOf(1, 2, 3),
    ({ id: [id] }, { emit }) => {
      emit(id);
      emit(id);
      return Promise.resolve(nothing);
    },
  );
  assert.deepEqual(tinyIds((await result).closest), [1, 2, 3]);
  assert.deepEqual(values, [1, 1, 2, 2, 3, 3]);
});

test('contacts in answers are asked in turn; failures are passed over', async () => {
  const net: Record<number, number[] | undefined> = { 9: [5, 7], 5: [1], 1: [], 7: undefined };
  const { result } = start<never>(lookupOf(9), ({ id: [id = 0] }) => {
    const contacts = net[id];
    if (!contacts) return Promise.reject(new Error('no answer'));
    return Promise.resolve({ contacts: contacts.map(tinyContact), server: true });
  });
  const { closest, asked, answered } = await result;
  assert.deepEqual([tinyIds(closest), asked, answered], [[1, 5, 9], 4, 3]);
});

test('a slow one does not hold up the others, and its late answer counts', async () => {
  const asked: (number | undefined)[] = [];
  const late = Promise.withResolvers<Answer>();
  const { world, result } = start<never>(lookupOf(1, 2, 3, 4), ({ id: [id] }) => {
    asked.push(id);
    return id === 1 || id === 2 ? late.promise : Promise.resolve(nothing);
  });
  assert.deepEqual(asked, [1, 2]);
  await world.advanceAsync(100);
  assert.deepEqual(asked, [1, 2, 3]);
  late.resolve(nothing);
  assert.deepEqual(tinyIds((await result).closest), [1, 2, 3]);
  assert.equal(world.pendingTimers(), 0);
});

test('who stops reading ends every request, and every timer', async () => {
  const world = manualWorld();
  const ended: (number | undefined)[] = [];
  const ask: Ask<string> = async ({ id: [id] }: Contact, { signal, emit }) => {
    if (id === 1) emit('first');
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    ended.push(id);
    throw new Error('aborted');
  };
  const lookup = lookupOf(1, 2, 3);
  for await (const value of runQuery({
    lookup,
    ask,
    timers: world.timers,
    probe: noProbe,
    slowMs: () => 9,
    signal: undefined,
  })) {
    assert.equal(value, 'first');
    break;
  }
  await world.advanceAsync(0);
  assert.deepEqual(ended, [1, 2]);
  assert.equal(world.pendingTimers(), 0);
});

/** Waits for an answer that does not come. */
const never: Ask<never> = () => new Promise(() => undefined);

test("the signal's reason ends the query, before it begins or while it waits", async () => {
  const controller = new AbortController();
  const { world, result } = start<never>(lookupOf(1), never, controller.signal);
  const rejected = assert.rejects(result, /changed my mind/);
  await world.advanceAsync(0);
  controller.abort(new Error('changed my mind'));
  await rejected;
  assert.equal(world.pendingTimers(), 0);
  await assert.rejects(
    start<never>(lookupOf(1), never, controller.signal).result,
    /changed my mind/,
  );
});
