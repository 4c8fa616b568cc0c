/** Blocks that whoever received them has hashed. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type Bytes } from '../../base/bytes.ts';
import { systemWorld } from '../../base/clock.ts';
import { sha256, sha256Text } from '../../base/hash.ts';
import type { Block } from '../ports.ts';
import { Slabs } from '../slabs.ts';
import { Asked, type Ticket } from './asked.ts';
import { endStatuses, type Frame, frameTypes, type SyncStream } from './frames.ts';
import { type SyncEnd, SyncSession } from './sync-client.ts';

const leaves: readonly Bytes[] = [1, 2, 3].map(() => randomBytes(100_000));

/** All leaves, asked for by one want, and the end of the answer. */
function answerWith(digestOf: (leaf: Bytes, n: number) => string | undefined): Frame[] {
  const blocks = leaves.map((body, n): Frame => {
    return { type: frameTypes.block, body, digest: digestOf(body, n) };
  });
  return [...blocks, { type: frameTypes.end, body: Uint8Array.of(endStatuses.done) }];
}

function streamOf(frames: readonly Frame[]): SyncStream {
  const left = [...frames];
  const read: SyncStream['read'] = {
    [Symbol.asyncIterator]: () => assert.fail('it was cut into frames already'),
  };
  return {
    remote: new Uint8Array(32),
    read,
    frames: () => ({ next: () => left.shift() ?? Promise.resolve(undefined) }),
    write: () => Promise.resolve(),
    close: () => Promise.resolve(),
    abort: () => undefined,
  };
}

interface Outcome {
  readonly end: SyncEnd;
  readonly came: readonly Block[];
  /** Blocks that somebody else was to hash. */
  readonly asked: number;
  /** Memory that is free again. */
  readonly given: readonly Bytes[];
}

async function outcomeOf(frames: readonly Frame[]): Promise<Outcome> {
  const asked = new Asked();
  const [first, ...others] = leaves.map((leaf) => ({ codec: 'raw' as const, hash: sha256(leaf) }));
  assert.ok(first);
  const want = { link: first, level: 0, path: [], scope: 'leaves' as const, others };
  const tickets: Ticket[] = [asked.add(want, { nowMs: 0, owner: asked })];
  const came: Block[] = []; // BOUNDED by leaves
  const given: Bytes[] = []; // BOUNDED likewise
  const slabs = new Slabs();
  slabs.give = (bytes) => void given.push(bytes);
  let questions = 0;
  const matches = (hash: Bytes, bytes: Bytes): Promise<boolean> => {
    questions++;
    return Promise.resolve(sha256Text(bytes) === sha256Text(leaves[0] ?? hash));
  };
  const errand = {
    take: () => tickets.shift(),
    arrived: (_: Ticket, block: Block) => void came.push(block),
    lacks: () => assert.fail('nothing is missing'),
    ended: () => undefined,
    hasAlternative: () => false,
  };
  const session = new SyncSession(streamOf(frames), errand, {
    world: systemWorld,
    root: new Uint8Array(32),
    slabs,
    verifier: { matches },
  });
  return { end: await session.run(), came, asked: questions, given };
}

test('what was hashed already is not hashed again', async () => {
  const { end, came, asked } = await outcomeOf(answerWith(sha256Text));
  assert.equal(end.kind, 'done');
  assert.deepEqual([came.map(({ bytes }) => bytes), asked], [leaves, 0]);
});

test('another hash than the one due ends the stream, and nothing of it comes', async () => {
  const { end, came, asked, given } = await outcomeOf(
    answerWith((leaf, n) => sha256Text(n === 1 ? Uint8Array.of(1) : leaf)),
  );
  assert.equal(end.kind, 'dropped');
  assert.deepEqual(given, leaves.slice(1, 2));
  assert.deepEqual([came.map(({ bytes }) => bytes), asked], [leaves.slice(0, 1), 0]);
});

test('what was not hashed by then is, by whoever does that', async () => {
  const { came, asked } = await outcomeOf(
    answerWith((leaf, n) => (n === 0 ? undefined : sha256Text(leaf))),
  );
  assert.deepEqual([came.length, asked], [leaves.length, 1]);
});
