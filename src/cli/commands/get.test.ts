import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDefinition } from '../../../test/support/cli.ts';
import { FixedServices } from '../../../test/support/node-services.ts';
import { utf8 } from '../../base/bytes.ts';
import { definition } from './get.ts';

const operands = ['0f'.repeat(32)];

function holding(value: Uint8Array): FixedServices {
  return Object.assign(new FixedServices(), { getValue: async (key: string) => ({ key, value }) });
}

test('get: a pipe gets the bytes as they are', async () => {
  const services = holding(Uint8Array.of(0, 255, 10, 27));
  const { stdout, stderr } = await runDefinition(definition, { services, operands });
  assert.deepEqual([stdout, stderr], ['\u0000\u00FF\n\u001B', '']);
});

test('get: a terminal gets text made harmless, with its lines', async () => {
  const services = holding(utf8('one\n\ttwo\u001B[2J\n'));
  const { stdout } = await runDefinition(definition, { services, operands, isTTY: true });
  assert.equal(stdout, 'one\n\ttwo\\u001b[2J\n');
});

test('get: a terminal gets no binary', async () => {
  const services = holding(Uint8Array.of(0, 255));
  const { stdout, stderr } = await runDefinition(definition, { services, operands, isTTY: true });
  assert.equal(stdout, '');
  assert.match(stderr, /altnet: the value is 2 bytes of binary/);
});

test('get: JSON holds text as text', async () => {
  const services = holding(utf8('plain'));
  const { stdout } = await runDefinition(definition, { services, operands, json: true });
  assert.deepEqual(JSON.parse(stdout), { key: operands[0], value: 'plain' });
});
