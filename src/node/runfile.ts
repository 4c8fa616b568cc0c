/** The file that tells other commands where this node's API and services are: <data>/node.json. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { AltNetError, systemCode } from '../base/errors.ts';
import { writeError } from '../base/whole-file.ts';

/** Where a service listens: host:port, the real one; null: it does not run. */
export interface RunningServices {
  readonly gateway: string | null;
  readonly gatewayTls: string | null;
  readonly dns: string | null;
  readonly metrics: string | null;
}

/** How names end at this node, and where the authority is that signs for them. */
export interface RunningZone {
  readonly tld: string;
  /** Absolute. */
  readonly caDir: string;
}

export interface RunFile {
  /** "http://127.0.0.1:9090"; undefined for a node without an API. */
  readonly api?: string | undefined;
  readonly pid: number;
  /** The API's token, when it was given to the node and so is in no file of its own. */
  readonly token?: string | undefined;
  /** Undefined in the file of an older version. */
  readonly services?: RunningServices | undefined;
  /** The same. */
  readonly zone?: RunningZone | undefined;
}

const fileName = 'node.json';

/** Rejects with DISK_FULL or PATH_UNSUPPORTED, and leaves nothing behind then. */
export async function writeRunFile(
  folder: string,
  api: string | undefined,
  { token, services, zone }: Pick<RunFile, 'token' | 'services' | 'zone'> = {},
): Promise<void> {
  const file = path.join(folder, fileName);
  // One name for all processes, of which one at a time uses the folder: what a crash leaves goes.
  const draft = `${file}.draft`;
  const content: RunFile = { api, pid: process.pid, token, services, zone };
  try {
    await rm(draft, { force: true }); // its mode would stay
    await writeFile(draft, `${JSON.stringify(content)}\n`, { mode: 0o600, flag: 'wx' });
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true });
    throw writeError(file, cause);
  }
}

/**
 * Undefined when no node has left one, or when it cannot be understood. Rejects with
 * PATH_UNREADABLE for the folder of another user: there may well be a node.
 */
export async function readRunFile(folder: string): Promise<RunFile | undefined> {
  const file = path.join(folder, fileName);
  try {
    const content: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof content !== 'object' || content === null) return undefined;
    const { api, pid, token, ...rest } = content as Partial<Record<keyof RunFile, unknown>>;
    if (typeof pid !== 'number') return undefined;
    if (api !== undefined && typeof api !== 'string') return undefined;
    const services = parseServices(rest.services);
    const zone = parseZone(rest.zone);
    return {
      api,
      pid,
      ...(typeof token === 'string' && { token }),
      ...(services && { services }),
      ...(zone && { zone }),
    };
  } catch (cause) {
    const why = systemCode(cause);
    if (why !== 'EACCES' && why !== 'EPERM') return undefined;
    throw new AltNetError('PATH_UNREADABLE', { path: file, why }, { cause });
  }
}

/** Where a node has its authority that was not told where. */
export function caFolderIn(data: string): string {
  return path.join(data, 'ca');
}

export async function removeRunFile(folder: string): Promise<void> {
  await rm(path.join(folder, fileName), { force: true });
}

function parseServices(given: unknown): RunningServices | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const fields = given as Partial<Record<keyof RunningServices, unknown>>;
  return {
    gateway: address(fields.gateway),
    gatewayTls: address(fields.gatewayTls),
    dns: address(fields.dns),
    metrics: address(fields.metrics),
  };
}

/** Words of it go into settings of the system: an ending is one label. */
function parseZone(given: unknown): RunningZone | undefined {
  if (typeof given !== 'object' || given === null) return undefined;
  const { tld, caDir } = given as Partial<Record<keyof RunningZone, unknown>>;
  if (typeof tld !== 'string' || !isEnding(tld)) return undefined;
  return typeof caDir === 'string' && path.isAbsolute(caDir) ? { tld, caDir } : undefined;
}

/** In lower case, as names are kept. */
export function isEnding(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

function address(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
