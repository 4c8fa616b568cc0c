import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import { AltNetError } from '../base/errors.ts';
import { Registrants } from './registrants.ts';

const author = { id: 'the ID', publicKey: 'the key' };

function bench(): {
  readonly own: Set<string>;
  readonly notes: MemoryNotes;
  readonly registrants: Registrants;
  readonly take: (name: string, owner?: string) => Promise<void>;
} {
  const own = new Set<string>(); // BOUNDED by the test
  const notes = new MemoryNotes();
  const names = { list: () => [...own].map((name) => ({ name })) };
  const registrants = new Registrants({ notes, names, author });
  const take = (name: string, owner?: string): Promise<void> =>
    registrants.register(name, owner, async () => void own.add(name));
  return { own, notes, registrants, take };
}

const fail = (): Promise<void> => Promise.reject(new AltNetError('NO_PEERS', { what: 'a.alt' }));

test('a name belongs to whom it was registered for, also after a restart', async () => {
  const { notes, own, registrants, take } = bench();
  await take('a.alt', 'Bob');
  await take('a.alt', 'Bob');
  await take('a.alt');
  assert.equal(registrants.of('a.alt'), 'Bob');
  const names = { list: () => [...own].map((name) => ({ name })) };
  const later = new Registrants({ notes, names, author });
  assert.equal(later.of('a.alt'), 'Bob');
  const taken = { code: 'NAME_TAKEN', details: { name: 'a.alt', owner: 'Bob' } };
  await assert.rejects(take('a.alt', 'Eve'), taken);
  await assert.rejects(take('a.alt', author.id), taken);
});

test('without a text it is the author, by ID or key', async () => {
  const { registrants, take } = bench();
  await take('a.alt');
  await take('a.alt', author.id);
  await take('a.alt', author.publicKey);
  assert.equal(registrants.of('a.alt'), undefined);
  await assert.rejects(take('a.alt', 'Bob'), { code: 'NAME_TAKEN' });
  await take('b.alt', author.publicKey);
  assert.equal(registrants.of('b.alt'), undefined);
});

test('of a name that could not be had, or was given up, nothing stays', async () => {
  const { own, notes, registrants, take } = bench();
  await assert.rejects(registrants.register('a.alt', 'Bob', fail), { code: 'NO_PEERS' });
  assert.deepEqual(notes.list(''), []);
  const late = (): Promise<void> => {
    own.add('a.alt'); // written down, and brought out later
    return fail();
  };
  await assert.rejects(registrants.register('a.alt', 'Bob', late), { code: 'NO_PEERS' });
  assert.equal(registrants.of('a.alt'), 'Bob');
  own.delete('a.alt');
  await registrants.forget('a.alt');
  await take('a.alt', 'Eve');
  assert.equal(registrants.of('a.alt'), 'Eve');
});

test('of two who ask for a name at the same time one gets it', async () => {
  const { own, registrants } = bench();
  const slow = async (): Promise<string> => {
    await new Promise((resolve) => setImmediate(resolve));
    own.add('a.alt');
    return 'registered';
  };
  const asked = ['Bob', 'Eve'].map((owner) => registrants.register('a.alt', owner, slow));
  const [bob, eve] = await Promise.allSettled(asked);
  assert.deepEqual([bob?.status, eve?.status], ['fulfilled', 'rejected']);
  assert.equal(registrants.of('a.alt'), 'Bob');
});
