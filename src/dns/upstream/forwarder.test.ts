import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'node:test';
import type { HostPort } from '../../base/address.ts';
import { systemWorld } from '../../base/clock.ts';
import { atEnd } from '../../../test/support/cleanup.ts';
import {
  decodeAnswer,
  linesOf,
  type QueryInput,
  queryOf,
} from '../../../test/support/dns-messages.ts';
import {
  addressOf,
  type Behaviour,
  type FakeResolver,
  replyTo,
  startFakeResolver,
} from '../../../test/support/fake-resolver.ts';
import { DnsCounters } from '../counters.ts';
import { encodeAnswer, rcodeOf } from '../response.ts';
import {
  Forwarder,
  forwarderDefaults,
  type ForwarderOptions,
  isOursWithSuffix,
} from './forwarder.ts';

const endings: ReadonlySet<string> = new Set(['alt', 'web']);

interface Bench {
  readonly forwarder: Forwarder;
  readonly count: (result: string) => number;
  /** "RCODE: records" of the answer. */
  readonly ask: (input: QueryInput | string, isHere?: boolean) => Promise<string>;
}

function bench(
  t: TestContext,
  chosen: readonly HostPort[],
  options: Partial<ForwarderOptions> & { search?: readonly string[] } = {},
): Bench {
  const counters = new DnsCounters();
  const { search = [], ...over } = options;
  const readSystem = (): Promise<{ servers: []; search: readonly string[] }> => {
    return Promise.resolve({ servers: [], search });
  };
  const deps = { world: systemWorld, counters, chosen, readSystem, isOwn: () => false, endings };
  const forwarder = new Forwarder(deps, { ...forwarderDefaults, ...over });
  atEnd(t, () => forwarder.stop());
  return {
    forwarder,
    count: (result) => counters.snapshot(0).upstream[result] ?? 0,
    ask: async (input, isHere = true) => {
      const query = queryOf(typeof input === 'string' ? { name: input, edns: {} } : input);
      const found = await forwarder.forward(query, { isHere });
      const answer = decodeAnswer(encodeAnswer(query, found, 65_535));
      return `${answer.rcode}: ${linesOf(answer.answers).join(', ')}`;
    },
  };
}

const tell =
  (data: string, ttl = 300): Behaviour =>
  (query) =>
    replyTo(query, { answers: [addressOf(query.name, data, ttl)] });
const silent: Behaviour = () => undefined;
const good = '0: example.com A 300 192.0.2.1';

async function resolvers(t: TestContext, ...behaviours: Behaviour[]): Promise<FakeResolver[]> {
  return Promise.all(behaviours.map((one) => startFakeResolver(t, one)));
}

describe('a question to another resolver', () => {
  test('is not the one of the client: another ID, lower case, EDNS of our own', async (t) => {
    const [resolver] = await resolvers(t, tell('192.0.2.1', 0));
    assert.ok(resolver);
    const { ask } = bench(t, [resolver.address]);
    for (let i = 0; i < 8; i++) await ask({ name: 'EXAMPLE.com', id: 5 });
    const { seen } = resolver;
    assert.ok(new Set(seen.map(({ id }) => id)).size > 4);
    assert.ok(new Set(seen.map(({ fromPort }) => fromPort)).size > 4);
    assert.ok(seen.every(({ name, hasOpt }) => name === 'example.com' && hasOpt));
  });

  test('is asked once for all who ask at the same time, and remembered after', async (t) => {
    const [resolver] = await resolvers(t, tell('192.0.2.1'));
    assert.ok(resolver);
    const { ask, count, forwarder } = bench(t, [resolver.address]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('example.com')));
    assert.deepEqual(new Set(answers), new Set([good]));
    assert.equal(await ask('example.com'), good);
    assert.deepEqual([resolver.seen.length, count('shared'), count('cached')], [1, 19, 1]);
    assert.ok(forwarder.cacheBytes > 0);
  });

  test('with DO or CD is another one', async (t) => {
    const [resolver] = await resolvers(t, tell('192.0.2.1'));
    assert.ok(resolver);
    const { ask } = bench(t, [resolver.address]);
    await ask({ name: 'example.com' });
    await ask({ name: 'example.com', edns: {} });
    await ask({ name: 'example.com', edns: { dnssecOk: true } });
    await ask({ name: 'example.com', flags: 0x0110 });
    const asked = resolver.seen.map(({ octets }) => [
      octets[3],
      octets.readUInt16BE(octets.length - 4),
    ]);
    assert.deepEqual(asked, [
      [0x20, 0],
      [0x20, 0x8000],
      [0x30, 0],
    ]);
  });

  test('comes again by TCP when the answer has no room', async (t) => {
    const [resolver] = await resolvers(t, (query) =>
      query.transport === 'udp'
        ? replyTo(query, { isTruncated: true })
        : tell('192.0.2.1')(query, ways),
    );
    assert.ok(resolver);
    const { ask, count } = bench(t, [resolver.address]);
    assert.equal(await ask('example.com'), good);
    assert.deepEqual(
      resolver.seen.map(({ transport }) => transport),
      ['udp', 'tcp'],
    );
    assert.equal(count('truncated'), 1);
  });

  test('comes again without EDNS where that is not understood', async (t) => {
    const [resolver] = await resolvers(t, (query) =>
      query.hasOpt ? replyTo(query, { rcode: 1 }) : tell('192.0.2.1')(query, ways),
    );
    assert.ok(resolver);
    assert.equal(await bench(t, [resolver.address]).ask('example.com'), good);
  });
});

