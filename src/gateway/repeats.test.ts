/** Answers at hand, at real gateways: with and without them, nothing may look different. */
import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { atEnd } from '../../test/support/cleanup.ts';
import { runGateway, tree, until } from '../../test/support/gateway.ts';
import { HttpTalk, talkTo, undated } from '../../test/support/http-talk.ts';
import { manualWorld } from '../../test/support/manual-world.ts';
import { SwitchedDenials } from '../../test/support/switched-denials.ts';
import { Conversation } from './conversation.ts';

const hourMs = 3_600_000;
const get = 'GET /style.css HTTP/1.1\r\nHost: alice.alt\r\n\r\n';

/** The requests that node:http reads at this port, by what they ask for. */
function parsed(t: TestContext, port: number): string[] {
  const targets: string[] = [];
  const onRequest = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage };
    if (request.socket.localPort === port) targets.push(`${request.method} ${request.url}`);
  };
  subscribe('http.server.request.start', onRequest);
  atEnd(t, () => unsubscribe('http.server.request.start', onRequest));
  return targets;
}

type Setting = Parameters<typeof runGateway>[1];

/** With a site, and a connection on which a file of it has been asked for until it is at hand. */
async function begin(t: TestContext, options: Setting = {}) {
  const running = await runGateway(t, { nameFreshMs: hourMs, ...options });
  const root = running.sites.add(tree);
  running.names.set('alice', { state: 'ok', root });
  const talk = await talkTo(t, running.port);
  const requests = parsed(t, running.port);
  const fresh = await talk.ask(get); // from the site
  const first = await talk.ask(get); // from memory
  await talk.ask(get); // what comes twice is kept
  return { ...running, root, talk, requests, fresh, first };
}

test('the fourth request of the same octets is read no more, and answered the same', async (t) => {
  const { talk, requests, fresh, first } = await begin(t);
  for (let i = 0; i < 5; i++) assert.equal(undated(await talk.ask(get)), undated(first));
  assert.equal(undated(fresh), undated(first));
  assert.equal(requests.length, 3);
  assert.match(first, /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nh1 \{ color: red \}$/);
});

test('every kind of request is answered as without answers at hand', async (t) => {
  const sides = await Promise.all(
    [undefined, 0].map(async (atHandBytesMax) => {
      const setting = atHandBytesMax === undefined ? {} : { atHandBytesMax };
      const { sites, names, port } = await runGateway(t, { nameFreshMs: hourMs, ...setting });
      const zipped = { ...tree, 'style.css.gz': 'packed' };
      const root = sites.add(zipped).toString();
      names.set('alice', { state: 'ok', root: sites.add(zipped) });
      return { root, port, requests: parsed(t, port) };
    }),
  );
  const [etag] = /"baf[^"]*"/.exec(await fetchText(sides[0]?.port ?? 0, get)) ?? [];
  assert.ok(etag);
  const ends = [
    'Host: alice.alt',
    'Host: ALICE.alt.',
    `Host: ${sides[0]?.root}.localhost`,
    'Host: alice.alt\r\nAccept-Encoding: gzip',
    'Host: alice.alt\r\nAccept-Encoding: gzip;q=0, br',
    `Host: alice.alt\r\nIf-None-Match: ${etag}`,
    'Host: alice.alt\r\nRange: bytes=0-3',
    'Host: alice.alt\r\nExpect: 100-continue',
    'Host: alice.alt\r\nConnection: keep-alive',
    'Host: alice.alt\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA',
    'Host: alice.alt\r\nContent-Length: 0',
    'Host: nobody.alt',
    'Host: localhost',
    'Host: example.org',
  ].flatMap((fields) =>
    ['GET /style.css', 'HEAD /style.css', 'GET http://alice.alt/style.css', 'GET /docs'].flatMap(
      (what) => ['1.0', '1.1'].map((version) => `${what} HTTP/${version}\r\n${fields}\r\n\r\n`),
    ),
  );
  for (const request of ends) {
    const [withThem, without] = await Promise.all(
      sides.map(async ({ port }) => {
        const answers: string[] = [];
        let talk = await talkTo(t, port);
        for (let i = 0; i < 5; i++) {
          if (talk.socket.destroyed || talk.socket.readableEnded) talk = await talkTo(t, port);
          answers.push(undated(await talk.ask(request)));
          if (/^connection: close/im.test(answers.at(-1) ?? '')) talk = await talkTo(t, port);
        }
        talk.send('GET / HTTP/1.1\r\nHost: alice.alt\r\nConnection: close\r\n\r\n');
        return [...answers, undated(await talk.rest())];
      }),
    );
    assert.deepEqual(withThem, without, request);
  }
  const [some = 0, all = 0] = sides.map(({ requests }) => requests.length);
  assert.ok(some < all, `${some} of ${all} were read`);
});

