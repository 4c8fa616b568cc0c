/**
 * Every way into a node and out of it, and none that gives, takes, announces or resolves what is
 * denied (docs/spec/trust.md, "Entry points"). The tables name each method of the DHT, protocol,
 * endpoint and form of host that there is: a new one without a row fails here.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { routes } from '../../src/api/routes.ts';
import { equalBytes } from '../../src/base/bytes.ts';
import { multihashOf } from '../../src/content/dag/root.ts';
import { recordKinds } from '../../src/record/kinds.ts';
import { providerKey } from '../../src/record/provider.ts';
import { methodCodes } from '../../src/wire/requests.ts';
import { parseRecord } from '../../src/record/envelope.ts';
import { apiRows } from '../support/denied/api-rows.ts';
import { gatewayRows } from '../support/denied/gateway-rows.ts';
import { type DeniedNet, startDeniedNet, until } from '../support/denied/net.ts';
import type { Rows } from '../support/denied/rows.ts';
import { rpcRows } from '../support/denied/rpc-rows.ts';
import { streamRows } from '../support/denied/stream-rows.ts';

const sorted = (names: Iterable<string>): string[] => [...names].toSorted();

test('no way into a node or out of it lets through what is denied', async (t) => {
  const net = await startDeniedNet(t);

  await t.test('each is in a table', () => {
    assert.deepEqual(sorted(Object.keys(rpcRows)), sorted(Object.keys(methodCodes)));
    const own = net.inside.parts.peers.protocols().filter((name) => name.startsWith('/altnet/'));
    assert.deepEqual(sorted(Object.keys(streamRows)), sorted(own));
    const endpoints = routes.map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(sorted(Object.keys(apiRows)), sorted(endpoints));
  });

  const tables: Readonly<Record<string, Rows>> = {
    'the DHT': rpcRows,
    streams: streamRows,
    'the gateway': gatewayRows,
    'the API': apiRows,
  };
  for (const [table, rows] of Object.entries(tables)) {
    for (const [entry, row] of Object.entries(rows)) {
      if (typeof row === 'string') continue;
      for (const { what, run } of row) {
        await t.test(`${table}, ${entry}: ${what}`, () => run(net));
      }
    }
  }

  await t.test('what is denied has gone from the disk', () => gone(net));
  await t.test('and its announcement is taken back', () => withdrawn(net));
});

async function gone({ inside, subjects }: DeniedNet): Promise<void> {
  const { holdings } = inside.parts.store;
  const { denied, allowed } = subjects;
  await until(() => holdings.get(denied.link.hash) === undefined);
  assert.equal(inside.parts.store.blocks.get(denied.link.hash), undefined);
  assert.ok(holdings.get(allowed.link.hash));
}

/** At a node that denies nothing. */
async function withdrawn({ inside, outside, hostile, subjects }: DeniedNet): Promise<void> {
  const own = inside.parts.identity.node.publicKey;
  const provides = async ({ link }: typeof subjects.denied): Promise<boolean> => {
    const key = providerKey(multihashOf(link));
    const request = { method: 'get', key, mode: 'full', minSeq: 0n, cursor: 0, ids: [] } as const;
    const { records } = await hostile.call(outside, request);
    return records.some((bytes) => {
      const parsed = parseRecord(bytes);
      return parsed.ok && !parsed.record.tombstone && equalBytes(parsed.record.author, own);
    });
  };
  assert.ok(await provides(subjects.allowed));
  await until(async () => !(await provides(subjects.denied)));
  const kept = inside.parts.publisher.list(recordKinds.provider).map(({ record }) => record.key);
  assert.ok(!kept.some((key) => equalBytes(key, providerKey(multihashOf(subjects.denied.link)))));
}
