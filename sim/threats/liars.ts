/** Storers that side with one claim to a name, whatever they were given. */
import { type Bytes, equalBytes } from '../../src/base/bytes.ts';
import { pageOf } from '../../src/dht/holding/pages.ts';
import type { GetReply, GetRequest, Reply } from '../../src/dht/ports.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import { storeStatuses } from '../../src/record/kinds.ts';
import { slotOf } from '../../src/record/registry.ts';
import { corrupt, type Lie } from '../hostile.ts';
import type { SimNode } from '../node.ts';

/** From now on each of `nodes` shows `record` as confirmed, and forgets what it held instead. */
export async function winOver(nodes: readonly SimNode[], record: SignedRecord): Promise<void> {
  const { key } = record;
  const lie = showing(record);
  for (const node of nodes) {
    corrupt(node, lie);
    for (const held of node.records.list(key)) await node.records.remove(key, slotOf(held.record));
  }
}

/**
 * Shows `record` also to who asks for newer ones; takes every other record of that key with thanks,
 * and drops it. About everything else it is honest.
 */
function showing(record: SignedRecord): Lie {
  const { key } = record;
  const held = [{ record, heldSinceMs: 0, refreshedMs: 0, provisional: false, source: '' }];
  const answer = (request: GetRequest, honest: Reply | undefined): GetReply => {
    const page = pageOf(held, { ...request, minSeq: 0n }, { self: key, nowMs: 0 });
    return { method: 'get', ...page, contacts: honest?.method === 'get' ? honest.contacts : [] };
  };
  return ({ request, honestly }) => {
    if (request.method === 'store') {
      return equalBytes(keyOf(request.record), key) ? thanks : honestly();
    }
    if (request.method !== 'get' || !equalBytes(request.key, key)) return honestly();
    return Promise.resolve(honestly()).then((honest) => answer(request, honest));
  };
}

const thanks: Reply = {
  method: 'store',
  status: storeStatuses.OK,
  conflicting: undefined,
  detail: undefined,
};

/** Of an encoded record. */
function keyOf(bytes: Bytes): Bytes {
  return bytes.subarray(4, 36);
}
