import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDefinition } from '../../../test/support/cli.ts';
import { FixedServices } from '../../../test/support/node-services.ts';
import type { OwnName } from '../../api/ports-names.ts';
import { definition } from './names.ts';

const open: OwnName = {
  name: 'alice.alt',
  root: '0e'.repeat(32),
  cid: 'bafyalice',
  owner: '0a'.repeat(32),
  registered_at: 1_790_000_000,
  updated_at: 1_790_000_000,
  version: 3,
};
const certified: OwnName = {
  ...open,
  name: 'shop.alt',
  zone: 'c0ffee'.repeat(11).slice(0, 64),
  certified_until: 1_800_000_000,
};

/** The lines of the table, in cells. */
async function tableOf(names: readonly OwnName[]): Promise<string[][]> {
  const services = new FixedServices();
  services.names = async () => [...names];
  const { stdout } = await runDefinition(definition, { services, operands: [] });
  const lines = stdout.trimEnd().split('\n');
  return lines.map((line) => line.split(/ {2,}/));
}

test('names of the open zone need no columns for zones and certificates', async () => {
  const [head, row] = await tableOf([open]);
  assert.deepEqual(head, ['NAME', 'VERSION', 'UPDATED', 'CID']);
  assert.deepEqual([row?.[0], row?.at(-1), row?.length], ['alice.alt', 'bafyalice', 4]);
});

test('where there is a name of a registrar, zone and end of the certificate are shown', async () => {
  const [head, first, second] = await tableOf([open, certified]);
  assert.deepEqual(head, ['NAME', 'VERSION', 'UPDATED', 'ZONE', 'CERTIFIED UNTIL', 'CID']);
  assert.deepEqual(first?.slice(3, 5), ['open', '-']);
  assert.equal(second?.[3], 'c0ffeec0ffee');
  assert.match(second[4] ?? '', /^2027-01-1\d/);
});
