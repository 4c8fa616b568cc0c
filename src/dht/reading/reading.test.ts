import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleName, testNetwork, testProfile } from '../../../test/support/dht-samples.ts';
import { manualWorld } from '../../../test/support/manual-world.ts';
import { tinyContact } from '../../../test/support/tiny-contact.ts';
import { type RecordKind, recordKinds } from '../../record/kinds.ts';
import type { Caller } from '../table/caller.ts';
import type { Gathered } from './gather.ts';
import type { Request } from '../ports.ts';
import { askForRecords, getRequest } from './reading.ts';
import { RecordSieve } from './sieve.ts';

const record = sampleName('alice');

/** What comes of asking a node that always promises another page, and how often it was asked. */
async function askEndless(kind: RecordKind): Promise<{ pages: number; gathered: Gathered[] }> {
  let pages = 0;
  const call = (_: unknown, request: Request): Promise<unknown> => {
    const info = { server: true };
    if (request.method !== 'get') return Promise.resolve({ reply: { contacts: [] }, info });
    pages++;
    const next = request.cursor + 1;
    const reply = {
      records: [record.bytes],
      provisional: [false],
      digests: [],
      next,
      contacts: [],
    };
    return Promise.resolve({ reply, info });
  };
  const { clock } = manualWorld();
  const deps = { clock, profile: testProfile, network: testNetwork };
  const sieve = new RecordSieve(deps, { key: record.key });
  const caller = { call } as unknown as Caller;
  const ask = askForRecords(getRequest(record.key, {}), { caller, sieve, k: 20, kind });
  const gathered: Gathered[] = [];
  const { signal } = new AbortController();
  await ask(tinyContact(1), { signal, emit: (one) => gathered.push(one) });
  return { pages, gathered };
}

test('pages without end come to one: soon where a key holds one record', async () => {
  const name = await askEndless(recordKinds.name);
  assert.equal(name.pages, 2);
  assert.deepEqual(
    name.gathered.map(({ records }) => records),
    [[record]],
  );
  assert.equal((await askEndless(recordKinds.link)).pages, 8);
});
