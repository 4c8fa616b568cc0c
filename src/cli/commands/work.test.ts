/** Commands that may have to work for seconds: their progress must be seen. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runDefinition } from '../../../test/support/cli.ts';
import { FixedServices, sampleIds } from '../../../test/support/node-services.ts';
import type { CommandDefinition } from '../command.ts';
import { definition as linkPut } from './link-put.ts';
import { definition as register } from './register.ts';
import { definition as update } from './update.ts';

const { root } = sampleIds;

const works: readonly [string, CommandDefinition, readonly string[]][] = [
  ['registering alice', register, ['alice', root]],
  ['updating alice', update, ['alice', root]],
  ['storing the link', linkPut, ['http://dead.example/', 'https://mirror.example/']],
];

for (const [label, definition, operands] of works) {
  test(`progress of ${label}`, async () => {
    const services = new FixedServices();
    const { stderr, error } = await runDefinition(definition, { services, operands, isTTY: true });
    assert.equal(error, undefined);
    assert.ok(stderr.includes(`${label} ...`), stderr);
    assert.ok(stderr.includes(`${label} [####`), stderr);
  });
}
