import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  flags,
  flood,
  forgedInit,
  payloadOf,
  sealerOf,
  sourcesAt,
} from '../../test/support/udp-attack.ts';
import {
  boundSocket,
  replies,
  requests,
  startNode,
  testKey,
  toyHandler,
  until,
} from '../../test/support/udp.ts';
import type { Bytes } from '../base/bytes.ts';
import { systemWorld, type World } from '../base/clock.ts';
import type { RequestHandler } from '../dht/ports.ts';
import { encodeWho } from '../wire/packets.ts';

const { ping } = requests;

/** Real timers, and a clock that stands still but for `jump`: counts then depend on nothing else. */
function stoppedWorld(): { world: World; jump: (ms: number) => void } {
  let nowMs = 0;
  const clock = { unixMs: () => systemWorld.clock.unixMs(), monotonicMs: () => nowMs };
  return { world: { ...systemWorld, clock }, jump: (ms) => (nowMs += ms) };
}

/** Long enough for a timer that is due to have fired. */
function timersToFire(): Promise<void> {
  return new Promise((resolve) => systemWorld.timers.after(100, resolve));
}

/** Everything that a node may answer, at its longest. */
const generous: RequestHandler = (_, request) => {
  if (request.method === 'ping') return { method: 'ping', contactRecord: new Uint8Array(600) };
  return request.method === 'get'
    ? { ...replies.get, records: [new Uint8Array(1000)], provisional: [false] }
    : replies[request.method];
};

test('reflection: of every method, no more octets go to a spoofed address than came from it', async (t) => {
  const { world, jump } = stoppedWorld();
  const server = await startNode(t, {
    n: 1,
    world,
    handler: generous,
    handshakesPerSecondMax: 500,
  });
  const attacker = sealerOf(8);
  const [victim] = await sourcesAt(t, { octet: 4, count: 1 });
  assert.ok(victim);
  let out = 0;
  victim.on('message', (datagram: Buffer) => (out += datagram.length));
  const send = async (what: string, datagram: Bytes): Promise<void> => {
    const outBefore = out;
    const answered = once(victim, 'message');
    victim.send(datagram, server.contact.endpoint.port, '127.0.0.1');
    await answered;
    assert.ok(
      out - outBefore <= datagram.length,
      `${what}: ${out - outBefore} for ${datagram.length}`,
    );
  };

  const tokens = [undefined, new Uint8Array(8).fill(7)]; // none, and one of another address
  const bodiesBytes = { 1: 0, 2: 32, 3: 43, 4: 158, 5: 48, 6: 0, 7: 16 };
  for (const [method, bodyBytes] of Object.entries(bodiesBytes)) {
    for (const [i, token] of tokens.entries()) {
      for (const payloadBytes of [0, 200, 1060]) {
        const body = new Uint8Array(bodyBytes);
        const payload = payloadOf(Number(method), {
          body,
          payloadBytes,
          ...(token ? { token } : {}),
        });
        const { init } = attacker.seal(server, payload, i);
        await send(`method ${method} of ${init.length} octets`, init);
      }
    }
  }
  await send('WHO', encodeWho({ txid: new Uint8Array(8) }));
  const opened = server.transport.counters()['resp.sent'] ?? 0;
  assert.equal(opened, 7 * 2 * 3, 'each was answered');

  jump(60_000);
  await flood({ to: server, from: [victim], where: ['init.seal', 'cookie.sent'] }, 500, (n) =>
    forgedInit(n, server),
  );
  await send('COOKIE', attacker.seal(server, payloadOf(1), 99).init);
});

