import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { parseEndpoint } from '../base/address.ts';
import { utf8 } from '../base/bytes.ts';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import type { RelayedAddress } from '../peer/peer-address.ts';
import { rememberedRelays, rememberRelays } from './relay-memory.ts';

const relay = (port: number): RelayedAddress => ({
  endpoint: parseEndpoint(`45.0.0.1:${port}`) ?? assert.fail(),
  relayKey: new Uint8Array(randomBytes(32)),
});

test('the relays used last come first, and few are remembered', async () => {
  const notes = new MemoryNotes();
  assert.deepEqual(rememberedRelays(notes), []);
  const all = Array.from({ length: 10 }, (_, i) => relay(i + 1));
  for (const one of all) await rememberRelays(notes, { working: [one], useless: [] });
  await rememberRelays(notes, { working: [], useless: [] });
  const ports = (): number[] => rememberedRelays(notes).map(({ endpoint }) => endpoint.port);
  assert.deepEqual(ports(), [10, 9, 8, 7, 6, 5, 4, 3]);
  await rememberRelays(notes, { working: all.slice(4, 5), useless: all.slice(8) });
  assert.deepEqual(ports(), [5, 8, 7, 6, 4, 3]);
  await notes.put('node/relays', utf8('nonsense\nzz 1.2.3.4:5'));
  assert.deepEqual(rememberedRelays(notes), []);
});

test('a relay is remembered with the addresses of both families', async () => {
  const notes = new MemoryNotes();
  const one = relay(9000);
  const six = { ...one, endpoint: parseEndpoint('[2001:db8::1]:9000') ?? assert.fail() };
  await rememberRelays(notes, { working: [one, six], useless: [] });
  await rememberRelays(notes, { working: [relay(7)], useless: [] });
  const all = rememberedRelays(notes).map(({ endpoint, others = [] }) => {
    return [endpoint, ...others].map(({ ip }) => ip.length);
  });
  assert.deepEqual(all, [[4], [4, 16]]);
});