const ways = { send: (): void => undefined, sendFromElsewhere: () => Promise.resolve() };

const broken: Behaviour = (query) => {
  return replyTo(query, { answers: [addressOf(query.name, '192.0.2.66')] }).subarray(0, -2);
};

describe('answers that are none', () => {
  test('with a wrong ID, a wrong question or from a wrong port are not believed', async (t) => {
    const [resolver] = await resolvers(t, async (query, { send, sendFromElsewhere }) => {
      const lie = { answers: [addressOf(query.name, '192.0.2.66')] };
      send(replyTo(query, { ...lie, id: query.id ^ 1 }));
      send(replyTo({ octets: Buffer.from(query.octets).fill('X', 13, 14) }, lie));
      await sendFromElsewhere(replyTo(query, lie));
      return replyTo(query, { answers: [addressOf(query.name, '192.0.2.1')] });
    });
    assert.ok(resolver);
    const { ask, count } = bench(t, [resolver.address]);
    assert.equal(await ask('example.com'), good);
    assert.equal(count('mismatched'), 2); // the system kept the third from us
  });

  test('after a few of them the question goes by TCP, so that guessing is of no use', async (t) => {
    const [resolver] = await resolvers(t, (query, { send }) => {
      if (query.transport === 'tcp') return tell('192.0.2.1')(query, ways);
      const lie = { answers: [addressOf(query.name, '192.0.2.66')] };
      for (let away = 20; away > 0; away--) send(replyTo(query, { ...lie, id: query.id ^ away }));
      return replyTo(query, lie); // the last guess is right
    });
    assert.ok(resolver);
    assert.equal(await bench(t, [resolver.address]).ask('example.com'), good);
  });

  test('that are damaged are worth another resolver', async (t) => {
    const [first, second] = await resolvers(t, broken, tell('192.0.2.1'));
    assert.ok(first && second);
    const { ask } = bench(t, [first.address, second.address]);
    assert.equal(await ask('example.com'), good);
  });
});

const refuse: Behaviour = (query) => replyTo(query, { rcode: 5 });
const badVersion: Behaviour = (query) => {
  const opt = { type: 'OPT', name: '.', udpPayloadSize: 1232, extendedRcode: 1 } as const;
  const about = { ednsVersion: 0, flags: 0, flag_do: false, options: [] };
  return replyTo(query, { additionals: [{ ...opt, ...about }] });
};

describe('resolvers that fail', () => {
  test('one is silent, one is gone, one answers: that one is asked first from then on', async (t) => {
    const [first, second, third] = await resolvers(t, silent, silent, tell('192.0.2.1'));
    assert.ok(first && second && third);
    await second.stop();
    const { ask, count } = bench(t, [first.address, second.address, third.address], {
      attemptMs: 100,
    });
    assert.equal(await ask('example.com'), good);
    assert.equal(count('switched'), 2);
    assert.equal(await ask('example.net'), '0: example.net A 300 192.0.2.1');
    assert.equal(first.seen.length, 1);
  });

  test('one that the system does not let us reach is left for another', async (t) => {
    const [resolver] = await resolvers(t, tell('192.0.2.1'));
    assert.ok(resolver);
    // As without a network: a socket cannot even be connected there.
    const nowhere = { host: '255.255.255.255', port: 53 };
    assert.equal(await bench(t, [nowhere, resolver.address]).ask('example.com'), good);
    assert.equal(await bench(t, [nowhere]).ask('example.com'), '2: ');
  });

  test('one that refuses does not speak for the others', async (t) => {
    const [first, second] = await resolvers(t, refuse, tell('192.0.2.1'));
    assert.ok(first && second);
    assert.equal(await bench(t, [first.address, second.address]).ask('example.com'), good);
    assert.equal(await bench(t, [first.address]).ask('example.com'), '5: ');
  });

  test('where there is none, that is a failure that nobody remembers', async (t) => {
    const { ask, count } = bench(t, []);
    assert.equal(await ask('example.com'), '2: ');
    assert.equal(await ask('example.com'), '2: ');
    assert.deepEqual([count('failed'), count('failing')], [2, 0]);
  });

  test('an answer of no name is one', async (t) => {
    const [first, second] = await resolvers(
      t,
      (query) => replyTo(query, { rcode: 3 }),
      tell('192.0.2.1'),
    );
    assert.ok(first && second);
    assert.equal(await bench(t, [first.address, second.address]).ask('example.com'), '3: ');
    assert.equal(second.seen.length, 0);
  });
});

