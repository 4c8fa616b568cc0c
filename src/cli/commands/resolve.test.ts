import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResolveResult } from '../../api/ports.ts';
import { isAltNetError } from '../../base/errors.ts';
import { FixedServices, sampleIds } from '../../../test/support/node-services.ts';
import type { CommandContext } from '../command.ts';
import { Terminal } from '../tui.ts';
import { definition } from './resolve.ts';

async function resolve(
  resolved: ResolveResult,
  json: boolean,
): Promise<{ output: string; code: string | undefined }> {
  const services = new FixedServices();
  services.resolved = resolved;
  let output = '';
  const stdout = { write: (data: string | Uint8Array) => (output += String(data)) };
  const context: CommandContext = {
    terminal: new Terminal({ stdout, stderr: { write: () => true }, json, program: 'altnet' }),
    signal: new AbortController().signal,
    cwd: '/',
    folders: { data: '/', keydir: '/' },
    shell: undefined,
    services: async () => services,
  };
  try {
    await definition.run(context, { operands: ['alice'], options: {} });
    return { output, code: undefined };
  } catch (error) {
    return { output, code: isAltNetError(error) ? error.code : String(error) };
  }
}

const claimants = [sampleIds.author, sampleIds.node];
const states: readonly [state: ResolveResult['state'], code: string | undefined, says: RegExp][] = [
  ['ok', undefined, /^alice\.alt: ok \(3 nodes asked\)/],
  ['new', undefined, /^alice\.alt: new, not yet confirmed/],
  ['contested', 'NAME_CONTESTED', /claimed by {2}0c0c.*\nclaimed by {2}0a0a/],
  ['expired', 'NAME_EXPIRED', /^alice\.alt: expired/],
  ['revoked', 'NAME_REVOKED', /^alice\.alt: revoked/],
  ['not-found', 'NAME_NOT_FOUND', /^$/],
];

for (const [state, code, says] of states) {
  test(`resolve: a name that is ${state}`, async () => {
    const contested = state === 'contested' ? { claimants } : {};
    const result: ResolveResult = { name: 'alice.alt', state, asked: 3, ...contested };
    const text = await resolve(result, false);
    assert.match(text.output, says);
    assert.equal(text.code, code);
    const json = await resolve(result, true);
    assert.deepEqual(JSON.parse(json.output), result, 'the object is printed in every state');
    assert.equal(json.code, code);
  });
}
