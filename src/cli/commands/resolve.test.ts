import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDefinition } from '../../../test/support/cli.ts';
import { FixedServices, sampleIds } from '../../../test/support/node-services.ts';
import type { ResolveResult } from '../../api/ports-names.ts';
import { isAltNetError } from '../../base/errors.ts';
import { definition } from './resolve.ts';

const claimants = [sampleIds.author, sampleIds.node];
const states: readonly [state: ResolveResult['state'], code: string | undefined, says: RegExp][] = [
  ['ok', undefined, /^alice\.alt: ok \(3 nodes asked\)/],
  [
    'new',
    undefined,
    /^alice\.alt: new, not yet confirmed.*\nheld since a moment ago; .*it opens already\n/,
  ],
  ['contested', 'NAME_CONTESTED', /claimed by {2}0c0c.*\nclaimed by {2}0a0a/],
  ['expired', 'NAME_EXPIRED', /^alice\.alt: expired/],
  ['revoked', 'NAME_REVOKED', /^alice\.alt: revoked\n/],
  ['blocked', 'NAME_BLOCKED', /^alice\.alt: blocked by this node\n/],
  ['not-found', 'NAME_NOT_FOUND', /^$/],
];

for (const [state, code, says] of states) {
  test(`resolve: a name that is ${state}`, async () => {
    const services = new FixedServices();
    const contested = state === 'contested' ? { claimants } : {};
    services.resolved = { name: 'alice.alt', state, asked: 3, ...contested };
    const text = await runDefinition(definition, { services, operands: ['alice'] });
    assert.match(text.stdout, says);
    assert.equal(isAltNetError(text.error) ? text.error.code : text.error, code);
    const json = await runDefinition(definition, { services, operands: ['alice'], json: true });
    assert.deepEqual(JSON.parse(json.stdout), services.resolved, 'printed in every state');
    assert.equal(isAltNetError(json.error) ? json.error.code : json.error, code);
  });
}

test('resolve: what the node remembers looks like no answer of now', async () => {
  const services = new FixedServices();
  services.resolved = { name: 'alice.alt', state: 'ok', asked: 3, cached: true, ageSeconds: 40 };
  const { stdout } = await runDefinition(definition, { services, operands: ['alice'] });
  assert.match(stdout, /^alice\.alt: ok \(remembered: 3 nodes asked 40 s ago\)/);
  const free = { name: 'alice.alt', state: 'not-found', asked: 3, cached: true, ageSeconds: 40 };
  services.resolved = free as ResolveResult;
  const { stderr } = await runDefinition(definition, { services, operands: ['alice'] });
  assert.match(stderr, /^altnet: remembered: 3 nodes asked 40 s ago; --fresh asks again\n/);
  const options = { fresh: true };
  await runDefinition(definition, { services, operands: ['alice'], options });
  assert.deepEqual(services.asked, [
    ['resolve', 'alice'],
    ['resolve', 'alice'],
    ['resolve', ['alice', 'fresh']],
  ]);
});

test('resolve: a name that was given up', async () => {
  const services = new FixedServices();
  const previousOwner = sampleIds.author;
  const freeAt = 1_700_604_800;
  services.resolved = { name: 'alice.alt', state: 'not-found', freeAt, previousOwner, asked: 3 };
  const { stdout, error } = await runDefinition(definition, { services, operands: ['alice'] });
  assert.match(
    stdout,
    /^alice\.alt: given up by its owner, free from 2023-11-21 22:13 UTC \(3 nodes/,
  );
  assert.match(stdout, /^was held by {2}0c0c/m);
  assert.ok(isAltNetError(error, 'NAME_NOT_FOUND'));
});