test('no more questions are under way than allowed, and stopping ends them', async (t) => {
  const [resolver] = await resolvers(t, silent);
  assert.ok(resolver);
  const { forwarder, ask, count } = bench(t, [resolver.address], { askedMax: 2 });
  const waiting = [ask('a.example'), ask('b.example')];
  assert.equal(await ask('c.example'), '2: ');
  assert.equal(count('full'), 1);
  await forwarder.stop();
  assert.deepEqual(await Promise.all(waiting), ['2: ', '2: ']);
  const answer = await forwarder.forward(queryOf({ name: 'd.example' }), { isHere: true });
  assert.equal(rcodeOf(answer), 2);
});

test('others in the network leave this machine its part', async (t) => {
  const [resolver] = await resolvers(t, (query) =>
    query.name.startsWith('slow') ? undefined : tell('192.0.2.1')(query, ways),
  );
  assert.ok(resolver);
  const { forwarder, ask } = bench(t, [resolver.address], { askedMax: 4 });
  const waiting = ['slow-1', 'slow-2'].map((name) => ask(name, false));
  assert.equal(await ask('example.net', false), '2: ');
  assert.equal(await ask('example.com'), good);
  await forwarder.stop();
  await Promise.all(waiting);
});

test('a name of ours with a suffix of this system tells nobody what was looked for', async (t) => {
  const [resolver] = await resolvers(t, tell('192.0.2.1'));
  assert.ok(resolver);
  const { ask } = bench(t, [resolver.address], { search: ['corp.example'] });
  assert.equal(await ask('alice.alt.corp.example'), '3: ');
  assert.equal(await ask('alice.web.corp.example'), '3: ');
  assert.equal(resolver.seen.length, 0);
  await ask('alice.alt.other.example');
  assert.equal(resolver.seen.length, 1);
  assert.ok(!isOursWithSuffix({ labels: ['corp', 'example'] }, ['corp.example'], endings));
});

test('a resolver on this machine that asks us is found, and asked no more', async (t) => {
  const returned: Promise<boolean>[] = [];
  const [stub] = await resolvers(t, (query) => {
    returned.push(
      Promise.resolve(forwarder.isOwn(queryOf({ name: query.name, type: query.type as 'A' }))),
    );
    return replyTo(query, { rcode: 2 });
  });
  assert.ok(stub);
  const { forwarder, ask, count } = bench(t, [stub.address], { attemptMs: 300 });
  await ask('example.com');
  assert.ok((await Promise.all(returned)).includes(true));
  assert.equal(count('loop'), 1);
  const before = stub.seen.length;
  assert.equal(await ask('example.net'), '2: ');
  assert.equal(stub.seen.length, before);
});

describe('a failure', () => {
  test('is told for a while without asking again, until a resolver is there again', async (t) => {
    const [resolver] = await resolvers(t, silent);
    assert.ok(resolver);
    const { ask, count } = bench(t, [resolver.address], { attemptMs: 50, attemptsMax: 2 });
    assert.equal(await ask('example.com'), '2: ');
    const asked = resolver.seen.length;
    assert.equal(await ask('example.com'), '2: ');
    assert.deepEqual([resolver.seen.length, count('failing'), count('failed')], [asked, 1, 1]);
    resolver.behaviour = tell('192.0.2.1');
    assert.equal(await ask('example.org'), '0: example.org A 300 192.0.2.1');
    assert.equal(await ask('example.com'), good);
  });

  test('of one resolver says nothing of another that is asked for the first time', async (t) => {
    const [gone, other] = await resolvers(t, silent, tell('192.0.2.1'));
    assert.ok(gone && other);
    const chosen = [gone.address, other.address];
    const { ask } = bench(t, chosen, { attemptMs: 50, attemptsMax: 1 });
    assert.equal(await ask('example.com'), '2: ');
    assert.equal(await ask('example.org'), '0: example.org A 300 192.0.2.1');
    assert.equal(await ask('example.com'), good);
  });

  test('with a code of EDNS is asked again without, and is no answer', async (t) => {
    const [resolver] = await resolvers(t, badVersion);
    assert.ok(resolver);
    const { ask, count } = bench(t, [resolver.address]);
    assert.equal(await ask('example.com'), '2: ');
    assert.deepEqual(
      resolver.seen.map(({ hasOpt }) => hasOpt),
      [true, false],
    );
    assert.deepEqual([await ask('example.com'), count('failing')], ['2: ', 1]);
    resolver.behaviour = (query, more) =>
      query.hasOpt ? badVersion(query, more) : tell('192.0.2.1')(query, more);
    assert.equal(await ask('example.net'), '0: example.net A 300 192.0.2.1');
  });

  test('that all resolvers tell is told with their code', async (t) => {
    const [resolver] = await resolvers(t, refuse);
    assert.ok(resolver);
    const { ask, count } = bench(t, [resolver.address]);
    assert.equal(await ask('example.com'), '5: ');
    assert.equal(await ask('example.com'), '5: ');
    assert.deepEqual([resolver.seen.length, count('failing')], [1, 1]);
  });
});
