/**
 * The exclusive use of a folder by one process. It knows processes and files, not what the folder
 * holds.
 *
 * Each user leaves a file whose *name* says which process it is: pid, the moment that process
 * started, and the boot it belongs to. Nobody ever takes over another's file, so there is no race
 * to lose: of two processes that start at once, the later to write its claim always sees the
 * other's. A claim of a process that is gone (kill -9, power cut) is recognised and removed.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { AltNetError, systemCode } from '../base/errors.ts';
import { makeFoldersNow } from '../base/folders.ts';

export interface Claim {
  /** A user before us ended without releasing its claim. */
  readonly afterCrash: boolean;
  release(): void;
}

interface Claimant {
  readonly pid: number;
  /** What the system calls the start of that process; '0' where it does not say. */
  readonly started: string;
  /** First 8 hex digits of the boot ID; '0' where there is none. */
  readonly boot: string;
}

/** Rejects (throws) with STORE_LOCKED while another living process, or this one, has a claim. */
export function claimFolder(folder: string): Claim {
  makeFoldersNow(folder, 0o700);
  const own = claimantOf(process.pid);
  const file = path.join(folder, fileNameOf(own));
  try {
    writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
    throw new AltNetError('STORE_LOCKED', { folder, pid: own.pid }, { cause: error });
  }
  const release = (): void => rmSync(file, { force: true });
  const others = readdirSync(folder)
    .filter((name) => path.join(folder, name) !== file)
    .map(parseFileName)
    .filter((claimant) => claimant !== undefined);
  const living = others.find((claimant) => isAlive(claimant));
  if (living) {
    release();
    throw new AltNetError('STORE_LOCKED', { folder, pid: living.pid });
  }
  for (const gone of others) rmSync(path.join(folder, fileNameOf(gone)), { force: true });
  return { afterCrash: others.length > 0, release };
}

/** Who has a claim, and whether somebody ended without giving it back; changes nothing. */
export function inspectClaims(folder: string): {
  readonly living: number | undefined;
  readonly afterCrash: boolean;
} {
  const claimants = readdirSync(folder)
    .map(parseFileName)
    .filter((claimant) => claimant !== undefined);
  const living = claimants.find((claimant) => isAlive(claimant))?.pid;
  return { living, afterCrash: living === undefined && claimants.length > 0 };
}

function fileNameOf({ pid, started, boot }: Claimant): string {
  return `in-use-by-${pid}-${started}-${boot}`;
}

function parseFileName(name: string): Claimant | undefined {
  const match = /^in-use-by-(\d{1,10})-(\d{1,20})-([0-9a-f]{1,8})$/.exec(name);
  const [, pid, started, boot] = match ?? [];
  if (pid === undefined || started === undefined || boot === undefined) return undefined;
  return { pid: Number(pid), started, boot };
}

function claimantOf(pid: number): Claimant {
  return { pid, started: startOf(pid) ?? '0', boot: bootId };
}

/**
 * A pid alone proves nothing, since pids are used again. Where the system does not tell when a
 * process started (anything but Linux), a living process of that number counts as the claimant:
 * refusing wrongly can be mended by removing the file, two users at once could not.
 */
function isAlive(claimant: Claimant): boolean {
  const started = startOf(claimant.pid);
  // In some containers a confined service reads another boot ID than the rest. That it is the same
  // boot all the same, a process of that number and moment shows.
  if (claimant.boot !== bootId) return claimant.pid !== process.pid && started === claimant.started;
  return started === undefined ? answersSignals(claimant.pid) : started === claimant.started;
}

function answersSignals(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}

/**
 * Linux: when the process started, in ticks since boot; '' when there is no such process or only
 * its corpse is left. Undefined where there is no /proc.
 */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the program's name in brackets and may hold anything, also brackets.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state] = fields;
    return state === 'Z' || state === 'X' ? '' : fields[startTimeField];
  } catch {
    return '';
  }
}

/** Field 22 of proc(5), counted from the state, which is field 3. */
const startTimeField = 22 - 3;

const bootId: string = readBootId();

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').slice(0, 8);
  } catch {
    return '0';
  }
}
