/** The client against a real server: each method's way there and back. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { atEnd } from '../../test/support/cleanup.ts';
import { collect } from '../../test/support/collect.ts';
import {
  FixedServices,
  sampleIds,
  sampleProgress,
  samples,
} from '../../test/support/node-services.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { silentLogger } from '../base/logger.ts';
import { Api } from './api.ts';
import { ApiClient } from './client.ts';

const ignore = (): void => undefined;
const token = 'correct-horse-battery-staple';

async function connected(t: TestContext): Promise<{ services: FixedServices; client: ApiClient }> {
  const services = new FixedServices();
  const api = new Api({ services, token, log: silentLogger }, { host: '127.0.0.1', port: 0 });
  await api.start();
  atEnd(t, () => api.stop());
  const { host, port } = api.address();
  const client = await ApiClient.connect({ address: `http://${host}:${port}`, token });
  return { services, client };
}

test('every method gives what the node gave', async (t) => {
  const { services, client } = await connected(t);
  const { root, node, value } = sampleIds;
  const register = { name: 'alice', root, owner: sampleIds.authorKey };
  const link = {
    url: 'http://dead.example/a?b=c d&e',
    target: 'magnet:?x',
    sha256: root,
    captured: 7,
    type: 'text/html',
    note: 'a note',
  };
  const linkKey = { url: link.url, target: link.target };
  const bytes = Uint8Array.of(0, 200, 13, 10);
  const cases: [call: () => unknown, want: unknown, asked: [string, unknown] | undefined][] = [
    [() => client.keys(), samples.keys, undefined],
    [() => client.stats(), samples.stats, ['stats', undefined]],
    [() => client.peers(), samples.peers, ['peers', undefined]],
    [() => client.dht(), samples.dht, ['dht', undefined]],
    [() => client.relays(), samples.relays, ['relays', undefined]],
    [
      () => client.publish({ path: '/srv/a b', name: 'alice' }),
      samples.publish,
      ['publish', { path: '/srv/a b', name: 'alice' }],
    ],
    [
      () => client.publish({ path: '/srv/a', name: undefined }),
      samples.publish,
      ['publish', { path: '/srv/a' }],
    ],
    [
      () => client.publish({ path: '/srv/a', keep: true, replaces: root }),
      samples.publish,
      ['publish', { path: '/srv/a', keep: true, replaces: root }],
    ],
    [
      () => client.publishTar({}, pieces(9, 9)),
      samples.publish,
      ['publishTar', { keep: false, bytes: 18 }],
    ],
    [
      () => client.publishTar({ name: 'a&b', keep: true, replaces: root }, pieces(70_000, 1)),
      samples.publish,
      ['publishTar', { name: 'a&b', keep: true, replaces: root, bytes: 70_001 }],
    ],
    [
      () => client.unpublish({ what: 'alice' }),
      samples.unpublish,
      ['unpublish', { what: 'alice' }],
    ],
    [() => client.sites(), samples.sites, ['sites', { own: false }]],
    [() => client.sites({ own: true }), samples.sites, ['sites', { own: true }]],
    [
      () => client.fetch({ what: 'alice', dest: '/tmp/x' }),
      samples.fetch,
      ['fetch', { what: 'alice', dest: '/tmp/x' }],
    ],
    [() => client.register(register), samples.name, ['register', register]],
    [
      () => client.update({ name: 'alice', root }),
      samples.name,
      ['update', { name: 'alice', root }],
    ],
    [() => client.resolve('alice.alt'), samples.resolve, ['resolve', 'alice.alt']],
    [
      () => client.resolve('alice.alt', { fresh: true }),
      samples.resolve,
      ['resolve', ['alice.alt', 'fresh']],
    ],
    [() => client.resolve('a/b?c%'), samples.resolve, ['resolve', 'a/b?c%']],
    [() => client.names(), samples.names, ['names', undefined]],
    [() => client.putLink(link), samples.putLink, ['putLink', link]],
    [() => collect(client.getLinks(link.url)), samples.foundLinks, ['getLinks', link.url]],
    [() => client.removeLink(linkKey), samples.putLink, ['removeLink', linkKey]],
    [() => client.links(), samples.links, ['links', undefined]],
    [() => client.putValue(bytes), samples.putValue, ['putValue', bytes]],
    [
      () => client.getValue(value),
      { key: value, value: Uint8Array.of(0, 255, 10, 13) },
      ['getValue', value],
    ],
    [() => client.ping(undefined), samples.pings, ['ping', undefined]],
    [() => client.ping(node.slice(0, 40)), samples.pings, ['ping', node.slice(0, 40)]],
    [() => client.find(node), samples.nodes, ['find', node]],
    [() => client.bootstrap('h:1'), samples.bootstrap, ['bootstrap', 'h:1']],
  ];
  for (const [call, want, asked] of cases) {
    services.asked.length = 0;
    assert.deepEqual(await call(), want);
    assert.deepEqual(services.asked[0], asked);
  }
});

/** A body that comes in pieces of these lengths. */
async function* pieces(...lengths: readonly number[]): AsyncGenerator<Uint8Array> {
  for (const length of lengths) yield new Uint8Array(length);
}

async function* broken(): AsyncGenerator<Uint8Array> {
  yield* pieces(70_000);
  throw new RangeError('the disk of the caller');
}

