/**
 * Which process listens on a port: on Linux from /proc, as far as this user may look. Elsewhere
 * nobody can tell without other programs.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

export interface PortHolder {
  readonly pid: number;
  /** The file that it runs, without the folder; not to be trusted on a terminal. */
  readonly program: string;
}

/** Of a TCP socket that waits for connections; UDP sockets have no such state. */
const listening = '0A';
/** A process with more open files than this is looked at no further. */
const filesMax = 65_536;

/** Undefined when it cannot be found out. Never rejects. */
export async function findPortHolder(
  protocol: 'udp' | 'tcp',
  port: number,
  signal: AbortSignal,
): Promise<PortHolder | undefined> {
  if (process.platform !== 'linux') return undefined;
  const tables = await Promise.all([protocol, `${protocol}6`].map(readTable));
  const inodes = new Set(tables.flatMap((table) => inodesOf(table, { protocol, port })));
  if (inodes.size === 0) return undefined;
  const pids = (await listOf('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    if (signal.aborted) return undefined;
    if (await holds(pid, inodes)) return { pid: Number(pid), program: await nameOf(pid) };
  }
  return undefined;
}

function readTable(name: string): Promise<string> {
  return readFile(`/proc/net/${name}`, 'utf8').catch(() => '');
}

/** proc(5), /proc/net/tcp: "sl local_address rem_address st … uid timeout inode". */
function inodesOf(
  table: string,
  { protocol, port }: { protocol: 'udp' | 'tcp'; port: number },
): string[] {
  const ending = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => {
      return local.endsWith(ending) && (protocol === 'udp' || state === listening);
    })
    .flatMap((fields) => fields[9] ?? []);
}

async function holds(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const files = await listOf(`/proc/${pid}/fd`);
  for (const file of files.slice(0, filesMax)) {
    const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

/** Not /proc/PID/comm, which says "MainThread" of any program on Node.js. */
async function nameOf(pid: string): Promise<string> {
  const file = await readlink(`/proc/${pid}/exe`).catch(() => 'unknown');
  return path.basename(file);
}

function listOf(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
