import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manualWorld, type ManualWorld } from '../../../test/support/manual-world.ts';
import { contactAt, requesterAt, seeing, strangerAt } from '../../../test/support/mode-samples.ts';
import { formatEndpoint } from '../../base/address.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Contact } from '../../identity/contact.ts';
import type { Answered, ReachRequest, Request, Transport } from '../ports.ts';
import { ReachService } from './reach-service.ts';
import { ReachTest } from './reach-test.ts';

const never = new AbortController().signal;
const nonce = new Uint8Array(16).fill(7);

interface Sent {
  readonly to: string;
  readonly request: ReachRequest;
}

/** Remembers what is sent; `accept` answers a REACH, and throws for no answer. */
function recording(accept: (to: Contact) => boolean): {
  transport: Pick<Transport, 'call' | 'knock'>;
  asked: Sent[];
  knocked: string[];
} {
  const asked: Sent[] = [];
  const knocked: string[] = [];
  const transport: Pick<Transport, 'call' | 'knock'> = {
    call: async <R extends Request>(to: Contact, request: R): Promise<Answered<R>> => {
      assert.ok(request.method === 'reach');
      asked.push({ to: formatEndpoint(to.endpoint), request });
      const reply = { method: 'reach', accepted: accept(to) } as Answered<R>['reply'];
      return { reply, info: seeing('51.0.0.1:9000') };
    },
    knock: async (to) => void knocked.push(formatEndpoint(to.endpoint)),
  };
  return { transport, asked, knocked };
}

function noAnswer(): never {
  throw new AltNetError('TIMEOUT', { what: 'a node', ms: 1 });
}

function service(
  contacts: readonly Contact[],
  accept: (to: Contact) => boolean = () => true,
): ReturnType<typeof recording> & {
  world: ManualWorld;
  ask: (from: Contact, request?: Partial<ReachRequest>) => Promise<boolean>;
  service: ReachService;
} {
  const world = manualWorld();
  const net = recording(accept);
  const { transport } = net;
  const made = new ReachService({ transport, world, contacts: () => contacts, signal: never });
  let n = 0;
  const ask = async (from: Contact, request: Partial<ReachRequest> = {}): Promise<boolean> => {
    const fresh = new Uint8Array(16).fill(++n);
    const complete = { method: 'reach', nonce: fresh, target: undefined, ...request } as const;
    return (await made.answer(requesterAt(from), complete)).accepted;
  };
  return { ...net, world, ask, service: made };
}

const asker = contactAt('51.0.0.1:9000');
const others = Array.from({ length: 6 }, (_, n) => strangerAt(n));

test('a test counts networks that knocked with a nonce of ours, other than those asked', async () => {
  const world = manualWorld();
  const net = recording(() => true);
  const tester = new ReachTest({ transport: net.transport, world });
  const testing = tester.run(others, never);
  await world.advanceAsync(0);
  assert.equal(net.asked.length, 4);
  assert.equal(new Set(net.asked.map(({ to }) => to)).size, 4);
  const [first, second, third, fourth] = net.asked.map(({ request }) => request.nonce);
  assert.ok(first && second && third && fourth);
  tester.knocked(contactAt('66.1.0.1:1'), nonce);
  tester.knocked(contactAt('66.1.0.1:1'), first);
  tester.knocked(contactAt('66.2.0.1:1'), first);
  tester.knocked(contactAt('66.1.9.9:1'), second);
  tester.knocked(contactAt(net.asked[2]?.to ?? ''), third);
  tester.knocked(contactAt('[2a00::1]:1'), fourth);
  await world.advanceAsync(5000);
  const { promised, networks } = await testing;
  assert.equal(promised, 4);
  assert.equal(
    networks.size,
    1,
    'not a stranger’s nonce, a second use, the same /16, the one asked',
  );
  tester.knocked(contactAt('66.3.0.1:1'), fourth);
  assert.equal(networks.size, 1, 'too late');
});

test('refusals, silence and nobody to ask are no promise', async () => {
  const world = manualWorld();
  let turn = 0;
  const net = recording(() => (turn++ % 2 === 0 ? false : noAnswer()));
  const tester = new ReachTest({ transport: net.transport, world });
  const testing = tester.run(others, never);
  await world.advanceAsync(5000);
  assert.equal((await testing).promised, 0);
  assert.deepEqual(await tester.run([], never), { promised: 0, networks: new Set() });
  const sameNetwork = ['45.1.0.1:1', '45.1.2.3:1'].map((text) => contactAt(text));
  const before = net.asked.length;
  const one = tester.run(sameNetwork, never);
  await world.advanceAsync(5000);
  await one;
  assert.equal(net.asked.length, before + 1, 'one of a /16');
});

