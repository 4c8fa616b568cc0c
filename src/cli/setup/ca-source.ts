/**
 * Which authority is meant, and its certificate: that of this user's node, or of the service of the
 * system. It makes nothing and trusts nothing.
 *
 * The folder of the service is closed to users. They take its certificate from where root put it
 * for the whole system, and not from the service over a port: any program of any user can listen
 * there while the service does not.
 */
import path from 'node:path';
import { systemWorld } from '../../base/clock.ts';
import { type AuthorityOptions, CertificateAuthority } from '../../ca/authority.ts';
import { parseAuthority, type PublicAuthority } from '../../ca/public-authority.ts';
import { caFolderIn, type RunningZone } from '../../node/runfile.ts';
import { findInstalledService } from './installed-service.ts';
import { readJournal, sha256Hex } from './journal.ts';
import { systemJournal } from './places.ts';
import { stateFolder } from './service-unit.ts';
import type { System } from './system.ts';

/** `tld`: how the names end that it signs for. */
export function authorityOptionsOf(tld: string): AuthorityOptions {
  return { tld, world: systemWorld };
}
/** Of the service of the system. */
export const serviceCaFolder: string = path.posix.join(stateFolder, 'ca');

/**
 * Where the authority is that a command without `--ca-dir` means: that of the data folder, if there
 * is one; that of the service, where one is set up; else that which would be made in the data
 * folder.
 */
export async function findCaFolder(system: System, data: string, tld: string): Promise<string> {
  const own = caFolderIn(data);
  const isThere = await CertificateAuthority.find(own, authorityOptionsOf(tld)).then(
    (found) => found !== undefined,
    () => true, // one that cannot be used has to be told of
  );
  if (isThere) return own;
  return (await findInstalledService(system)) ? serviceCaFolder : own;
}

export interface FoundAuthority extends PublicAuthority {
  /** Where its certificate was read. */
  readonly file: string;
}

/** Undefined when there is none, or none that this user may read. Rejects with CA_UNUSABLE. */
export async function findAuthority(
  system: System,
  { caDir, tld }: RunningZone,
): Promise<FoundAuthority | undefined> {
  const options = authorityOptionsOf(tld);
  if (caDir !== serviceCaFolder) return CertificateAuthority.find(caDir, options);
  if (system.isRoot) return CertificateAuthority.find(system.outside(caDir), options);
  return findTrustedBySystem(system, options);
}

/** The one that root had the system trust, if it is still as it was put there. */
async function findTrustedBySystem(
  system: System,
  options: AuthorityOptions,
): Promise<FoundAuthority | undefined> {
  const journal = await readJournal(system, systemJournal('ca'));
  for (const { path: file, written } of journal?.files ?? []) {
    const found = await system.read(file);
    if (!found || sha256Hex(found.bytes) !== written) continue;
    const pem = Buffer.from(found.bytes).toString('utf8');
    return { ...parseAuthority(pem, file, options), file };
  }
  return undefined;
}
