import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DnsNames } from '../../test/support/dns-names.ts';
import {
  decodeAnswer,
  encodeQuery,
  linesOf,
  type QueryInput,
} from '../../test/support/dns-messages.ts';
import { manualWorld, type ManualWorld } from '../../test/support/manual-world.ts';
import { Answering, type Asked } from './answering.ts';
import { DnsCounters } from './counters.ts';
import { existenceDefaults, NameExistence } from './existence.ts';
import type { Query } from './query.ts';
import { plainAnswer } from './response.ts';
import { SiteZone } from './site-zone.ts';
import { sourceDefaults, type SourceOptions, Sources } from './sources.ts';

interface Bench {
  readonly world: ManualWorld;
  readonly names: DnsNames;
  readonly counters: DnsCounters;
  /** What was passed to other resolvers. */
  readonly forwarded: string[];
  readonly send: (message: Uint8Array, asked?: Partial<Asked>) => Promise<Uint8Array | undefined>;
  /** "RCODE flags: records". */
  readonly ask: (input: QueryInput | string, asked?: Partial<Asked>) => Promise<string>;
}

interface BenchOptions {
  readonly tld?: string;
  readonly ips?: readonly string[];
  readonly isChosen?: boolean;
  readonly sources?: Partial<SourceOptions>;
}

function bench(options: BenchOptions = {}): Bench {
  const { tld = 'alt', ips = ['192.0.2.7'], isChosen = false } = options;
  const world = manualWorld();
  const names = new DnsNames('alice.alt', 'blog.alice.alt');
  const counters = new DnsCounters();
  const forwarded: string[] = [];
  const forwarding = {
    isChosen,
    isOwn: ({ labels }: Query) => labels[0] === 'probe',
    forward: ({ labels }: Query) => {
      forwarded.push(labels.join('.'));
      return plainAnswer(3);
    },
  };
  const existence = new NameExistence({ names, world, counters }, existenceDefaults);
  const zone = new SiteZone(existence, { tld, ips });
  const sources = new Sources(world.clock, { ...sourceDefaults, ...options.sources });
  const answering = new Answering({ zone, forwarding, sources, counters }, tld);
  const send: Bench['send'] = async (message, asked) => {
    const by = { transport: 'udp', from: '127.0.0.1', ...asked } as const;
    return (await answering.answer(message, by))?.message;
  };
  const ask: Bench['ask'] = async (input, asked) => {
    const reply = await send(
      encodeQuery(typeof input === 'string' ? { name: input } : input),
      asked,
    );
    if (!reply) return 'silence';
    const { rcode, isTruncated, flag_aa, answers, authorities } = decodeAnswer(reply);
    const flags = `${flag_aa ? ' aa' : ''}${isTruncated ? ' tc' : ''}`;
    const soa = authorities?.some(({ type }) => type === 'SOA') ? ' +soa' : '';
    return `${rcode}${flags}: ${linesOf(answers).join(', ')}${soa}`;
  };
  return { world, names, counters, forwarded, send, ask };
}

const root = 'bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi';

