/**
 * Random requests in random pieces: a gateway with answers at hand says the same, octet by octet,
 * as one that reads everything.
 */
import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import { test, type TestContext } from 'node:test';
import { runGateway, tree } from '../../test/support/gateway.ts';
import { talkTo, undated } from '../../test/support/http-talk.ts';

interface Step {
  readonly request: string;
  /** Where it is cut into pieces. */
  readonly cuts: readonly number[];
  /** Whether its answer is waited for before the next one is sent. */
  readonly isPatient: boolean;
}

const methods = ['GET', 'GET', 'GET', 'HEAD'];
const targets = ['/style.css', '/', '/docs', '/nothing', 'http://alice.alt/style.css'];
const fields = [
  '',
  '',
  '',
  'Accept-Encoding: gzip\r\n',
  'If-None-Match: *\r\n',
  'Range: bytes=2-3\r\n',
  'Content-Length: 0\r\n',
];

const request: fc.Arbitrary<string> = fc
  .tuple(fc.constantFrom(...methods), fc.constantFrom(...targets), fc.constantFrom(...fields))
  .map(
    ([method, target, field]) => `${method} ${target} HTTP/1.1\r\nHost: alice.alt\r\n${field}\r\n`,
  );

const begun = 'GET /docs HTTP/1.1\r\nX-Other: ';

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc
    .record({
      request,
      cuts: fc.oneof(
        { weight: 5, arbitrary: fc.constant([]) },
        { weight: 1, arbitrary: fc.array(fc.nat(60), { maxLength: 3 }) },
      ),
      /** One begins, and what follows looks like a request of its own, and is a field of it. */
      isWithin: fc.nat(7).map((one) => one === 0),
      isPatient: fc.nat(9).map((one) => one > 0),
    })
    .map(({ isWithin, ...step }) =>
      isWithin ? { ...step, request: begun + step.request, cuts: [begun.length] } : step,
    ),
  { minLength: 1, maxLength: 30 },
);

/** In which a piece mostly arrives; what is asserted holds in any case. */
async function aMoment(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** All answers, in order. */
async function answersOf(t: TestContext, port: number, all: readonly Step[]): Promise<string[]> {
  const talk = await talkTo(t, port);
  const answers: string[] = [];
  let awaited: string[] = [];
  const takeAll = async (): Promise<void> => {
    for (const one of awaited) {
      answers.push(undated(await talk.answer({ hasBody: !one.startsWith('HEAD') })));
    }
    awaited = [];
  };
  for (const { request: text, cuts, isPatient } of all) {
    const ends = [...cuts.filter((cut) => cut < text.length), text.length];
    let from = 0;
    for (const to of ends.toSorted((a, b) => a - b)) {
      talk.send(text.slice(from, to));
      from = to;
      if (to < text.length) await aMoment();
    }
    awaited.push(text);
    if (isPatient) await takeAll();
  }
  await takeAll();
  talk.socket.destroy();
  return answers;
}

test('random requests in random pieces are answered as by the parser alone', async (t) => {
  const ports: number[] = [];
  for (const setting of [{}, { atHandBytesMax: 0 }]) {
    const { sites, names, port } = await runGateway(t, { nameFreshMs: 3_600_000, ...setting });
    names.set('alice', { state: 'ok', root: sites.add({ ...tree, 'style.css.gz': 'packed' }) });
    ports.push(port);
  }
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const [some, others] = await Promise.all(ports.map((port) => answersOf(t, port, all)));
      assert.deepEqual(some, others);
    }),
    { numRuns: 80 },
  );
});
