import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import { type Logger, silentLogger } from '../base/logger.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { SigningKey } from '../identity/key.ts';
import { encodeRevocation, hashOfContent } from '../record/revocations.ts';
import type { TrustedKeys } from '../trust/ports.ts';
import { RevokerLists } from './lists.ts';

const revoker = new SigningKey('author', new Uint8Array(32).fill(1)).publicKey;
const nobody: TrustedKeys = { list: () => [], has: () => false, onChange: () => () => undefined };
const hash = new Uint8Array(32).fill(3);

function listsOver(notes: MemoryNotes, log: Logger = silentLogger): RevokerLists {
  return new RevokerLists({ trusted: nobody, own: revoker, notes, ...manualWorld(), log });
}

async function withOneRevocation(): Promise<MemoryNotes> {
  const notes = new MemoryNotes();
  const lists = listsOver(notes);
  await lists.start();
  const own = await lists.openOwn();
  await own.append(encodeRevocation({ type: 1, target: hashOfContent(hash), undo: false }));
  await lists.stop();
  return notes;
}

test('a list that is damaged on the disk is told of', async () => {
  const notes = await withOneRevocation();
  const said: string[] = [];
  const log: Logger = { ...silentLogger, warn: (message) => void said.push(message) };
  const whole = listsOver(notes, log);
  await whole.start();
  assert.deepEqual(whole.ofBlock(hash), revoker);
  await whole.stop();
  assert.deepEqual(said, []);
  const [piece] = notes.list('revocations/');
  assert.ok(piece);
  await notes.put(piece.name, piece.value.subarray(1));
  const damaged = listsOver(notes, log);
  await damaged.start();
  await damaged.stop();
  assert.deepEqual(said, ['a list of revocations is damaged, and fetched anew']);
});

test('a disk that cannot be read keeps the node from serving what is revoked', async () => {
  const notes = await withOneRevocation();
  const broken = new RevokerLists({
    trusted: { ...nobody, list: () => [revoker], has: () => true },
    own: revoker,
    notes: Object.assign(Object.create(notes) as MemoryNotes, {
      get: () => {
        throw new Error('EIO');
      },
    }),
    ...manualWorld(),
    log: silentLogger,
  });
  await assert.rejects(broken.start(), /EIO/);
  await broken.stop();
});
