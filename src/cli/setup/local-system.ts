/**
 * The machine that this process runs on, or a tree of files that stands for it: with `root` every
 * file is below that folder. Bounded in what it reads and how long it waits.
 */
import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import {
  access,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  rename,
  rm,
  rmdir,
  writeFile,
} from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { type Abortable, untilAborted } from '../../base/abort.ts';
import { AltNetError, systemCode } from '../../base/errors.ts';
import { draftOf, type Outcome, type RunOptions, type System, type SystemFile } from './system.ts';

/** Files of settings; none that is larger is one. */
const fileBytesMax = 2 ** 20;
const outputBytesMax = 2 ** 20;
/** Restarting a service takes a second; a certificate store of the system some more. */
const commandTimeoutMs = 60_000;
/** So many names are looked at in one folder. */
const namesMax = 10_000;

export interface LocalSystemOptions {
  /** "/", or a folder that stands for it. */
  readonly root?: string;
  readonly home?: string;
  readonly isRoot?: boolean;
  readonly sudoUser?: string | undefined;
  readonly platform?: NodeJS.Platform;
}

export class LocalSystem implements System {
  readonly platform: NodeJS.Platform;
  readonly isRoot: boolean;
  readonly sudoUser: string | undefined;
  readonly home: string;
  readonly #root: string;

  constructor(options: LocalSystemOptions = {}) {
    this.#root = options.root ?? '/';
    this.platform = options.platform ?? process.platform;
    this.isRoot = options.isRoot ?? process.getuid?.() === 0;
    const sudoUser = 'sudoUser' in options ? options.sudoUser : process.env['SUDO_USER'];
    this.sudoUser = this.isRoot && sudoUser !== 'root' ? sudoUser : undefined;
    this.home = options.home ?? os.homedir();
  }

  outside(file: string): string {
    return this.#root === '/' ? file : path.join(this.#root, file);
  }

  async read(file: string): Promise<SystemFile | undefined> {
    try {
      await using handle = await open(this.outside(file), 'r');
      const info = await handle.stat();
      if (!info.isFile() || info.size > fileBytesMax) {
        const why = info.isFile() ? 'it is too large for a file of settings' : 'it is no file';
        throw new AltNetError('PATH_UNSUPPORTED', { path: file, why });
      }
      return { bytes: await handle.readFile(), mode: info.mode & 0o7777 };
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      if (code === undefined || error instanceof AltNetError) throw error;
      throw new AltNetError('PATH_UNREADABLE', { path: file, why: code }, { cause: error });
    }
  }

  async write(file: string, { bytes, mode }: SystemFile): Promise<void> {
    const outside = this.outside(file);
    const draft = draftOf(outside);
    try {
      await mkdir(path.dirname(outside), { recursive: true });
      await rm(draft, { force: true });
      await writeFlushed(draft, { bytes, mode });
      await rename(draft, outside).catch(async (error: unknown) => {
        // A file that is mounted, such as resolv.conf in a container, has to stay where it is.
        if (systemCode(error) !== 'EBUSY') throw error;
        await writeFile(outside, bytes);
      });
    } catch (cause) {
      throw writeError(file, cause);
    } finally {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }

  async makeFolder(folder: string): Promise<void> {
    try {
      await mkdir(this.outside(folder), { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw writeError(folder, cause);
    }
  }

  async remove(file: string): Promise<void> {
    try {
      await rm(this.outside(file), { force: true });
    } catch (cause) {
      throw writeError(file, cause);
    }
  }

  async removeFolders(folder: string, top: string): Promise<void> {
    for (let at = folder; at.startsWith(top); at = path.dirname(at)) {
      try {
        await rmdir(this.outside(at));
      } catch (error) {
        if (systemCode(error) !== 'ENOENT') return;
      }
    }
  }

  async list(folder: string): Promise<readonly string[]> {
    const names = await readdir(this.outside(folder)).catch(() => []);
    return names.slice(0, namesMax).toSorted();
  }

  async linkTarget(file: string): Promise<string | undefined> {
    return readlink(this.outside(file)).catch(() => undefined);
  }

  async exists(file: string): Promise<boolean> {
    return access(this.outside(file)).then(
      () => true,
      () =>
        lstat(this.outside(file)).then(
          () => true,
          () => false,
        ),
    );
  }

  run(program: string, words: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const { input = '', signal } = options;
    const child = execFile(
      program,
      words,
      {
        encoding: 'utf8',
        maxBuffer: outputBytesMax,
        timeout: commandTimeoutMs,
        env: { ...process.env, LC_ALL: 'C', SYSTEMD_COLORS: '0' },
        ...(signal && { signal }),
      },
      (error, stdout, stderr) => {
        if (signal?.aborted) reject(signal.reason as Error);
        else resolve({ code: exitCode(error), stdout, stderr });
      },
    );
    child.stdin?.on('error', () => undefined); // it may end without reading
    child.stdin?.end(input);
    return promise;
  }

  async lookup(host: string, { signal }: Abortable = {}): Promise<readonly string[] | undefined> {
    try {
      // The system's name lookup cannot be stopped.
      const found = await untilAborted(lookup(host, { all: true }), signal);
      return found.map(({ address }) => address);
    } catch (error) {
      signal?.throwIfAborted();
      if (systemCode(error) === undefined) throw error;
      return undefined;
    }
  }
}

function exitCode(error: unknown): number | undefined {
  if (error === null) return 0;
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'number' ? code : undefined;
}

/** With its mode whatever the umask says, and on the disk before it gets its name. */
async function writeFlushed(file: string, { bytes, mode }: SystemFile): Promise<void> {
  await using handle = await open(file, 'wx', mode);
  await handle.chmod(mode);
  await handle.writeFile(bytes);
  await handle.sync();
}

function writeError(file: string, cause: unknown): unknown {
  const code = systemCode(cause);
  if (code === undefined) return cause;
  if (code === 'ENOSPC') {
    return new AltNetError('DISK_FULL', { folder: path.dirname(file) }, { cause });
  }
  const why = `it cannot be written (${code})`;
  return new AltNetError('PATH_UNSUPPORTED', { path: file, why }, { cause });
}
