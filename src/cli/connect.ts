/**
 * How a command gets to a node: the one that runs on the data folder, or a short-lived one in this
 * process. Knows where a node leaves its address and token, not what is asked of it.
 */
import { constants } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import type { NodeServices } from '../api/ports.ts';
import { AltNetError, isAltNetError, systemCode } from '../base/errors.ts';
import { makeFolders } from '../base/folders.ts';
import { keyFile } from '../identity/files.ts';
import type { RunningNode } from '../node/node.ts';
import { type NodeOptions, relayDefaults } from '../node/options.ts';
import { readRunFile } from '../node/runfile.ts';
import type { Folders } from './folders.ts';
import {
  exists,
  lastingFolder,
  type ShortLivedFolder,
  temporaryFolder,
} from './short-lived-folder.ts';

export interface Connection {
  readonly services: NodeServices;
  /**
   * Ends what was started for this command. `unfinished`: it did not get to its end, and another
   * one may go on with what came so far.
   */
  close(options?: { readonly unfinished?: boolean }): Promise<void>;
}

/** The node that runs on this data folder, or undefined. Rejects when that takes no commands. */
export async function connectToRunning(
  data: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<Connection | undefined> {
  const runFile = await readRunFile(data);
  if (!runFile || !isAlive(runFile.pid)) return undefined;
  if (runFile.api === undefined) {
    const why = 'it runs without an HTTP API; start it without --no-registrar';
    throw new AltNetError('UNREACHABLE', { what: `the node that uses ${data}`, why });
  }
  const [{ ApiClient }, { readToken, tokenFileIn }] = await Promise.all([
    import('../api/client.ts'),
    import('../api/token.ts'),
  ]);
  const tokenFile = tokenFileIn(data);
  const token = runFile.token ?? (await readToken(tokenFile));
  if (token === undefined) throw new AltNetError('PATH_MISSING', { path: tokenFile });
  const services = await ApiClient.connect({ address: runFile.api, token }, { signal });
  return { services, close: async () => undefined };
}

/** A crashed node leaves its file behind. A process of another user counts as alive. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

export function noNodeError(data: string): AltNetError<'NO_NODE'> {
  return new AltNetError('NO_NODE', { why: `none uses the data folder ${data}` });
}

export interface ShortLivedOptions {
  readonly folders: Folders;
  readonly bootstrap: readonly string[];
  readonly network: NodeOptions['network'];
  readonly signal: AbortSignal;
  /** What it fetches serves the next such command as well, should this one not get to its end. */
  readonly resumes?: boolean | undefined;
}

/** What is fetched goes elsewhere at the end, and then from here: only the disk is a limit. */
const shortLivedBudgetBytes = 2 ** 40;

/**
 * A node in this process with the user's keys, no gateway, no API and a data folder that goes with
 * it. It is a guest: it asks and publishes, and is gone when the command is done.
 */
export async function startShortLived(options: ShortLivedOptions): Promise<Connection> {
  if (!options.resumes) return startIn(await temporaryFolder(), options);
  const lasting = await lastingFolder(options.folders.data);
  try {
    return await startIn(lasting, options);
  } catch (error) {
    // Another command fetches at the same time: this one does without what is there.
    if (isAltNetError(error, 'STORE_LOCKED')) return startIn(await temporaryFolder(), options);
    const isUseless = ['STORE_DAMAGED', 'STORE_TOO_NEW'] as const;
    if (!isUseless.some((code) => isAltNetError(error, code))) throw error;
    await lasting.remove();
    return startIn(await lastingFolder(options.folders.data), options);
  }
}

async function startIn(
  { folder: data, isNew, remove }: ShortLivedFolder,
  { folders, bootstrap, network, signal }: ShortLivedOptions,
): Promise<Connection> {
  const { startNode } = await import('../node/node.ts');
  const isFirst = !(await exists(folders.keydir));
  const keydir = isFirst ? path.join(data, 'keys') : folders.keydir;
  const given = { bootstrap, network, data, keydir, storeBudgetBytes: shortLivedBudgetBytes };
  const trustFolder = folders.data; // what is denied to the user's node is denied here, too
  let node: RunningNode;
  try {
    node = await startNode({ ...quietNode, ...given, trustFolder, guest: true }, { signal });
  } catch (error) {
    if (isNew && !isAltNetError(error, 'STORE_LOCKED')) await remove();
    throw error;
  }
  const close: Connection['close'] = async ({ unfinished = false } = {}) => {
    const isWorthKeeping = unfinished && (await node.services.stats()).visited > 0;
    await node.stop();
    if (!isWorthKeeping) await remove();
  };
  try {
    if (!(await isConnected(node))) {
      const why = `no node of the network "${network}" answers there`;
      throw new AltNetError('UNREACHABLE', { what: bootstrap.join(', '), why });
    }
    if (isFirst) await keepKeys(keydir, folders.keydir);
    return { services: node.services, close };
  } catch (error) {
    await close({ unfinished: true });
    throw error;
  }
}

/**
 * The first keys get their place once there is a network to use them in: a command that did nothing
 * leaves nothing. Keys that another program made meanwhile stay.
 */
async function keepKeys(from: string, to: string): Promise<void> {
  await makeFolders(to, 0o700);
  for (const kind of ['node', 'author'] as const) {
    try {
      await copyFile(keyFile(from, kind), keyFile(to, kind), constants.COPYFILE_EXCL);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Alone, a node would say of everything that nobody has it. */
export async function isConnected({ services }: Pick<RunningNode, 'services'>): Promise<boolean> {
  return (await services.stats()).table > 0;
}

/** What the nodes that a command or `alternate` starts for itself have in common. */
export const quietNode: Omit<NodeOptions, 'bootstrap' | 'network' | 'data' | 'keydir'> = {
  listen: '0.0.0.0:0',
  listenExplicit: true,
  gateway: undefined,
  gatewayExplicit: false,
  registrar: undefined,
  registrarExplicit: false,
  metrics: undefined,
  metricsExplicit: false,
  gatewayTls: undefined,
  dns: undefined,
  tld: 'alt',
  relay: relayDefaults,
  mdns: false,
  portMapping: false,
  public: false,
  guest: false,
  logLevel: 'error',
  logFormat: 'text',
  storeBudgetBytes: 1_073_741_824,
  perPeerBudgetBytes: 67_108_864,
  replicas: 6,
  repairIntervalMs: 3_600_000,
  publishGuide: false,
};
