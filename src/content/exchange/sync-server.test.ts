/** What peers may do to the serving end without taking it away from others. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { MemoryBlocks } from '../../../test/support/memory-blocks.ts';
import { type Bytes, concatBytes, utf8 } from '../../base/bytes.ts';
import { sha256 } from '../../base/hash.ts';
import type { ByteStream } from '../../peer/stream.ts';
import type { Link } from '../dag/root.ts';
import {
  decodeEnd,
  encodeRoot,
  encodeWant,
  endStatuses,
  FrameReader,
  frameTypes,
} from './frames.ts';
import { SyncServer } from './sync-server.ts';

/** Two ends of a stream in memory; what the server does not read waits. */
class Line {
  readonly server: ByteStream;
  readonly answers: FrameReader;
  readonly #toServer = new Pipe();
  readonly #toClient = new Pipe();

  constructor(remote: Bytes) {
    const end = (): Promise<void> => {
      this.#toClient.end();
      this.#toServer.end();
      return Promise.resolve();
    };
    this.server = {
      remote,
      read: this.#toServer,
      write: (bytes) => Promise.resolve(this.#toClient.push(bytes)),
      close: end,
      abort: () => void end(),
    };
    this.answers = new FrameReader(this.#toClient);
  }

  ask(...frames: readonly Bytes[]): void {
    this.#toServer.push(concatBytes(...frames));
  }

  end(): void {
    this.#toServer.end();
  }
}

class Pipe implements AsyncIterable<Bytes> {
  readonly #chunks: Bytes[] = [];
  #isOver = false;
  #wake: (() => void) | undefined;

  push(bytes: Bytes): void {
    this.#chunks.push(bytes);
    this.#wake?.();
  }

  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Bytes, void, undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk) {
        yield chunk;
        continue;
      }
      if (this.#isOver) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

const blocks = new MemoryBlocks();
const leaf: Link = { codec: 'raw', hash: blocks.add(utf8('hello')) };
const wantLeaf = encodeWant({ link: leaf, level: 0, path: [], scope: 'block' });
const root = encodeRoot(leaf.hash);

async function typesOf(line: Line, count: number): Promise<(number | undefined)[]> {
  const types: (number | undefined)[] = [];
  for (let i = 0; i < count; i++) types.push((await line.answers.next())?.type);
  return types;
}

test('streams on which nothing is asked make way for those on which something is', async () => {
  const server = new SyncServer(blocks, { streamsMax: 4, streamsPerPeerMax: 2 });
  const idle = Array.from({ length: 4 }, () => new Line(randomBytes(32)));
  const all = idle.map((line) => server.serve(line.server));
  idle[0]?.ask(root);
  const late = new Line(randomBytes(32));
  all.push(server.serve(late.server));
  late.ask(root, wantLeaf);
  assert.deepEqual(await typesOf(late, 2), [frameTypes.block, frameTypes.end]);
  const [first] = idle;
  const told = await first?.answers.next();
  assert.equal(told && decodeEnd(told.body), endStatuses.busy, 'it is told so');
  await server.stop();
  await Promise.all(all);
});

test('a peer has so many places and no more, and a stream that is answered keeps its own', async () => {
  const busy = Promise.withResolvers<void>();
  const server = new SyncServer(blocks, { streamsMax: 2, streamsPerPeerMax: 1 });
  const lines = [new Line(randomBytes(32)), new Line(randomBytes(32))];
  for (const line of lines) {
    const write = line.server.write.bind(line.server);
    const slow = { ...line.server, write: (bytes: Bytes) => busy.promise.then(() => write(bytes)) };
    void server.serve(slow);
    line.ask(root, wantLeaf);
  }
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  const third = new Line(randomBytes(32));
  void server.serve(third.server);
  const told = await third.answers.next();
  assert.equal(told && decodeEnd(told.body), endStatuses.busy);
  busy.resolve();
  for (const line of lines) {
    assert.deepEqual(await typesOf(line, 2), [frameTypes.block, frameTypes.end]);
  }
  const again = new Line(lines[0]?.server.remote ?? assert.fail());
  void server.serve(again.server);
  const refused = await again.answers.next();
  assert.equal(refused && decodeEnd(refused.body), endStatuses.busy);
  await server.stop();
});

test('an answer of nothing but MISSING lets others have their turn', async () => {
  const asked = { count: 0 };
  let seen = 0;
  const lacking = {
    has: () => false,
    get: (): undefined => {
      asked.count++;
      const end = performance.now() + 1;
      while (performance.now() < end) continue; // as a slow disk
      return undefined;
    },
  };
  const server = new SyncServer(lacking);
  const line = new Line(randomBytes(32));
  const serving = server.serve(line.server);
  const wants = Array.from({ length: 100 }, (_, i) =>
    encodeWant({
      link: { codec: 'raw', hash: sha256(utf8(`${i}`)) },
      level: 0,
      path: [],
      scope: 'all',
    }),
  );
  line.ask(root, ...wants);
  while (asked.count < 100) {
    seen++;
    await setImmediate();
  }
  line.end();
  await serving;
  assert.ok(seen > 5, `${seen} turns`);
});

test('of several leaves those are sent that are here, and of the others that is said', async () => {
  const [here, denied, root2] = ['here', 'denied', 'root'].map((text) => utf8(text));
  assert.ok(here && denied && root2);
  const hashes = { here: blocks.add(here), denied: sha256(denied), lacked: sha256(utf8('lacked')) };
  const isDenied = (hash: Bytes): boolean => Buffer.from(hash).equals(hashes.denied);
  const ofBlock = (hash: Bytes): { why: 'blocked' } | undefined =>
    isDenied(hash) ? { why: 'blocked' } : undefined;
  const server = new SyncServer(blocks, { denials: { ofBlock, ofPath: ofBlock } });
  const ask = async (names: readonly Bytes[], of: Bytes): Promise<(number | undefined)[]> => {
    const line = new Line(randomBytes(32));
    const serving = server.serve(line.server);
    const [link, ...others] = names.map((hash): Link => ({ codec: 'raw', hash }));
    assert.ok(link);
    line.ask(encodeRoot(of), encodeWant({ link, level: 0, path: [], scope: 'leaves', others }));
    line.end();
    const told: (number | undefined)[] = [];
    for (let frame = await line.answers.next(); frame; frame = await line.answers.next()) {
      told.push(frame.type === frameTypes.end ? decodeEnd(frame.body) : frame.type);
    }
    await serving;
    return told;
  };
  const { block, missing } = frameTypes;
  const of = sha256(root2);
  assert.deepEqual(await ask([hashes.lacked, hashes.here], of), [missing, block, endStatuses.done]);
  const all = [hashes.denied, hashes.here, hashes.lacked];
  assert.deepEqual(await ask(all, of), [missing, block, missing, endStatuses.withheld]);
  assert.deepEqual(await ask(all, hashes.denied), [endStatuses.refused]);
});
