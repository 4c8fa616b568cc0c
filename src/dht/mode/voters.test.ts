import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contactAt } from '../../../test/support/mode-samples.ts';
import { Voters } from './voters.ts';

test('a voter, and a network, has one voice: its latest', () => {
  const voters = new Voters<string>({ votersMax: 10, network: 'wide' });
  voters.hear(contactAt('45.1.0.1:9000'), 'first');
  voters.hear(contactAt('45.1.99.2:9000'), 'same /16');
  assert.deepEqual(voters.values(), ['same /16']);
  voters.hear(contactAt('45.2.0.1:9000', 'mover'), 'before the move');
  voters.hear(contactAt('45.3.0.1:9000', 'mover'), 'after the move');
  assert.deepEqual(voters.values(), ['same /16', 'after the move']);
  voters.hear(contactAt('[2a00:1::1]:9000'), 'v6');
  voters.hear(contactAt('[2a00:1:99::1]:9000'), 'same /32');
  assert.deepEqual(voters.values(), ['same /16', 'after the move', 'same /32']);
});

test('in a private network every ID counts, and the oldest is forgotten', () => {
  const voters = new Voters<number>({ votersMax: 3, network: 'wide' });
  for (let n = 1; n <= 5; n++) voters.hear(contactAt(`10.0.0.${n}:9000`), n);
  assert.deepEqual(voters.values(), [3, 4, 5]);
});