async function fetchText(port: number, request: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const answer = await new HttpTalk(socket).ask(request);
  socket.destroy();
  return answer;
}

test('who sends in other pieces than whole requests is left to the parser for good', async (t) => {
  const { port, first, requests } = await begin(t);
  const pieces: readonly (readonly string[])[] = [
    [get.slice(0, 20), get.slice(20)],
    [get.slice(0, -2), get.slice(-2)],
    [get + get],
    [`\r\n\r\n${get}`],
    [`${get}GET / HT`, 'TP/1.1\r\nHost: alice.alt\r\n\r\n'],
    [get.repeat(40)], // more than is ever looked at
  ];
  for (const parts of pieces) {
    const talk = await talkTo(t, port);
    await talk.ask(get);
    const before = requests.length;
    assert.equal(undated(await talk.ask(get)), undated(first));
    assert.equal(requests.length, before, 'until then it is not');
    for (const part of parts) {
      talk.send(part);
      // Most likely they arrive one by one; what is asserted holds in any case.
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    const answers = parts.join('').split('GET').length - 1;
    for (let i = 0; i < answers; i++) assert.match(await talk.answer(), /^HTTP\/1\.1 200/);
    assert.equal(requests.length, before + answers, parts.join('|'));
    assert.equal(undated(await talk.ask(get)), undated(first));
    assert.equal(requests.length, before + answers + 1);
  }
});

test('an answer stays behind the ones before it', async (t) => {
  const world = manualWorld();
  const { talk, sites, requests, first } = await begin(t, { world, answerTimeoutMs: 1000 });
  await talk.ask(get);
  const before = requests.length;
  sites.silent = true;
  talk.send('GET /slow HTTP/1.1\r\nHost: alice.alt\r\n\r\n');
  await until(() => sites.opened.includes('slow'));
  talk.send(get);
  await until(() => requests.length === before + 2);
  world.advance(1000);
  assert.match(await talk.answer(), /^HTTP\/1\.1 504/);
  assert.equal(undated(await talk.answer()), undated(first));
  assert.equal(undated(await talk.ask(get)), undated(first));
  assert.equal(requests.length, before + 2, 'and from then on it is at hand again');
});

test('a name that moves, or is denied, is seen at once', async (t) => {
  const world = manualWorld();
  const denials = new SwitchedDenials();
  const { names, sites, talk, root, first } = await begin(t, { world, denials, nameFreshMs: 500 });
  assert.equal(undated(await talk.ask(get)), undated(first));
  names.set('alice', { state: 'ok', root: sites.add({ 'style.css': 'p {}' }) });
  assert.equal(undated(await talk.ask(get)), undated(first), 'for as long as one page may take');
  world.advance(500);
  for (let i = 0; i < 4; i++) assert.match(await talk.ask(get), /p \{\}$/);
  const byRoot = get.replace('alice.alt', `${root.toString()}.localhost`);
  for (let i = 0; i < 3; i++) assert.match(await talk.ask(byRoot), /^HTTP\/1\.1 200/);
  names.set('alice', { state: 'blocked' });
  denials.denyName('alice');
  assert.match(await talk.ask(get), /^HTTP\/1\.1 451/);
});

test('content that is denied, and all that is to be forgotten, is asked for anew', async (t) => {
  const denials = new SwitchedDenials();
  const { gateway, sites, talk, requests, root } = await begin(t, { denials });
  const byRoot = get.replace('alice.alt', `${root.toString()}.localhost`);
  for (let i = 0; i < 4; i++) await talk.ask(byRoot);
  const before = requests.length;
  gateway.forget();
  const opened = sites.opened.length;
  assert.match(await talk.ask(byRoot), /^HTTP\/1\.1 200/);
  assert.ok(sites.opened.length > opened && requests.length === before + 1);
  for (let i = 0; i < 3; i++) await talk.ask(byRoot);
  sites.openFailure = new Error('denied');
  denials.denyBlock(root.multihash.digest);
  assert.match(await talk.ask(byRoot), /^HTTP\/1\.1 500/);
});

test('limits hold, and each request is counted once', async (t) => {
  const world = manualWorld();
  const limits = { limitsLoopback: true, requestsBurstMax: 10, requestsPerSecondMax: 1 };
  const { gateway, talk, served, first } = await begin(t, { world, ...limits });
  const body = first.length - first.indexOf('\r\n\r\n') - 4;
  for (let i = 3; i < 10; i++) assert.equal(undated(await talk.ask(get)), undated(first));
  for (let i = 0; i < 3; i++) assert.match(await talk.ask(get), /^HTTP\/1\.1 429/);
  world.advance(1000);
  assert.match(await talk.ask(get), /^HTTP\/1\.1 200/);
  assert.match(await talk.ask(get), /^HTTP\/1\.1 429/);
  await until(() => gateway.counts().answers['429'] === 4);
  const { answers, bytes, durations } = gateway.counts();
  assert.deepEqual(answers, { 200: 11, 429: 4 });
  assert.equal(
    durations.counts.reduce((sum, count) => sum + count),
    15,
  );
  const visit = { name: 'alice', bytes: body, ip: '127.0.0.1' };
  assert.deepEqual(
    served,
    Array.from({ length: 11 }, () => visit),
  );
  assert.ok(bytes > 11 * body);
});

test('who does not read gets nothing twice, and all of it once it does', async (t) => {
  const { port, sites, names, gateway } = await runGateway(t, { nameFreshMs: hourMs });
  names.set('alice', { state: 'ok', root: sites.add({ 'a.bin': new Uint8Array(60_000) }) });
  const request = 'GET /a.bin HTTP/1.1\r\nHost: alice.alt\r\n\r\n';
  const talk = await talkTo(t, port);
  const length = (await talk.ask(request)).length;
  for (let i = 0; i < 2; i++) await talk.ask(request);
  talk.socket.pause();
  const times = 1000;
  for (let i = 0; i < times; i++) {
    talk.send(request);
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const sum = (): number => Object.values(gateway.counts().answers).reduce((a, b) => a + b, 0);
  assert.ok(sum() < times, 'nobody took them');
  talk.socket.resume();
  for (let i = 0; i < times; i++) assert.equal((await talk.answer()).length, length);
  await until(() => sum() === times + 3);
});

test('a connection that waits for the next request holds nothing of the last', async (t) => {
  const { talk, port } = await begin(t);
  const read: WeakRef<IncomingMessage>[] = [];
  const onRequest = (message: unknown): void => {
    const { request } = message as { readonly request: IncomingMessage };
    if (request.socket.localPort === port) read.push(new WeakRef(request));
  };
  subscribe('http.server.request.start', onRequest);
  for (const path of ['/', '/style.css', '/none']) {
    await talk.ask(`GET ${path} HTTP/1.1\r\nHost: alice.alt\r\nX: ${'a'.repeat(8000)}\r\n\r\n`);
  }
  unsubscribe('http.server.request.start', onRequest);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const held = (): number => read.filter((request) => request.deref() !== undefined).length;
  for (let i = 0; i < 10 && held() > 0; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  assert.deepEqual([read.length, held(), talk.socket.destroyed], [3, 0, false]);
});

test('after stop nothing is given any more, and nothing stays', async (t) => {
  const { gateway, talk, sites, first } = await begin(t, { stopGraceMs: 60_000 });
  assert.equal(undated(await talk.ask(get)), undated(first));
  sites.silent = true;
  talk.send('GET /slow HTTP/1.1\r\nHost: alice.alt\r\n\r\n');
  await until(() => sites.opened.includes('slow'));
  const stopped = gateway.stop();
  talk.send(get);
  talk.socket.end();
  assert.equal(await talk.rest(), '', 'nothing overtakes what goes on');
  await stopped;
  assert.equal(gateway.counts().connections, 0);
});

test('where it is switched off, every request is read', async (t) => {
  const { talk, requests, first } = await begin(t, { atHandBytesMax: 0 });
  for (let i = 0; i < 3; i++) assert.equal(undated(await talk.ask(get)), undated(first));
  assert.equal(requests.length, 6);
});

test('it stands aside where node:http does not listen alone', async (t) => {
  const server = createServer((_request, response) => response.end('x'));
  const counts: number[] = [];
  const started: boolean[] = [];
  server.on('connection', (socket) => {
    counts.push(socket.listenerCount('data'));
    if (counts.length > 1) socket.on('data', () => undefined);
    const deps = {
      atHand: undefined as never,
      seen: undefined as never,
      clock: { unixMs: () => 0 },
    };
    started.push(
      new Conversation(socket, deps, { client: '', door: '', idleTimeoutMs: 1 }).start(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => void server.close());
  const { port } = server.address() as AddressInfo;
  for (let i = 0; i < 2; i++) {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    await until(() => started.length === i + 1);
    socket.destroy();
  }
  assert.deepEqual(counts, [1, 1], 'what this version of Node.js does');
  assert.deepEqual(started, [true, false]);
});