test('who is asked finds another, in a network that is not the asker’s', async () => {
  const near = contactAt('51.0.9.9:9000');
  const family = contactAt('[2a00::1]:9000');
  const inside = contactAt('10.0.0.1:9000');
  const { ask, asked } = service([near, family, inside, strangerAt(1)]);
  assert.equal(await ask(asker), true);
  assert.deepEqual(
    asked.map(({ to, request }) => [to, request.target]),
    [['45.1.0.1:9000', asker]],
  );
});

test('who is asked tries a second one, and then gives up', async () => {
  const second = service(others, () => second.asked.length > 1 || noAnswer());
  assert.equal(await second.ask(asker), true);
  assert.equal(second.asked.length, 2);
  const refused = service(others, () => false);
  assert.equal(await refused.ask(asker), false);
  assert.equal(refused.asked.length, 2);
  assert.equal(await service([]).ask(asker), false);
});

test('a repeated question is not asked on again', async () => {
  const { ask, asked } = service(others);
  assert.deepEqual(await Promise.all([ask(asker, { nonce }), ask(asker, { nonce })]), [true, true]);
  assert.equal(asked.length, 1);
});

test('a /24 gets help 8 times a minute', async () => {
  const { ask, world } = service(others);
  const answers: boolean[] = [];
  for (let n = 1; n <= 9; n++) answers.push(await ask(contactAt(`51.0.0.${n}:9000`)));
  assert.deepEqual(answers, [...Array<boolean>(8).fill(true), false]);
  assert.equal(await ask(contactAt('51.0.1.1:9000')), true, 'another one');
  world.advance(60_000);
  assert.equal(await ask(asker), true);
});

test('an address is knocked at once in 10 s, whoever asks for it', async () => {
  const { ask, knocked, world } = service(others);
  const [b, c] = others;
  assert.ok(b && c);
  assert.equal(await ask(b, { target: asker }), true);
  assert.equal(await ask(c, { target: contactAt('51.0.0.1:9001') }), false);
  world.advance(10_000);
  assert.equal(await ask(c, { target: asker }), true);
  assert.deepEqual(knocked, ['51.0.0.1:9000', '51.0.0.1:9000']);
});

test('who has us knock often leaves room for others', async () => {
  const { ask, knocked, world } = service(others);
  const [b, c] = others;
  assert.ok(b && c);
  for (let n = 1; n <= 150; n++) await ask(b, { target: contactAt(`51.0.${n}.1:9000`) });
  assert.equal(knocked.length, 10);
  assert.equal(await ask(c, { target: asker }), true);
  world.advance(10_000);
  assert.equal(await ask(b, { target: asker }), true);
});

test('nobody has us knock without proof of address, inside networks or at low ports', async () => {
  const { ask, knocked, asked, service: made } = service(others);
  const [b] = others;
  assert.ok(b);
  for (const text of ['10.0.0.1:9000', '127.0.0.1:9000', '51.0.0.1:53', '[fd00::1]:9000']) {
    assert.equal(await ask(b, { target: contactAt(text) }), false, text);
    assert.equal(await ask(contactAt(text)), false, text);
  }
  const unproven = requesterAt(b, { addressProven: false });
  const request: ReachRequest = { method: 'reach', nonce, target: asker };
  assert.deepEqual(await made.answer(unproven, request), { method: 'reach', accepted: false });
  assert.deepEqual([knocked, asked], [[], []]);
});

test('a knock that cannot be sent is not promised', async () => {
  const net = recording(() => true);
  const transport = { ...net.transport, knock: () => Promise.reject(noKnock()) };
  const world = manualWorld();
  const made = new ReachService({ transport, world, contacts: () => [], signal: never });
  const request: ReachRequest = { method: 'reach', nonce, target: asker };
  assert.equal((await made.answer(requesterAt(strangerAt(1)), request)).accepted, false);
});

function noKnock(): AltNetError {
  return new AltNetError('UNREACHABLE', { what: 'a node', why: 'no socket' });
}