test('INIT flood: cookies keep 10,000 forged requests from the handshake, and honest ones get through', async (t) => {
  const { world } = stoppedWorld();
  const server = await startNode(t, { n: 1, world, handler: toyHandler() });
  const client = await startNode(t, { n: 2 });
  const sources = await sourcesAt(t, { octet: 5, count: 64 });
  const where = ['init.seal', 'cookie.sent', 'init.queue'];
  const floodSize = 10_000;
  const state = { flooding: true };
  let answered = 0;
  const honest = async (): Promise<void> => {
    do {
      await client.transport.call(server.contact, ping);
      answered += 1;
    } while (state.flooding);
  };
  const forging = flood({ to: server, from: sources, where }, floodSize, (n) =>
    forgedInit(n, server),
  ).finally(() => (state.flooding = false));
  await Promise.all([forging, honest(), honest(), honest()]);

  const counters = server.transport.counters();
  const count = (name: string): number => counters[name] ?? 0;
  // On a busy machine a question is asked again before its answer comes.
  const asked = client.transport.counters()['init.sent'] ?? 0;
  const pings = count('request.ping');
  assert.ok(
    pings >= answered && pings <= asked,
    `${answered} answered, ${pings} of ${asked} heard`,
  );
  assert.ok(answered >= 3);
  // The 1,500th within a second shows the load. Some of those before it were honest.
  assert.ok(count('init.seal') <= 1499, `${count('init.seal')} handshakes with forgers`);
  const cookies = client.transport.counters()['cookie.received'] ?? 0;
  assert.ok(cookies > 0 && cookies <= asked, 'one for each that came under load');
  const turnedAway = where.reduce((sum, name) => sum + count(name), 0) - floodSize;
  assert.ok(turnedAway >= cookies && turnedAway <= asked, `${turnedAway} of ${asked}`);
});

test('INIT flood without a valid mac1: nobody is answered, and no honest request needs a cookie', async (t) => {
  const server = await startNode(t, { n: 1, handler: toyHandler() });
  const other = await startNode(t, { n: 3 });
  const client = await startNode(t, { n: 2 });
  const sources = await sourcesAt(t, { octet: 6, count: 16 });
  await flood({ to: server, from: sources, where: ['init.mac1'] }, 5000, (n) =>
    forgedInit(n, other),
  );
  await client.transport.call(server.contact, ping);
  const { 'init.mac1': refused, 'resp.sent': answered } = server.transport.counters();
  assert.deepEqual([refused, answered], [5000, 1]);
  assert.equal(server.transport.counters()['cookie.sent'], undefined);
});

test('the budget gives handshakes half of the time, and those that wait are bounded', async (t) => {
  const { world, jump } = stoppedWorld();
  let asked = 0;
  const server = await startNode(t, {
    n: 1,
    world,
    handler: () => {
      asked += 1;
      jump(60); // what one request takes
      return undefined;
    },
  });
  const attacker = sealerOf(8);
  const socket = await boundSocket(t);
  const inits = Array.from({ length: 400 }, (_, i) => attacker.seal(server, payloadOf(1), i).init);
  const { port } = server.contact.endpoint;
  const cookies = (): number => server.transport.counters()['cookie.sent'] ?? 0;
  for (const init of inits) {
    await new Promise((resolve) => socket.send(init, port, '127.0.0.1', resolve));
    await nextTurn();
  }
  await until(() => cookies() === inits.length - 130);
  assert.equal(asked, 1, 'one used up what was saved; 129 wait; the rest was asked for a cookie');
  // 60 ms of work are earned by 120 ms of time, 60 of which were those of the work itself.
  for (const want of [2, 3, 4]) {
    jump(want === 2 ? 20 : 60);
    await until(() => asked >= want);
    await timersToFire();
    assert.equal(asked, want);
  }
});

test('a flag cannot make somebody a server under the twin −A of its own key', async (t) => {
  const asked: Parameters<typeof toyHandler>[0] = [];
  const server = await startNode(t, { n: 1, handler: toyHandler(asked) });
  const socket = await boundSocket(t);
  const attacker = sealerOf(8);
  const sign = testKey(8).publicKey[31] ?? 0;
  const flipped = flags.wantV4 | flags.server | ((sign & 0x80) === 0 ? flags.xSign : 0);
  const { init } = attacker.seal(server, payloadOf(1, { flag: flipped }));
  socket.send(init, server.contact.endpoint.port, '127.0.0.1');
  await until(() => asked.length === 1);
  const claimed = asked[0]?.[0].contact;
  assert.ok(claimed);
  const caller = await startNode(t, { n: 2 });
  const real = await startNode(t, { n: 8, handler: toyHandler() });
  await caller.transport.call(real.contact, ping);
  // It may claim the twin, but nobody who asks back reaches anybody by that name.
  await assert.rejects(
    caller.transport.call({ ...claimed, endpoint: real.contact.endpoint }, ping),
  );
});
