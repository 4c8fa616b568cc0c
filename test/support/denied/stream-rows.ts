/** What a hostile peer asks a node on streams, by protocol. */
import assert from 'node:assert/strict';
import { type Bytes, toHex } from '../../../src/base/bytes.ts';
import { sha256 } from '../../../src/base/hash.ts';
import type { Link } from '../../../src/content/dag/root.ts';
import type { Want, WantScope } from '../../../src/content/dag/walk.ts';
import {
  decodeEnd,
  endStatuses,
  type Frame,
  frameTypes,
} from '../../../src/content/exchange/frames.ts';
import {
  decodeAnswer,
  declineCodes,
  keepFrames,
} from '../../../src/content/replication/keep-frames.ts';
import { type DeniedNet, hashOf } from './net.ts';
import { check, type Rows } from './rows.ts';

function wantOf(link: Link, scope: WantScope = 'all', path: readonly string[] = []): Want {
  return { link, level: 0, path, scope };
}

/** Hashes of the blocks that came. */
function blocksIn(frames: readonly Frame[]): string[] {
  return frames
    .filter(({ type }) => type === frameTypes.block)
    .map(({ body }) => toHex(sha256(body)));
}

function statusOf(frames: readonly Frame[]): number | undefined {
  const last = frames.at(-1);
  return last?.type === frameTypes.end ? decodeEnd(last.body) : undefined;
}

const leafOf = (hash: Bytes): Link => ({ codec: 'raw', hash });

const roots = check(
  'refuses a denied root, in every scope and whatever it is asked for',
  async (net) => {
    const { hostile, inside, subjects } = net;
    const { denied, allowed } = subjects;
    for (const scope of ['block', 'entity', 'all', 'nodes'] as const) {
      const frames = await hostile.want(inside, wantOf(denied.link, scope));
      assert.deepEqual([blocksIn(frames), statusOf(frames)], [[], endStatuses.refused], scope);
    }
    const under = await hostile.want(inside, wantOf(allowed.link), denied.link.hash);
    assert.deepEqual([blocksIn(under), statusOf(under)], [[], endStatuses.refused]);
    const disguised = await hostile.want(inside, wantOf(denied.link), allowed.link.hash);
    assert.deepEqual([blocksIn(disguised), statusOf(disguised)], [[], endStatuses.refused]);
    const frames = await hostile.want(inside, wantOf(allowed.link));
    assert.ok(blocksIn(frames).length > 1);
    assert.equal(statusOf(frames), endStatuses.done);
  },
);

const below = check('sends no denied block below an allowed root', async (net) => {
  const { hostile, inside, subjects } = net;
  const { mixed, secret } = subjects;
  for (const root of [mixed.link.hash, secret]) {
    const alone = await hostile.want(inside, wantOf(leafOf(secret), 'block'), root);
    assert.deepEqual([blocksIn(alone), statusOf(alone)], [[], endStatuses.refused]);
  }
  const walked = await hostile.want(inside, wantOf(mixed.link));
  assert.ok(!blocksIn(walked).includes(toHex(secret)));
  assert.ok(walked.some(({ type }) => type === frameTypes.missing));
  assert.equal(statusOf(walked), endStatuses.withheld);
  assert.ok(blocksIn(walked).length > 2, 'the rest of it');
  const byPath = await hostile.want(inside, wantOf(mixed.link, 'entity', ['secret.html']));
  assert.ok(!blocksIn(byPath).includes(toHex(secret)));
});

const paths = check('refuses a denied path', async (net) => {
  const { hostile, inside, subjects } = net;
  const { mixed } = subjects;
  for (const path of [['private'], ['private', 'page.html']]) {
    const frames = await hostile.want(inside, wantOf(mixed.link, 'entity', path));
    assert.deepEqual([blocksIn(frames), statusOf(frames)], [[], endStatuses.refused]);
  }
  const frames = await hostile.want(inside, wantOf(mixed.link, 'entity', ['index.html']));
  assert.equal(statusOf(frames), endStatuses.done);
});

const values = check('nor a denied value', async ({ hostile, inside, subjects }) => {
  const [denied, allowed] = [subjects.values.denied, subjects.values.allowed].map(hashOf);
  assert.ok(denied && allowed);
  const refused = await hostile.want(inside, wantOf(leafOf(denied), 'block'));
  assert.deepEqual([blocksIn(refused), statusOf(refused)], [[], endStatuses.refused]);
  assert.deepEqual(blocksIn(await hostile.want(inside, wantOf(leafOf(allowed), 'block'))), [
    toHex(allowed),
  ]);
});

const standing = check('says that it keeps no denied root', async (net: DeniedNet) => {
  const { hostile, inside, outside, subjects } = net;
  const hashes = [subjects.denied.link.hash, hashOf(subjects.values.denied)];
  const [answer] = await hostile.question(inside, hashes);
  assert.ok(answer?.type === keepFrames.answer);
  assert.deepEqual(decodeAnswer(answer.body, 2), ['no', 'no']);
  const [other] = await hostile.question(outside, hashes);
  assert.deepEqual(other && decodeAnswer(other.body, 2), ['held', 'held'], 'as others do');
});

const offers = check('takes no copy of a denied root', async ({ hostile, inside, subjects }) => {
  const [answer] = await hostile.offer(inside, subjects.denied.link, 1000);
  assert.equal(answer?.type, keepFrames.refused);
  assert.deepEqual([...answer.body], [declineCodes.blocked]);
});

/** As a node registers them. */
export const streamRows: Rows = {
  '/altnet/sync/1': [roots, below, paths, values],
  '/altnet/keep/1': [standing, offers],
  '/altnet/punch/1': 'Two peers agree on addresses; no content is named on it.',
  '/altnet/reach/1': 'A peer asks how it is seen; no content is named on it.',
  '/altnet/announce/1': 'It brings lists of revocations, which hold hashes of hashes.',
};
