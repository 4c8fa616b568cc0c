import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AltNetError } from '../base/errors.ts';
import { bindOrMove, requireHostPort } from './bind.ts';

function opener(taken: readonly number[]): {
  tried: number[];
  open: (address: { port: number }) => Promise<number>;
} {
  const tried: number[] = [];
  return {
    tried,
    async open({ port }) {
      tried.push(port);
      if (taken.includes(port)) throw new AltNetError('PORT_TAKEN', { address: `:${port}` });
      return port;
    },
  };
}

test('a default port moves past the taken ones and says so', async () => {
  const { open } = opener([8080, 8081]);
  const bound = await bindOrMove({ address: '127.0.0.1:8080', explicit: false }, open);
  assert.deepEqual(bound, { value: 8082, note: 'port 8080 is taken; using 8082 instead' });
});

test('a port that the user chose does not move', async () => {
  const { open, tried } = opener([8080]);
  await assert.rejects(bindOrMove({ address: '127.0.0.1:8080', explicit: true }, open), {
    code: 'PORT_TAKEN',
  });
  assert.deepEqual(tried, [8080]);
});

test('other failures are not retried', async () => {
  let calls = 0;
  const open = async (): Promise<never> => {
    calls++;
    throw new AltNetError('BIND_FAILED', { address: 'x', why: 'no such address' });
  };
  await assert.rejects(bindOrMove({ address: '127.0.0.1:8080', explicit: false }, open), {
    code: 'BIND_FAILED',
  });
  assert.equal(calls, 1);
});

test('an address is host:port; an empty host is every address', () => {
  assert.deepEqual(requireHostPort(':9000'), { host: '0.0.0.0', port: 9000 });
  assert.deepEqual(requireHostPort('[::1]:0'), { host: '::1', port: 0 });
  for (const text of ['9000', 'host', 'host:', 'host:99999', '::1:80', 'a b:1']) {
    assert.throws(() => requireHostPort(text), { code: 'BAD_ADDRESS' }, text);
  }
});
