/** Answers of hostile storers, which show what they want whatever they were given. */
import { type Bytes, equalBytes } from '../../src/base/bytes.ts';
import { pageOf } from '../../src/dht/pages.ts';
import type { GetReply, Reply, Request, RequestHandler } from '../../src/dht/ports.ts';
import type { SignedRecord } from '../../src/record/envelope.ts';
import { storeStatuses } from '../../src/record/kinds.ts';
import { slotOf } from '../../src/record/registry.ts';
import type { SimNode } from '../node.ts';
import type { Simulation } from '../simulation.ts';

export type Lie = (honest: RequestHandler) => RequestHandler;

/**
 * Holds `record`, confirmed and for ever, also against who asks for newer ones; takes every other
 * record of that key with thanks, and drops it. About everything else it is honest.
 */
export function showing(record: SignedRecord): Lie {
  const { key } = record;
  const held = [{ record, heldSinceMs: 0, refreshedMs: 0, provisional: false, source: '' }];
  const answer = (request: Request): Reply | undefined => {
    if (request.method === 'store') {
      const isMine = equalBytes(keyOf(request.record), key);
      const { OK } = storeStatuses;
      return isMine
        ? { method: 'store', status: OK, conflicting: undefined, detail: undefined }
        : undefined;
    }
    if (request.method !== 'get' || !equalBytes(request.key, key)) return undefined;
    const page = pageOf(held, { ...request, minSeq: 0n }, { self: key, nowMs: 0 });
    return { method: 'get', ...page, contacts: [] };
  };
  return (honest) => (from, request) => {
    const lie = answer(request);
    if (lie?.method !== 'get') return lie ?? honest(from, request);
    return Promise.resolve(honest(from, request)).then((reply) => withContacts(lie, reply));
  };
}

/** Makes each of `nodes` show `record`, and forget what it held in its place. */
export async function corrupt(
  { network }: Simulation,
  nodes: readonly SimNode[],
  record: SignedRecord,
): Promise<void> {
  for (const node of nodes) {
    network.corrupt(node.contact, showing(record));
    await forget(node, record.key);
  }
}

async function forget(node: SimNode, key: Bytes): Promise<void> {
  for (const { record } of node.records.list(key)) await node.records.remove(key, slotOf(record));
}

function withContacts(lie: GetReply, honest: Reply | undefined): GetReply {
  return honest?.method === 'get' ? { ...lie, contacts: honest.contacts } : lie;
}

/** Of an encoded record. */
function keyOf(bytes: Bytes): Bytes {
  return bytes.subarray(4, 36);
}
