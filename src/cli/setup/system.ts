/**
 * The machine as `altnet setup` sees it: its files, its programs, its name lookup. Everything that
 * touches the system goes through here, so that tests give it a temporary root. It knows neither
 * DNS services nor certificates.
 */
import type { Abortable } from '../../base/abort.ts';

export interface SystemFile {
  readonly bytes: Uint8Array;
  /** The permission bits. */
  readonly mode: number;
}

export interface Outcome {
  /** The exit code; undefined when there is no such program, or it took too long. */
  readonly code: number | undefined;
  /** Both cut at 1 MiB. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions extends Abortable {
  /** Standard input; empty when nothing is given. */
  readonly input?: string | undefined;
}

/** What a file is written as before it gets its name; one is left by a write that was killed. */
export function draftOf(path: string): string {
  return `${path}.altnet-draft`;
}

export interface System {
  readonly platform: NodeJS.Platform;
  /** Whether this process may change what belongs to the system. */
  readonly isRoot: boolean;
  /** The user who became root for this command with sudo. */
  readonly sudoUser: string | undefined;
  /** The home folder of the user. */
  readonly home: string;
  /** Undefined when there is no such file. Rejects with PATH_UNREADABLE or PATH_UNSUPPORTED. */
  read(path: string): Promise<SystemFile | undefined>;
  /**
   * Puts the whole file there in one step, with the folders above it. Rejects with PATH_UNSUPPORTED
   * or DISK_FULL.
   */
  write(path: string, file: SystemFile): Promise<void>;
  /** For this user alone; no error when it is there. Rejects like `write`. */
  makeFolder(folder: string): Promise<void>;
  /** No error when it is not there. */
  remove(path: string): Promise<void>;
  /** Removes an empty folder, and those above it up to `top`; stops at the first that is not. */
  removeFolders(folder: string, top: string): Promise<void>;
  /** Names in a folder, sorted; none when there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Where a symbolic link leads; undefined for anything else. */
  linkTarget(path: string): Promise<string | undefined>;
  /** Whether anything is there. */
  exists(path: string): Promise<boolean>;
  /** Never rejects but with the signal's reason. */
  run(program: string, words: readonly string[], options?: RunOptions): Promise<Outcome>;
  /** The path by which other programs find what is at `path` here. */
  outside(path: string): string;
  /** The addresses of a host, as every program here gets them; undefined: none. */
  lookup(host: string, options?: Abortable): Promise<readonly string[] | undefined>;
}

/** The text of a file; undefined when there is none. */
export async function readText(system: System, path: string): Promise<string | undefined> {
  const file = await system.read(path);
  return file && Buffer.from(file.bytes).toString('utf8');
}
