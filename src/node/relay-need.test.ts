import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEndpoint } from '../base/address.ts';
import { RelayNeed } from './relay-need.ts';

const at = (text: string): { endpoint: { ip: Uint8Array; port: number } } => ({
  endpoint: parseEndpoint(text) ?? assert.fail(text),
});

test('a node needs relays where others are far and cannot come to it', () => {
  const state = { contacts: [at('10.0.0.1:1')], reachable: false, global: false, nowMs: 0 };
  const need = new RelayNeed({
    contacts: () => state.contacts,
    isReachable: () => state.reachable,
    hasGlobalAddress: () => state.global,
    monotonicMs: () => state.nowMs,
  });
  assert.equal(need.isNeeded(), false, 'all are in its own network');
  state.contacts.push(at('45.1.2.3:1'));
  assert.equal(need.isNeeded(), true, 'it has no address of the Internet');
  state.global = true;
  assert.equal(need.isNeeded(), false, 'it may be reached there');
  state.nowMs = 3 * 60_000;
  assert.equal(need.isNeeded(), true, 'nobody came in all that time');
  state.reachable = true;
  assert.equal(need.isNeeded(), false);
  state.reachable = false;
  assert.equal(need.isNeeded(), false, 'it gets its time again');
});