test('a body that breaks, or that the node does not want, ends the call with why', async (t) => {
  const { client, services } = await connected(t);
  await assert.rejects(client.publishTar({}, broken()), RangeError);
  services.failure = new AltNetError('BAD_NAME', { name: 'a', why: 'why not' });
  let sent = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      yield new Uint8Array(65_536);
      sent++;
    }
  }
  services.publishTar = async () => {
    throw services.failure;
  };
  await assert.rejects(client.publishTar({}, endless()), { code: 'BAD_NAME' });
  const stopped = sent;
  const stop = new AbortController();
  services.publishTar = async (_input, body) => {
    for await (const { length } of body) if (length > 0) stop.abort();
    return samples.publish;
  };
  await assert.rejects(client.publishTar({}, endless(), { signal: stop.signal }), {
    name: 'AbortError',
  });
  assert.ok(stopped < sent);
});

test('progress reaches the caller who listens', async (t) => {
  const { client } = await connected(t);
  for (const work of ['publish', 'fetch', 'register', 'update', 'putLink'] as const) {
    const seen: unknown[] = [];
    const input = {
      path: '/a',
      what: 'a',
      dest: '/a',
      name: 'a',
      root: 'a',
      url: 'u',
      target: 't',
    };
    const wanted: Record<typeof work, (keyof typeof input)[]> = {
      publish: ['path'],
      fetch: ['what', 'dest'],
      register: ['name', 'root'],
      update: ['name', 'root'],
      putLink: ['url', 'target'],
    };
    const picked = Object.fromEntries(wanted[work].map((key) => [key, input[key]]));
    const options = { onProgress: (progress: unknown) => seen.push(progress) };
    await client[work](picked as typeof input, options);
    assert.deepEqual(seen, [sampleProgress], work);
  }
});

test('an error comes back as it was, from JSON, from lines and in the midst of a search', async (t) => {
  const { services, client } = await connected(t);
  const failure = new AltNetError('NAME_CONTESTED', { name: 'a.alt', owners: ['x', 'y'] });
  services.failure = failure;
  const calls = [
    () => client.resolve('a'),
    () => client.register({ name: 'a', root: 'b' }),
    () => client.register({ name: 'a', root: 'b' }, { onProgress: ignore }),
    () => collect(client.getLinks('http://a.example/')),
    () => client.getValue(sampleIds.value),
  ];
  for (const call of calls) {
    await assert.rejects(call, (error) => {
      assert.ok(isAltNetError(error, 'NAME_CONTESTED'));
      assert.equal(error.message, failure.message);
      assert.deepEqual(error.details, failure.details);
      return true;
    });
  }
});

test('whoever gives up ends the work in the node', async (t) => {
  const starts: ((client: ApiClient, signal: AbortSignal) => Promise<unknown>)[] = [
    (client, signal) => client.publish({ path: '/a' }, { signal }),
    (client, signal) => client.publish({ path: '/a' }, { signal, onProgress: ignore }),
    (client, signal) => client.resolve('a', { signal }),
    (client, signal) => collect(client.getLinks('http://a.example/', { signal })),
  ];
  for (const start of starts) {
    const { services, client } = await connected(t);
    services.endless = true;
    const controller = new AbortController();
    const work = start(client, controller.signal);
    const rejected = assert.rejects(work, (error) => isAltNetError(error, 'ABORTED'));
    while (services.asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new AltNetError('ABORTED', {}));
    await rejected;
    await services.givenUp.promise;
  }
});

test('leaving the loop over links ends the search', async (t) => {
  const { services, client } = await connected(t);
  services.endless = true;
  for await (const line of client.getLinks('http://a.example/')) {
    assert.deepEqual(line, samples.foundLinks[0]);
    break;
  }
  assert.equal(await services.givenUp.promise, 'getLinks');
});

test('an aborted signal asks nothing', async (t) => {
  const { services, client } = await connected(t);
  await assert.rejects(client.resolve('a', { signal: AbortSignal.abort(new Error('no')) }), /no/);
  assert.deepEqual(services.asked, []);
});

test('a wrong token is UNAUTHORIZED, no node is NO_NODE, a bad address BAD_ADDRESS', async () => {
  const services = new FixedServices();
  const api = new Api({ services, token, log: silentLogger }, { host: '127.0.0.1', port: 0 });
  await api.start();
  const address = `127.0.0.1:${api.address().port}`;
  await assert.rejects(ApiClient.connect({ address, token: 'x'.repeat(20) }), {
    code: 'UNAUTHORIZED',
  });
  await api.stop();
  await assert.rejects(ApiClient.connect({ address, token }), { code: 'NO_NODE' });
  for (const bad of ['', '127.0.0.1', ':9090', '127.0.0.1:0', 'https://127.0.0.1:1']) {
    await assert.rejects(ApiClient.connect({ address: bad, token }), { code: 'BAD_ADDRESS' }, bad);
  }
});

test('what is no AltNet API is UNREACHABLE with a reason', async (t) => {
  const answers: [status: number, type: string, body: string | undefined][] = [
    [200, 'text/html', '<h1>hello</h1>'],
    [500, 'text/html', 'oops'],
    [404, 'application/json', '{"code":"NO_SUCH_CODE","details":{}}'],
    [409, 'application/json', '{"code":"NAME_CONTESTED","details":{}}'],
    [200, 'application/json', undefined], // the connection breaks
  ];
  for (const [status, type, body] of answers) {
    const server = createServer((_request, response) => {
      response.writeHead(status, { 'content-type': type });
      if (body === undefined) response.write('{', () => response.destroy());
      else response.end(body);
    }).listen(0, '127.0.0.1');
    atEnd(t, () => server.close());
    await once(server, 'listening');
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const message = body === undefined ? /: the node was stopped$/ : /^the node at/;
    await assert.rejects(ApiClient.connect({ address, token }), { code: 'UNREACHABLE', message });
  }
});
