/** `altnet setup ca`: browsers and other programs trust the HTTPS of .alt sites, or no longer. */
import { X509Certificate } from 'node:crypto';
import path from 'node:path';
import { AltNetError } from '../../base/errors.ts';
import { CertificateAuthority } from '../../ca/authority.ts';
import type { RunningZone } from '../../node/runfile.ts';
import { countOf } from '../format.ts';
import type { PublicAuthority } from '../../ca/public-authority.ts';
import {
  authorityOptionsOf,
  findAuthority,
  type FoundAuthority,
  serviceCaFolder,
} from './ca-source.ts';
import {
  addToSystem,
  addToUser,
  hasUserStores,
  removeFromSystem,
  removeFromUser,
  type StoreOutcome,
  type StoreWork,
} from './ca-stores.ts';
import { findSystemStore, planSystemStore } from './ca-system-store.ts';
import type { AuthorityText } from './ca-text.ts';
import { findDatabases } from './nss.ts';
import { describePlan, formatCommand, quoteWord } from './plan.ts';
import { agree, requireRoot, type SetupSession, sudoLine } from './session.ts';

/** Where the authority is, and what it signs for. */
export type CaTarget = RunningZone;

const setup = 'ca';

export async function setUpCa(session: SetupSession, target: CaTarget): Promise<void> {
  switch (session.action) {
    case 'print':
      return print(session, target);
    case 'undo':
      return undo(session, target);
    case 'make':
      return make(session, target);
  }
}

function workOf({ system, context }: SetupSession): StoreWork {
  return { system, data: context.folders.data, signal: context.signal };
}

function textOf({ name, pem, fingerprint }: PublicAuthority): AuthorityText {
  return { name, pem: `${pem.trim()}\n`, fingerprint };
}

/** What trusting it means, for whoever has to decide. */
function meaning({ caDir, tld }: CaTarget): string[] {
  return [
    `The authority in ${caDir} can sign for names under .${tld} and for nothing else: programs refuse what it signs for any other name.`,
    `Its key stays in that folder, on this machine. Whoever reads it could show you false pages under .${tld}, and no others.`,
  ];
}

async function make(session: SetupSession, target: CaTarget): Promise<void> {
  const { caDir } = target;
  const authorityOptions = authorityOptionsOf(target.tld);
  const { system, context } = session;
  const { terminal } = context;
  const found = await findAuthority(system, target);
  if (!found) requireMakable(session, caDir);
  if (system.platform !== 'linux') {
    const authority = found ?? (await CertificateAuthority.open(caDir, authorityOptions));
    return tellSteps(session, stepsElsewhere(system.platform, authority.file, textOf(authority)));
  }
  await agree(session, [...meaning(target), ...(await describeStores(session, caDir, found))]);
  const authority = textOf(found ?? (await CertificateAuthority.open(caDir, authorityOptions)));
  terminal.status('changing ...');
  const work = workOf(session);
  const stores = [
    ...(await addToSystem(work, authority)),
    ...(hasUserStores(system) ? await addToUser(work, authority) : []),
  ];
  tellStores(session, { authority, stores, target });
}

/**
 * An authority belongs to who runs the node: made by another one, its node could not read it.
 * Throws SETUP_FAILED or SETUP_NEEDS_ROOT.
 */
function requireMakable(session: SetupSession, caDir: string): void {
  const { sudoUser, isRoot } = session.system;
  if (caDir === serviceCaFolder) {
    requireRoot(session, ['setup', 'ca']);
    const why =
      'it has no authority yet; give it HTTPS, with: altnet setup service -- --gateway-tls 127.0.0.1:443';
    throw new AltNetError('SETUP_FAILED', { what: 'the service of the system', why });
  }
  if (!isRoot || sudoUser === undefined) return;
  const why = `there is none yet; run this first as ${sudoUser}, without sudo`;
  throw new AltNetError('SETUP_FAILED', { what: caDir, why });
}

async function undo(session: SetupSession, target: CaTarget): Promise<void> {
  const { system } = session;
  if (system.platform !== 'linux') {
    const found = await findAuthority(system, target);
    if (!found) return tellSteps(session, []);
    return tellSteps(session, stepsElsewhere(system.platform, found.file, textOf(found)));
  }
  await agree(session, ['let nothing on this machine trust the authority any more']);
  // One that cannot be used any more is to be forgotten as well: the journals know it.
  const found = await findAuthority(system, target).catch(() => undefined);
  const work = workOf(session);
  const authority = found && textOf(found);
  const stores = [
    ...(await removeFromSystem(work)),
    ...(hasUserStores(system) ? await removeFromUser(work, authority) : []),
  ];
  tellStores(session, { authority, stores, target });
}

