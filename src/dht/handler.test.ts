import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nodeKey, sampleName } from '../../test/support/dht-samples.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { scopeOf } from '../base/address.ts';
import { silentLogger } from '../base/logger.ts';
import { contactOf } from '../identity/contact.ts';
import { type StoreStatus, storeStatuses } from '../record/kinds.ts';
import { Counters } from './counters.ts';
import { Handler } from './handler.ts';
import type { Storage } from './storage.ts';
import { RoutingTable } from './table.ts';

const { OK, METHOD, BAD_TOKEN } = storeStatuses;

/** What a node that serves its own network, not the whole Internet, answers to STORE. */
async function store(
  ip: readonly number[],
  { addressProven = true }: { addressProven?: boolean } = {},
): Promise<StoreStatus | undefined> {
  const self = nodeKey(1).id;
  const handler = new Handler({
    self,
    clock: manualWorld().clock,
    log: silentLogger,
    table: new RoutingTable(self),
    storage: { accept: () => Promise.resolve({ status: OK }) } as unknown as Storage,
    counters: new Counters(),
    isServer: (askerIp) => scopeOf(askerIp) !== 'global',
    contactRecord: () => undefined,
    offer: () => undefined,
    handOff: () => ({ method: 'sync', entries: [], more: false }),
  });
  const contact = contactOf(nodeKey(2).publicKey, { ip: Uint8Array.from(ip), port: 9000 });
  const record = sampleName('alice').bytes;
  const from = { contact, server: true, addressProven };
  const reply = await handler.handle(from, { method: 'store', record });
  return reply?.method === 'store' ? reply.status : undefined;
}

test('records are held for those who can reach us, whoever else we know', async () => {
  assert.equal(await store([10, 0, 0, 2]), OK);
  assert.equal(await store([8, 8, 8, 8]), METHOD);
  assert.equal(await store([10, 0, 0, 2], { addressProven: false }), BAD_TOKEN);
});
