import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type Bytes, concatBytes } from '../../base/bytes.ts';
import { checkProperty } from '../../../test/support/property.ts';
import {
  decodeWant,
  encodeFrame,
  encodeWant,
  fitsWant,
  FrameError,
  FrameReader,
  frameTypes,
  headBytes,
  othersMax,
} from './frames.ts';
import type { Want } from '../dag/walk.ts';

const ranges = fc
  .tuple(fc.maxSafeNat(), fc.oneof(fc.maxSafeNat(), fc.constant(Infinity)))
  .map(([from, to]) => ({ from, to }))
  .filter(({ from, to }) => from < to && (from > 0 || to < Infinity));

const plainWants: fc.Arbitrary<Want> = fc.record({
  link: fc.record({
    codec: fc.constantFrom('dag-pb' as const, 'raw' as const),
    hash: fc.uint8Array({ minLength: 32, maxLength: 32 }),
  }),
  level: fc.nat(8),
  path: fc.array(fc.string({ unit: 'grapheme', maxLength: 20 }), { maxLength: 10 }),
  limitBytes: fc.nat(),
  scope: fc.constantFrom('block' as const, 'entity' as const, 'all' as const, 'nodes' as const),
});

const leaf = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((hash) => ({ codec: 'raw' as const, hash }));

const leafWants: fc.Arbitrary<Want> = fc.record({
  link: leaf,
  level: fc.constant(0),
  path: fc.constant([]),
  limitBytes: fc.constant(0),
  scope: fc.constant('leaves' as const),
  others: fc.array(leaf, { minLength: 1, maxLength: othersMax }),
});

const wants = fc.oneof(
  plainWants,
  leafWants,
  fc.tuple(plainWants, ranges).map(([want, range]): Want => ({ ...want, scope: 'entity', range })),
);

/** With hashes that compare, whatever array they lie in. */
function plain({ link, others, ...want }: Want): object {
  const hashes = [link, ...(others ?? [])].map(({ codec, hash }) => [codec, ...hash]);
  return { ...want, hashes };
}

test('a want is read as it was written', () => {
  checkProperty(
    fc.property(wants, (want) => {
      const read = reread(want);
      assert.deepEqual(read && plain(read), plain(want));
    }),
  );
});

test('a want cut short, grown or changed is refused or still a want, and never throws', () => {
  checkProperty(
    fc.property(wants, fc.nat(200), fc.nat(255), (want, at, byte) => {
      const body = Uint8Array.from(encodeWant(want).subarray(headBytes));
      assert.equal(decodeWant(body.subarray(0, -1)), undefined);
      assert.equal(decodeWant(concatBytes(body, Uint8Array.of(0))), undefined);
      body[at % body.length] = byte;
      decodeWant(body);
    }),
  );
  checkProperty(
    fc.property(fc.uint8Array({ maxLength: 100 }), (noise) => {
      decodeWant(noise);
    }),
  );
});

function reread(want: Want): Want | undefined {
  return decodeWant(encodeWant(want).subarray(headBytes));
}

test('leaves are raw, two to 32, and nothing else is said of them', () => {
  const hash = new Uint8Array(32);
  const link = { codec: 'raw' as const, hash };
  const some = (count: number): Want => {
    const others = Array.from({ length: count }, () => link);
    return { link, level: 0, path: [], scope: 'leaves', others };
  };
  assert.equal(reread(some(1))?.others?.length, 1);
  assert.equal(reread(some(othersMax))?.others?.length, othersMax);
  for (const bad of [
    some(0),
    some(othersMax + 1),
    { ...some(1), link: { codec: 'dag-pb' as const, hash } },
    { ...some(1), level: 1 },
    { ...some(1), path: ['a'] },
    { ...some(1), limitBytes: 1 },
    { ...some(1), scope: 'block' as const },
  ]) {
    assert.equal(reread(bad), undefined);
  }
  const ranged = Uint8Array.from(encodeWant(some(1)).subarray(headBytes));
  ranged[47] = 1;
  assert.equal(decodeWant(ranged), undefined);
});

test('a range that is empty, too far, or of another scope than an entity is refused', () => {
  const link = { codec: 'dag-pb' as const, hash: new Uint8Array(32) };
  const want: Want = { link, level: 0, path: [], scope: 'entity', range: { from: 5, to: 9 } };
  const body = encodeWant(want).subarray(headBytes);
  const changed = (at: number, octet: number): Bytes => {
    const copy = Uint8Array.from(body);
    copy[at] = octet;
    return copy;
  };
  assert.deepEqual(decodeWant(body)?.range, { from: 5, to: 9 });
  assert.equal(decodeWant(changed(55, 5)), undefined, 'empty');
  assert.equal(decodeWant(changed(55, 4)), undefined, 'backwards');
  assert.equal(decodeWant(changed(48, 1)), undefined, 'farther than numbers are exact');
  for (const scope of [0, 2, 3]) assert.equal(decodeWant(changed(0, scope)), undefined);
  assert.deepEqual(decodeWant(changed(55, 0))?.range, { from: 5, to: Infinity });
});

test('a path that a want cannot carry is known beforehand', () => {
  assert.equal(fitsWant(['a', 'ü'.repeat(100)]), true);
  assert.equal(fitsWant(['x'.repeat(1025)]), false);
  assert.equal(fitsWant(Array<string>(64).fill('x')), false);
  assert.equal(fitsWant(Array<string>(5).fill('x'.repeat(1000))), false);
});

async function* inPieces(bytes: Bytes, cuts: readonly number[]): AsyncGenerator<Bytes> {
  const places = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length];
  let from = 0;
  for (const to of places.toSorted((a, b) => a - b)) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

test('frames come whole however the stream is cut', async () => {
  const bodies = [new Uint8Array(), new Uint8Array(1).fill(7), new Uint8Array(5000).fill(9)];
  const stream = concatBytes(...bodies.map((body) => encodeFrame(frameTypes.block, body)));
  const property = fc.asyncProperty(fc.array(fc.nat(), { maxLength: 8 }), async (cuts) => {
    const reader = new FrameReader(inPieces(stream, cuts));
    for (const body of bodies)
      assert.deepEqual(Buffer.from((await reader.next())?.body ?? []), Buffer.from(body));
    assert.equal(await reader.next(), undefined);
  });
  await fc.assert(property, { numRuns: 100 });
});

test('a wrong length or type condemns a peer, a stream that breaks off does not', async () => {
  const frame = encodeFrame(frameTypes.block, new Uint8Array(100));
  for (const length of [3, 50]) {
    const reader = new FrameReader(inPieces(frame.subarray(0, length), []));
    await assert.rejects(reader.next(), (error) => !(error instanceof FrameError));
  }
  const bad = [
    Uint8Array.of(frameTypes.block, 0x7f, 0, 0, 0),
    Uint8Array.of(frameTypes.missing, 0, 0, 0, 1, 0),
    Uint8Array.of(0, 0, 0, 0, 0),
  ];
  for (const bytes of bad) {
    await assert.rejects(new FrameReader(inPieces(bytes, [])).next(), FrameError);
  }
});
