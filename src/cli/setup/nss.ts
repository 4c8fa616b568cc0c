/**
 * The certificate databases of NSS, which Chromium, Chrome and Firefox ask on Linux: which there
 * are, whether one trusts an authority, and how that begins and ends. Uses certutil, and goes by
 * fingerprint: another certificate of the same name stays.
 */
import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import type { Abortable } from '../../base/abort.ts';
import type { AuthorityText } from './ca-text.ts';
import type { System } from './system.ts';

export interface NssDatabase {
  /** Where cert9.db is, or would be. */
  readonly folder: string;
  readonly program: 'chromium' | 'firefox';
  readonly isThere: boolean;
}

/** Below the home folder. Chromium and Chrome share the first one. */
const chromiumFolders = ['.pki/nssdb', 'snap/chromium/current/.pki/nssdb'] as const;
const firefoxFolders = [
  '.mozilla/firefox',
  '.config/mozilla/firefox',
  'snap/firefox/common/.mozilla/firefox',
  '.var/app/org.mozilla.firefox/.mozilla/firefox',
] as const;
const profilesMax = 64;
/** The same certificate may have been added by several programs. */
const copiesMax = 4;

/** Of this user. The first is made when it is missing; the others belong to what is installed. */
export async function findDatabases(system: System): Promise<readonly NssDatabase[]> {
  const databases: NssDatabase[] = []; // BOUNDED by profilesMax and the folders above
  for (const [index, name] of chromiumFolders.entries()) {
    const folder = path.join(system.home, name);
    const isThere = await system.exists(path.join(folder, 'cert9.db'));
    const isWanted = index === 0 || (await system.exists(path.join(system.home, 'snap/chromium')));
    if (isThere || isWanted) databases.push({ folder, program: 'chromium', isThere });
  }
  for (const name of firefoxFolders) {
    const above = path.join(system.home, name);
    for (const profile of (await system.list(above)).slice(0, profilesMax)) {
      const folder = path.join(above, profile);
      const isThere = await system.exists(path.join(folder, 'cert9.db'));
      if (isThere) databases.push({ folder, program: 'firefox', isThere });
    }
  }
  return databases;
}

/** The package of certutil has another name everywhere. */
export const certutilAdvice =
  'install certutil: libnss3-tools on Debian and Ubuntu, nss-tools on Fedora, nss on Arch';

export async function hasCertutil(system: System, options: Abortable = {}): Promise<boolean> {
  return (await system.run('certutil', ['-H'], options)).code !== undefined;
}

export async function isTrustedBy(
  system: System,
  { folder, isThere }: NssDatabase,
  { authority, signal }: Abortable & { authority: Pick<AuthorityText, 'name' | 'fingerprint'> },
): Promise<boolean> {
  if (!isThere) return false;
  const { name, fingerprint } = authority;
  const words = ['-L', '-d', databaseWord(system, folder), '-n', name, '-a'];
  const { code, stdout } = await system.run('certutil', words, { signal });
  return code === 0 && fingerprintsIn(stdout).includes(fingerprint);
}

/** Why nobody can tell whom a database trusts; undefined when it can be read. */
export async function unreadable(
  system: System,
  { folder }: NssDatabase,
  { signal }: Abortable = {},
): Promise<string | undefined> {
  if (!(await system.exists(path.join(folder, 'cert9.db')))) return undefined;
  const listed = await system.run('certutil', ['-L', '-d', databaseWord(system, folder)], {
    signal,
  });
  if (listed.code === undefined) return certutilAdvice;
  return listed.code === 0 ? undefined : reasonIn(listed);
}

/** Undefined when it is trusted now; else why not. */
export async function trust(
  system: System,
  { folder, isThere }: NssDatabase,
  { authority, signal }: Abortable & { authority: AuthorityText },
): Promise<string | undefined> {
  const database = databaseWord(system, folder);
  if (!isThere) {
    await system.makeFolder(folder);
    const words = ['-N', '-d', database, '--empty-password'];
    const made = await system.run('certutil', words, { signal });
    if (made.code !== 0) return reasonIn(made);
  }
  const words = ['-A', '-d', database, '-n', authority.name, '-t', 'C,,', '-a'];
  const added = await system.run('certutil', words, { input: authority.pem, signal });
  return added.code === 0 ? undefined : reasonIn(added);
}

/** Undefined when it is not trusted any more; else why it still is. */
export async function distrust(
  system: System,
  database: NssDatabase,
  { authority, signal }: Abortable & { authority: Pick<AuthorityText, 'name' | 'fingerprint'> },
): Promise<string | undefined> {
  for (let copies = 0; copies < copiesMax; copies++) {
    if (!(await isTrustedBy(system, database, { authority, signal }))) return undefined;
    const words = ['-D', '-d', databaseWord(system, database.folder), '-n', authority.name];
    const removed = await system.run('certutil', words, { signal });
    if (removed.code !== 0) return reasonIn(removed);
  }
  return 'it is there several times';
}

/** Whether a database holds neither certificates nor keys. */
export async function isEmpty(
  system: System,
  { folder }: NssDatabase,
  { signal }: Abortable = {},
): Promise<boolean> {
  const database = databaseWord(system, folder);
  const listed = await system.run('certutil', ['-L', '-d', database], { signal });
  const keys = await system.run('certutil', ['-K', '-d', database], { signal });
  // The list begins with two lines of headings.
  const rows = listed.stdout
    .split('\n')
    .filter((line) => /\s\S*,\S*,\S*\s*$/.test(line))
    .slice(1);
  const hasKeys = !`${keys.stdout}${keys.stderr}`.includes('no keys found');
  return listed.code === 0 && rows.length === 0 && !hasKeys;
}

/** The files of a database, to be removed with it. */
export const databaseFiles = ['cert9.db', 'key4.db', 'pkcs11.txt'] as const;

function databaseWord(system: System, folder: string): string {
  return `sql:${system.outside(folder)}`;
}

function fingerprintsIn(text: string): string[] {
  const pems = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return pems.flatMap((pem) => {
    try {
      return [new X509Certificate(pem).fingerprint256];
    } catch {
      return [];
    }
  });
}

function reasonIn({ code, stderr }: { code: number | undefined; stderr: string }): string {
  const line = stderr.split('\n').find((each) => each.trim() !== '');
  return (line ?? `certutil ended with ${code ?? 'no code'}`).slice(0, 200);
}
