/** In what words sites are told of; what is done with them is tested in services.test.ts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AltNetError, type ErrorCode } from '../base/errors.ts';
import { cidOf, rootHex } from '../content/dag/root.ts';
import type { Parts } from './parts.ts';
import type { SiteContext } from './publish-site.ts';
import { siteServices } from './services-sites.ts';

const root = cidOf({ codec: 'dag-pb', hash: new Uint8Array(32).fill(7) });
const [cid, hex] = [root.toString(), rootHex(root)];

/** What a fetch rejects with, of which the parts below say `error`. */
async function failureOf(what: string, error: Error): Promise<unknown> {
  const sites = { fetch: () => Promise.reject(error) };
  const names = { resolve: async () => ({ name: 'alice.alt', state: 'ok', root, asked: 1 }) };
  const services = siteServices({ sites, names } as unknown as Parts, {} as SiteContext);
  try {
    return assert.fail(JSON.stringify(await services.fetch({ what, dest: '/copy' })));
  } catch (failure) {
    return failure;
  }
}

test('an error names the root as the caller gave it, and that of a name by its CID', async () => {
  const missing = new AltNetError('NO_PROVIDERS', { root: hex });
  for (const [what, shown] of [
    [cid, cid],
    [hex, hex],
    ['alice', cid],
  ] as const) {
    const failure = await failureOf(what, missing);
    assert.ok(failure instanceof AltNetError);
    const code: ErrorCode = failure.code;
    assert.deepEqual([code, failure.details], ['NO_PROVIDERS', { root: shown }]);
    assert.match(failure.message, new RegExp(shown));
  }
});

test('an error about something else stays as it is', async () => {
  const other = new AltNetError('NO_PROVIDERS', { root: '00'.repeat(32) });
  assert.equal(await failureOf(cid, other), other);
  const unexpected = new Error('unexpected');
  assert.equal(await failureOf(cid, unexpected), unexpected);
});
