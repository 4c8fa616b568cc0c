/**
 * The composition root: makes the parts of a node, connects them and ends them in reverse order.
 * Nothing else in the program knows all of them (core.ts and surfaces.ts are its two halves).
 */
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { NodeServices } from '../api/ports.ts';
import { systemWorld } from '../base/clock.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import {
  type BootstrapAddress,
  Bootstrapper,
  parseBootstrapAddress,
  readBootstrapFile,
} from './bootstrap.ts';
import { startCore } from './core.ts';
import { publishGuide } from './guide.ts';
import { createLogger } from './log.ts';
import { rememberedPeers } from './memory.ts';
import type { NodeOptions, ReadyInfo } from './options.ts';
import type { Parts } from './parts.ts';
import { startSurfaces } from './surfaces.ts';
import { Upkeep, type UpkeepDeps } from './upkeep.ts';

export interface RunningNode {
  readonly services: NodeServices;
  readonly ready: ReadyInfo;
  /** Ends everything; idempotent. */
  stop(): Promise<void>;
  /** Resolves when the node has ended. */
  readonly stopped: Promise<void>;
}

export interface StartContext {
  readonly signal?: AbortSignal | undefined;
  /** Made from the options when left out. */
  readonly log?: Logger | undefined;
}

/** How long a start waits for the first peers; it goes on looking for them afterwards. */
const joinWaitMs = 4000;

/**
 * Resolves when everything listens. Rejects with what keeps it from starting (a taken port, a
 * damaged key, a folder in use …) and leaves nothing running.
 */
export async function startNode(
  options: NodeOptions,
  { signal, log: givenLog }: StartContext = {},
): Promise<RunningNode> {
  const log = givenLog ?? createLogger({ level: options.logLevel, format: options.logFormat });
  await using stack = new AsyncDisposableStack();
  const startedMs = systemWorld.clock.monotonicMs();
  signal?.throwIfAborted();
  await makeFolder(options.data);
  const bootstrap = await bootstrapAddresses(options);
  const core = await startCore(options, { stack, log });
  signal?.throwIfAborted();
  const surfaces = await startSurfaces(core, { options, stack, log, startedMs });
  const { parts } = core;
  const remembered = rememberedPeers(parts.store.notes);
  const bootstrapper = new Bootstrapper({ ...parts, log, remembered: () => remembered }, bootstrap);
  stack.defer(() => bootstrapper.stop());
  await joinFor(joinWaitMs, bootstrapper, signal);
  const guide = options.publishGuide
    ? await publishGuide(parts, { log, siteUrl: surfaces.siteUrl, signal })
    : undefined;
  signal?.throwIfAborted();
  const upkeep = upkeepOf(parts, log);
  stack.defer(() => upkeep.stop());
  upkeep.start();
  log.info('ready', { listen: surfaces.ready.listen, table: parts.dht.table.size });
  return running(stack.move(), {
    services: surfaces.services,
    ready: { ...surfaces.ready, ...(guide !== undefined && { guide }) },
  });
}

function running(
  stack: AsyncDisposableStack,
  what: Pick<RunningNode, 'services' | 'ready'>,
): RunningNode {
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= stack.disposeAsync().finally(resolve);
    return stopping;
  };
  return { ...what, stop, stopped };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    const why = `it cannot be made (${systemCode(error) ?? 'unknown'})`;
    throw new AltNetError('PATH_UNSUPPORTED', { path: folder, why }, { cause: error });
  }
}

async function bootstrapAddresses(options: NodeOptions): Promise<BootstrapAddress[]> {
  const file = await readBootstrapFile(path.join(options.data, 'bootstrap.txt'));
  return [...options.bootstrap.map(parseBootstrapAddress), ...file];
}

/** Waits for the first attempt to join, not for long: a dead address must not hold up a start. */
async function joinFor(
  waitMs: number,
  bootstrapper: Bootstrapper,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { promise: waited, resolve } = Promise.withResolvers<void>();
  const cancel = systemWorld.timers.after(waitMs, resolve);
  try {
    await Promise.race([bootstrapper.start({ signal }), waited]);
  } finally {
    cancel();
  }
  signal?.throwIfAborted();
}

function upkeepOf({ store, dht, peers, sites, world }: Parts, log: Logger): Upkeep {
  const { notes } = store;
  const addresses = (): readonly string[] => peers.addresses();
  const reprovide: UpkeepDeps['reprovide'] = (options) => sites.reprovide(options);
  return new Upkeep({ notes, table: dht.table, addresses, reprovide, world, log });
}