describe('names', () => {
  const { ask, forwarded, names } = bench();
  const cases: readonly (readonly [QueryInput | string, string])[] = [
    ['alice.alt', '0 aa: alice.alt A 60 192.0.2.7'],
    ['ALICE.alt', '0 aa: ALICE.alt A 60 192.0.2.7'],
    ['blog.alice.alt', '0 aa: blog.alice.alt A 60 192.0.2.7'],
    [`${root}.alt`, `0 aa: ${root}.alt A 60 192.0.2.7`],
    [{ name: 'alice.alt', type: 'AAAA' }, '0 aa:  +soa'],
    [{ name: 'alice.alt', type: 'TXT' }, '0 aa:  +soa'],
    [{ name: 'alice.alt', type: 'UNKNOWN_65' as 'A' }, '0 aa:  +soa'],
    [{ name: 'alice.alt', type: 'ANY' as 'A' }, '0 aa: alice.alt HINFO 3600 {cpu:RFC8482,os:}'],
    ['localhost.alt', '0 aa: localhost.alt A 60 192.0.2.7'],
    ['x.localhost.alt', '3 aa:  +soa'],
    ['bob.alt', '3 aa:  +soa'],
    ['www.blog.alice.alt', '3 aa:  +soa'],
    [`www.${root}.alt`, '3 aa:  +soa'],
    ['_dmarc.alice.alt', '3 aa:  +soa'],
    ['-alice.alt', '3 aa:  +soa'],
    [{ name: 'alt', type: 'A' }, '0 aa:  +soa'],
    [{ name: 'alt', type: 'NS' }, '0 aa:  +soa'],
    ['gns.alt', '3 aa:  +soa'],
    ['x.y.i2p.alt', '3 aa:  +soa'],
    [{ name: 'alice.alt', flags: 0 }, '0 aa: alice.alt A 60 192.0.2.7'],
  ];
  for (const [input, answer] of cases) {
    const what = typeof input === 'string' ? input : JSON.stringify(input);
    test(what, async () => assert.equal(await ask(input), answer));
  }

  test('are never asked of others, nor looked for where they cannot be', () => {
    assert.deepEqual(forwarded, []);
    assert.deepEqual(new Set(names.asked), new Set(['alice.alt', 'blog.alice.alt', 'bob.alt']));
  });

  test('with a dot within a label are not there', async () => {
    const message = Buffer.from(encodeQuery({ name: 'alice.alt.alt' }));
    const dotted = Buffer.concat([
      message.subarray(0, 12),
      Buffer.from([9, ...Buffer.from('alice.alt'), 3, ...Buffer.from('alt'), 0, 0, 1, 0, 1]),
    ]);
    const reply = await bench().send(dotted);
    assert.equal(reply && (reply[3] ?? 0) & 15, 3);
  });

  test('the start of authority of all is there to be asked for', async () => {
    assert.match(await ask({ name: 'alt', type: 'SOA' }), /^0 aa: alt SOA 10 /);
  });

  test('have the address of each family that there is', async () => {
    const both = bench({ ips: ['2001:db8::7', '192.0.2.7'] });
    assert.equal(
      await both.ask({ name: 'alice.alt', type: 'AAAA' }),
      '0 aa: alice.alt AAAA 60 2001:db8::7',
    );
    const six = bench({ ips: ['2001:db8::7'] });
    assert.equal(await six.ask('alice.alt'), '0 aa:  +soa');
  });

  test('that nobody can tell of are a failure with a reason', async () => {
    const silent = bench();
    silent.names.failure = 'NO_ANSWER';
    const reply = await silent.send(encodeQuery({ name: 'alice.alt', edns: {} }));
    assert.ok(reply);
    assert.equal(decodeAnswer(reply).rcode, 2);
    assert.match(Buffer.from(reply).toString('latin1'), /too few of the nodes/);
  });

  test('of other systems go to resolvers that the user chose', async () => {
    const chosen = bench({ isChosen: true });
    await chosen.ask('www.gns.alt');
    await chosen.ask('i2p.alt');
    await chosen.ask('gns.alice.alt');
    assert.deepEqual(chosen.forwarded, ['www.gns.alt', 'i2p.alt']);
  });

  test('may end otherwise, and .alt is nobody else’s even then', async () => {
    const other = bench({ tld: 'web' });
    assert.equal(await other.ask('alice.web'), '0 aa: alice.web A 60 192.0.2.7');
    assert.equal(await other.ask('alice.alt'), '3 aa:  +soa');
    assert.equal(await other.ask('alice.alt.web'), '3 aa:  +soa');
    assert.deepEqual(other.forwarded, []);
  });
});

describe('all other names', () => {
  test('are asked of others, but for those that every resolver answers itself', async () => {
    const { ask, forwarded } = bench();
    await ask('example.com');
    await ask('alt.example.com');
    assert.deepEqual(forwarded, ['example.com', 'alt.example.com']);
    assert.equal(await ask('localhost'), '0 aa: localhost A 60 127.0.0.1');
    assert.equal(await ask({ name: 'x.localhost', type: 'AAAA' }), '0 aa: x.localhost AAAA 60 ::1');
    assert.equal(await ask({ name: 'localhost', type: 'MX' }), '0 aa:  +soa');
    assert.equal(await ask('x.onion'), '3 aa:  +soa');
    assert.equal(await ask('x.invalid'), '3 aa:  +soa');
    assert.equal(
      await ask({ name: 'example.com', type: 'ANY' as 'A' }),
      '0: example.com HINFO 3600 {cpu:RFC8482,os:}',
    );
    assert.equal(forwarded.length, 2);
  });

  test('are not asked of others for who wants only what is known', async () => {
    const { ask, forwarded } = bench();
    assert.equal(await ask({ name: 'example.com', flags: 0 }), '5: ');
    assert.deepEqual(forwarded, []);
  });

  test('are not asked of others when it was us who asked', async () => {
    const { ask, forwarded } = bench();
    assert.equal(await ask('probe.test'), '5: ');
    assert.deepEqual(forwarded, []);
  });
});

const withType = (type: number, family = 1): Buffer => {
  const message = encodeQuery({ name: 'alice.alt' });
  message.writeUInt16BE(type, message.length - 4);
  message.writeUInt16BE(family, message.length - 2);
  return message;
};

