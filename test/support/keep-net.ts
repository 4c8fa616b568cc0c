/** Nodes that keep copies for one another, over the content net. For tests of replication. */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bytes } from '../../src/base/bytes.ts';
import type { ReplicationOptions } from '../../src/content/replication/replicator.ts';
import { temporaryFolder } from './cleanup.ts';
import {
  type ContentNode,
  type ContentNodeOptions,
  KeeperBoard,
  RecordBoard,
  startContentNode,
} from './content-net.ts';
import { type ManualWorld, manualWorld } from './manual-world.ts';

/** How often holders look; short, as time passes in steps that no timeout falls into. */
export const intervalMs = 60_000;
const stepMs = 1000;

export interface KeepNet {
  readonly board: RecordBoard;
  readonly keepers: KeeperBoard;
  /** The time of all nodes. Connections live in real time all the same. */
  readonly world: ManualWorld;
  start(
    replication?: Partial<ReplicationOptions>,
    options?: ContentNodeOptions,
  ): Promise<ContentNode>;
  /** As many nodes with the same options. */
  startAll(count: number, replication?: Partial<ReplicationOptions>): Promise<ContentNode[]>;
  /** Ends a node for good, without a word to the others. */
  kill(node: ContentNode): Promise<void>;
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until `holds` does. */
  until(what: string, holds: () => boolean): Promise<void>;
}

/** Patience ends when both are over: on a machine that is busy elsewhere steps take long. */
const realMsMax = 30_000;
const stepsMax = 1000;

export function keepNet(t: TestContext): KeepNet {
  const board = new RecordBoard();
  const keepers = new KeeperBoard();
  const world = manualWorld();
  const start: KeepNet['start'] = (replication = {}, options = {}) =>
    startContentNode(t, board, {
      keepers,
      world,
      ...options,
      replication: {
        replicas: 6,
        repairIntervalMs: intervalMs,
        isKeeper: () => true,
        perPeerBytesMax: Number.MAX_SAFE_INTEGER,
        ...replication,
      },
    });
  return {
    board,
    keepers,
    world,
    start,
    startAll: (count, replication) =>
      Promise.all(Array.from({ length: count }, () => start(replication))),
    async kill(node) {
      keepers.remove(node.key);
      await node.host.stop();
      await node.sites.stop();
    },
    async pass(ms) {
      for (let passed = 0; passed < ms; passed += stepMs) {
        await world.advanceAsync(stepMs);
        await delay(4);
      }
    },
    async until(what, holds) {
      const end = performance.now() + realMsMax;
      for (let steps = 0; !holds(); steps++) {
        if (steps > stepsMax && performance.now() > end)
          throw new Error(`never came true: ${what}`);
        await world.advanceAsync(stepMs);
        await delay(4);
      }
    },
  };
}

/** A site of a page and some files of random bytes; at least as many as blocks. */
export async function makeSite(t: TestContext, files = 4, fileBytes = 50_000): Promise<string> {
  const folder = temporaryFolder(t);
  await mkdir(path.join(folder, 'a'));
  await writeFile(path.join(folder, 'index.html'), '<h1>hello</h1>');
  for (let i = 0; i < files; i++) {
    await writeFile(path.join(folder, `a/${i}.bin`), randomBytes(fileBytes));
  }
  return folder;
}

/** The nodes that hold all of it, for their user or for others. */
export function holdersOf(nodes: readonly ContentNode[], hash: Bytes): ContentNode[] {
  return nodes.filter(({ holdings }) => holdings.get(hash)?.complete);
}
