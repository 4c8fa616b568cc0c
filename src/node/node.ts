/**
 * The composition root: makes the parts of a node, connects them and ends them in reverse order.
 * Nothing else in the program knows all of them (core.ts and surfaces.ts are its two halves).
 */
import path from 'node:path';
import type { NodeServices } from '../api/ports.ts';
import { formatEndpoint } from '../base/address.ts';
import { systemWorld } from '../base/clock.ts';
import { AltNetError, systemCode } from '../base/errors.ts';
import { makeFolders } from '../base/folders.ts';
import type { Logger } from '../base/logger.ts';
import {
  type BootstrapAddress,
  mergeAddresses,
  parseBootstrapAddress,
  readBootstrapFile,
} from './bootstrap.ts';
import { startCore } from './core.ts';
import { publishGuide } from './guide.ts';
import { createLogger } from './log.ts';
import { type Monitor, startMonitor } from './monitor.ts';
import type { NodeOptions, ReadyInfo } from './options.ts';
import { Presence } from './presence.ts';
import { startSurfaces } from './surfaces.ts';

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
  const monitor = await startMonitor(options, { stack, log });
  const core = await startCore(options, { stack, log });
  signal?.throwIfAborted();
  const surfaces = await startSurfaces(core, { options, stack, log, startedMs, monitor });
  const { parts } = core;
  const presence = stack.use(new Presence(parts, bootstrap, log));
  await presence.join(signal);
  const guide = options.publishGuide
    ? await publishGuide(parts, { log, siteUrl: surfaces.siteUrl, signal })
    : undefined;
  signal?.throwIfAborted();
  presence.settle();
  if (monitor) monitor.metrics.health = 'ready';
  log.info('ready', { listen: surfaces.ready.listen, table: parts.dht.table.size });
  const relays = parts.relays.used().map(({ address }) => formatEndpoint(address.endpoint));
  return running(
    stack.move(),
    { presence, monitor },
    {
      services: surfaces.services,
      ready: { ...surfaces.ready, relays, ...(guide !== undefined && { guide }) },
    },
  );
}

function running(
  stack: AsyncDisposableStack,
  { presence, monitor }: { readonly presence: Presence; readonly monitor: Monitor | undefined },
  what: Pick<RunningNode, 'services' | 'ready'>,
): RunningNode {
  const { promise: stopped, resolve } = Promise.withResolvers<void>();
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping ??= end().finally(resolve);
    return stopping;
  };
  const end = async (): Promise<void> => {
    if (monitor) monitor.metrics.health = 'stopping';
    await presence.leave();
    await stack.disposeAsync();
  };
  return { ...what, stop, stopped };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await makeFolders(folder, 0o700);
  } catch (error) {
    const why = `it cannot be made (${systemCode(error) ?? 'unknown'})`;
    throw new AltNetError('PATH_UNSUPPORTED', { path: folder, why }, { cause: error });
  }
}

async function bootstrapAddresses(options: NodeOptions): Promise<BootstrapAddress[]> {
  const file = await readBootstrapFile(path.join(options.data, 'bootstrap.txt'));
  return mergeAddresses(options.bootstrap.map(parseBootstrapAddress), file);
}
