import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { test, type TestContext } from 'node:test';
import { atEnd } from '../../test/support/cleanup.ts';
import { FixedServices } from '../../test/support/node-services.ts';
import { Api } from '../api/api.ts';
import { systemWorld } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { repeat } from '../dht/loops.ts';
import { Gateway } from '../gateway/gateway.ts';
import { createLogger } from './log.ts';

/** What a peer wrote, and an error of ours or of a library quotes. */
const words = 'evil\u001b[2J words\n    at evil/code.ts:1:1';
const failures: readonly Error[] = [
  new Error(words),
  new TypeError(words, { cause: new Error(words) }),
  new AltNetError(
    'INTERNAL',
    { what: words },
    { cause: Object.assign(new Error(words), { code: words }) },
  ),
];

async function failGateway(t: TestContext, log: Logger, failure: Error): Promise<void> {
  const failing = { resolve: () => Promise.reject(failure), onChange: () => () => undefined };
  const deps = { names: failing, sites: failing, log, world: systemWorld };
  const gateway = new Gateway(deps as unknown as ConstructorParameters<typeof Gateway>[0], {
    host: '127.0.0.1',
    port: 0,
  });
  await gateway.start();
  atEnd(t, () => gateway.stop());
  const { host, port } = gateway.address();
  const headers = { 'user-agent': 'evil', host: 'evil.localhost' };
  const asked = request({ hostname: host, port, path: '/evil', headers }).end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  assert.equal(answer.statusCode, 500);
  answer.resume();
}

async function failApi(t: TestContext, log: Logger, failure: Error): Promise<void> {
  const token = 'correct-horse-battery-staple';
  const services = Object.assign(new FixedServices(), { stats: () => Promise.reject(failure) });
  const api = new Api({ services, token, log }, { host: '127.0.0.1', port: 0 });
  await api.start();
  atEnd(t, () => api.stop());
  const { host, port } = api.address();
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`http://${host}:${port}/api/stats`, { headers });
  assert.ok(answer.status >= 500);
}

async function failRound(_t: TestContext, log: Logger, failure: Error): Promise<void> {
  const ended = new AbortController();
  const run = (): Promise<void> => {
    setImmediate(() => ended.abort());
    return Promise.reject(failure);
  };
  const round = { name: 'round', delayMs: () => 0, run };
  await repeat(round, { timers: systemWorld.timers, log, signal: ended.signal });
}

for (const format of ['text', 'json'] as const) {
  test(`what fails with the words of a peer is logged without them, as ${format}`, async (t) => {
    for (const fail of [failGateway, failApi, failRound]) {
      for (const failure of failures) {
        const written: string[] = [];
        const log = createLogger({ level: 'info', format }, (line) => written.push(line));
        await fail(t, log, failure);
        assert.ok(written.length > 0, `${fail.name} says that something failed`);
        assert.doesNotMatch(written.join(''), /evil/, fail.name);
        assert.doesNotMatch(written.join('').replaceAll('\n', ''), /\p{Cc}/u, fail.name);
      }
    }
  });
}