describe('questions without an answer', () => {
  const cases: readonly (readonly [string, Buffer, number])[] = [
    ['another class', withType(1, 3), 5],
    ['a transfer of the zone', withType(252), 5],
    ['a part of one', withType(251), 5],
    ['mail boxes', withType(253), 4],
    ['OPT', withType(41), 1],
    ['type 0', withType(0), 1],
    ['an update', Buffer.from(encodeQuery({ name: 'alice.alt' })).fill(0x28, 2, 3), 4],
    ['two questions', Buffer.from(encodeQuery({ name: 'alice.alt' })).fill(2, 5, 6), 1],
    [
      'a longer datagram than any question',
      Buffer.concat([encodeQuery({ name: 'alice.alt' }), Buffer.alloc(1232)]),
      1,
    ],
  ];
  for (const [what, message, rcode] of cases) {
    test(what, async () => {
      const reply = await bench().send(message);
      assert.ok(reply);
      assert.equal((reply[3] ?? 0) & 15, rcode);
      assert.deepEqual([...reply.subarray(0, 2)], [...message.subarray(0, 2)]);
    });
  }

  test('a version of EDNS that is to come', async () => {
    const message = encodeQuery({ name: 'alice.alt', edns: {} });
    message[message.length - 5] = 1;
    const reply = await bench().send(message);
    assert.equal(reply && decodeAnswer(reply).rcode, 16);
  });

  test('noise and answers get none', async () => {
    const { send } = bench();
    assert.equal(await send(Buffer.alloc(5)), undefined);
    assert.equal(
      await send(Buffer.from(encodeQuery({ name: 'alice.alt' })).fill(0x80, 2, 3)),
      undefined,
    );
  });
});

describe('who is served', () => {
  test('this machine and private networks; no others, by whatever way', async () => {
    const { ask, forwarded, counters } = bench();
    for (const from of [
      '127.0.0.1',
      '::1',
      '::ffff:127.0.0.1',
      '192.168.1.7',
      'fd00::1',
      'fe80::1%eth0',
    ]) {
      assert.equal(await ask('alice.alt', { from }), '0 aa: alice.alt A 60 192.0.2.7', from);
    }
    for (const from of ['203.0.113.9', '2001:470::1', 'nonsense']) {
      for (const transport of ['udp', 'tcp', 'https'] as const) {
        assert.equal(await ask('alice.alt', { from, transport }), '5: ');
        assert.equal(await ask('example.com', { from, transport }), '5: ');
      }
    }
    assert.deepEqual(forwarded, []);
    assert.equal(counters.snapshot(0).limited['distant'], 18);
  });

  test('so much of a network, whose machines share it; this machine without limit', async () => {
    const { ask, world, counters } = bench({ sources: { queries: { perSecond: 10, burst: 5 } } });
    const counted = async (from: string): Promise<number> => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => ask('alice.alt', { from })),
      );
      return answers.filter((answer) => answer !== 'silence').length;
    };
    await ask('alice.alt');
    assert.deepEqual([await counted('10.0.0.1'), await counted('10.0.0.2')], [5, 0]);
    assert.deepEqual([await counted('fd00::1'), await counted('fd00:0:0:ff::1')], [5, 0]);
    assert.deepEqual([await counted('10.0.1.1'), await counted('127.0.0.1')], [5, 20]);
    world.advance(300);
    assert.equal(await counted('10.0.0.1'), 3);
    assert.equal(counters.snapshot(0).limited['source'], 102);
  });

  test('a datagram to a stranger is at most twice as long as his', async () => {
    const { send, names } = bench({ sources: { served: 'everybody' } });
    const from = '203.0.113.9';
    names.failure = 'NO_ANSWER';
    for (const input of [
      { name: 'a.alt' },
      { name: 'alice.alt' },
      { name: 'a.alt', type: 'SOA' as const },
      { name: 'alt', type: 'TXT' as const },
      { name: 'x.alt', edns: {} },
      { name: 'localhost', type: 'MX' as const },
    ]) {
      const message = encodeQuery(input);
      const reply = await send(message, { from });
      assert.ok(reply && reply.length <= 2 * message.length, JSON.stringify(input));
    }
    const cut = await send(encodeQuery({ name: 'alt', type: 'TXT' }), { from });
    assert.ok(cut && decodeAnswer(cut).isTruncated);
    const whole = await send(encodeQuery({ name: 'alt', type: 'TXT' }), { from, transport: 'tcp' });
    assert.ok(whole && !decodeAnswer(whole).isTruncated);
  });
});