/** What is about to be changed, and by which commands. */
async function describeStores(
  { system }: SetupSession,
  caDir: string,
  authority: FoundAuthority | undefined,
): Promise<string[]> {
  const store = await findSystemStore(system);
  const file = authority?.file ?? path.join(caDir, 'ca.pem');
  const made = authority
    ? [`trust ${authority.name}, SHA-256 ${authority.fingerprint}`]
    : [`make the authority in ${caDir}`];
  const placeholder = { name: 'AltNet local CA', pem: `(${file})`, fingerprint: 'NUMBER' };
  const plan = store && planSystemStore(store, authority ? textOf(authority) : placeholder);
  const asRoot = system.isRoot ? '' : ', as root';
  const shared = plan ? [`in the store of the system${asRoot}:`, ...describePlan(plan)] : [];
  const databases = hasUserStores(system) ? await findDatabases(system) : [];
  const added = databases.map(({ folder, isThere }) => {
    const words = ['-A', '-d', `sql:${folder}`, '-n', authority?.name ?? 'NAME', '-t', 'C,,'];
    const line = formatCommand({
      program: 'certutil',
      words: [...words, '-i', file],
    });
    return isThere ? `run ${line}` : `make ${folder}, and run ${line}`;
  });
  return [...made, ...shared, ...added];
}

async function print(session: SetupSession, target: CaTarget): Promise<void> {
  const { caDir } = target;
  const { system, context } = session;
  const found = await findAuthority(system, target);
  const isElsewhere = system.platform !== 'linux';
  const file = found?.file ?? path.join(caDir, 'ca.pem');
  const lines = isElsewhere
    ? stepsElsewhere(system.platform, file, found && textOf(found))
    : await describeStores(session, caDir, found);
  const object = { setup, outcome: 'printed', file, name: found?.name, steps: lines };
  context.terminal.result(object, [...meaning(target), ...lines]);
}

/** Done by hand, as these systems ask their user themselves. Not tried there by us. */
function stepsElsewhere(
  platform: NodeJS.Platform,
  file: string,
  authority: AuthorityText | undefined,
): string[] {
  const thumbprint = authority ? new X509Certificate(authority.pem).fingerprint : undefined;
  const id = thumbprint?.replaceAll(':', '') ?? 'FINGERPRINT';
  if (platform === 'darwin') {
    const keychain = '/Library/Keychains/System.keychain';
    return [
      `sudo security add-trusted-cert -d -r trustRoot -k ${keychain} ${quoteWord(file)}`,
      `back: sudo security delete-certificate -Z ${id} ${keychain}`,
      'Firefox: about:config, security.enterprise_roots.enabled = true',
    ];
  }
  if (platform === 'win32') {
    return [
      `certutil -addstore -f Root "${file}"   (in a prompt of an administrator; with -user for you alone)`,
      `back: certutil -delstore Root ${id}`,
      'Firefox: about:config, security.enterprise_roots.enabled = true',
    ];
  }
  return [`let the programs that you use trust ${file}`];
}

function tellSteps({ context, action }: SetupSession, steps: readonly string[]): void {
  const outcome = steps.length === 0 ? 'unchanged' : 'by-hand';
  const head = action === 'undo' ? 'take it back yourself:' : 'do this yourself:';
  const lines = steps.length === 0 ? ['nothing is set up'] : [head, ...steps];
  context.terminal.result({ setup, outcome, steps }, lines);
}

const stateWords: Readonly<Record<StoreOutcome['state'], string>> = {
  added: 'trusts it now',
  removed: 'does not trust it any more',
  trusted: 'trusts it already',
  untrusted: 'does not trust it',
  waiting: 'is for root to change',
  failed: 'could not be changed',
};

function tellStores(
  { system, context: { terminal }, action }: SetupSession,
  {
    authority,
    stores,
    target: { caDir, tld },
  }: {
    authority: AuthorityText | undefined;
    stores: readonly StoreOutcome[];
    target: CaTarget;
  },
): void {
  const isChanged = stores.some(({ state }) => state === 'added' || state === 'removed');
  const outcome = !isChanged ? 'unchanged' : action === 'undo' ? 'undone' : 'made';
  const { name, fingerprint } = authority ?? {};
  const lines = stores.map(({ store, state, why }) => {
    return `${store} ${stateWords[state]}${why === undefined ? '' : `: ${why}`}`;
  });
  const head = name === undefined ? [] : [`${name}, SHA-256 ${fingerprint ?? ''}`];
  const rest = lines.length === 0 ? ['nothing is set up'] : lines;
  terminal.result({ setup, outcome, name, fingerprint, stores }, [...head, ...rest]);
  if (stores.some(({ state }) => state === 'waiting')) {
    const ending = tld === 'alt' ? [] : ['--tld', tld];
    const words = [
      'setup',
      'ca',
      '--ca-dir',
      caDir,
      ...ending,
      ...(action === 'undo' ? ['--undo'] : []),
    ];
    terminal.note(`for the store of the system run: ${sudoLine(words)}`);
  }
  if (system.sudoUser !== undefined) {
    terminal.note(`for the browsers of ${system.sudoUser} run the same without sudo`);
  }
  if (isChanged) terminal.note('browsers that run see this when they are started again');
  const count = stores.filter(({ state }) => state === 'failed').length;
  if (count > 0) {
    const why = 'the lines above say why';
    throw new AltNetError('SETUP_FAILED', { what: countOf(count, 'store'), why });
  }
}
