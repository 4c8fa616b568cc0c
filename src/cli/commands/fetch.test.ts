import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDefinition } from '../../../test/support/cli.ts';
import { FixedServices } from '../../../test/support/node-services.ts';
import { AltNetError } from '../../base/errors.ts';
import { definition } from './fetch.ts';

const operands = ['alice', '/copy'];

test('a fetch that breaks off says that nothing is lost', async () => {
  const services = new FixedServices();
  services.failure = new AltNetError('CONTENT_UNAVAILABLE', { root: 'x', why: 'it left' });
  const { stderr, error } = await runDefinition(definition, { services, operands });
  assert.equal(error, services.failure);
  assert.equal(stderr, 'altnet: what came so far is kept: the same command goes on from there\n');
});

test('one for which nothing came does not', async () => {
  const services = new FixedServices();
  const failure = new AltNetError('NO_PROVIDERS', { root: 'x' });
  services.fetch = () => Promise.reject(failure);
  const { stderr, error } = await runDefinition(definition, { services, operands });
  assert.deepEqual([stderr, error], ['', failure]);
});
