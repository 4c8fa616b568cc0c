/** Where the platform keeps a program's data. Looks at nothing but the environment. */
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

export interface Surroundings {
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
}

/** The folder of `program` ("altnet"), absolute; it need not exist. */
export function platformDataFolder(
  program: string,
  { platform, env, home }: Surroundings = {
    platform: process.platform,
    env: process.env,
    home: os.homedir(),
  },
): string {
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', program);
  if (platform === 'win32') {
    return path.join(env['LOCALAPPDATA'] || path.join(home, 'AppData', 'Local'), program);
  }
  const base = env['XDG_DATA_HOME'];
  // The XDG rules say that a relative path there is to be ignored.
  const isUsable = base !== undefined && path.isAbsolute(base);
  return path.join(isUsable ? base : path.join(home, '.local', 'share'), program);
}

export interface Folders {
  readonly data: string;
  readonly keydir: string;
}

/** Both folders, absolute, from what the user gave. */
export function resolveFolders({
  data,
  keydir,
  cwd,
  program = 'altnet',
}: {
  data: string | undefined;
  keydir: string | undefined;
  cwd: string;
  program?: string;
}): Folders {
  const dataFolder = data ? path.resolve(cwd, data) : platformDataFolder(program);
  return {
    data: dataFolder,
    keydir: keydir ? path.resolve(cwd, keydir) : path.join(dataFolder, 'keys'),
  };
}
