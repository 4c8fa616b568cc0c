/** `altnet setup service`: a node runs whenever this machine does, or no longer. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { AltNetError } from '../../base/errors.ts';
import { installationFolder, launcher } from '../installation.ts';
import { applyPlan, type Change, undoChange } from './apply.ts';
import { takeBack } from './take-back.ts';
import { systemJournal, userJournal } from './places.ts';
import {
  command,
  describePlan,
  type Plan,
  type PlanCommands,
  quoteWord,
  restartOf,
  type SystemCommand,
} from './plan.ts';
import { type Started, watchStart } from './service-start.ts';
import {
  isLowPort,
  launchdPlist,
  type ServiceOptions,
  stateFolder,
  systemUnit,
  unitFile,
  unitName as unit,
  userUnit,
  windowsTask,
} from './service-unit.ts';
import {
  agree,
  printedPlan,
  requireRoot,
  type SetupResult,
  type SetupSession,
  tellResult,
} from './session.ts';
import type { System } from './system.ts';

export interface ServiceTarget {
  /** For this user alone. */
  readonly forUser: boolean;
  readonly startWords: readonly string[];
  /** Where it listens: of each option of `start` that says so, host:port. */
  readonly addresses: ReadonlyMap<string, string>;
  /** How its names end; left out: as everywhere. */
  readonly tld?: string | undefined;
}

const setup = 'service';

export function serviceCommandsOf(variant: string): PlanCommands | undefined {
  if (variant === 'systemd') return commandsWith();
  return variant === 'systemd-user' ? commandsWith('--user') : undefined;
}

function commandsWith(...manager: string[]): PlanCommands {
  const systemctl = (...words: string[]): SystemCommand =>
    command('systemctl', ...manager, ...words);
  const reload = systemctl('daemon-reload');
  // What it compiled is of no use to anybody else. A unit for one user has no such folder.
  const clean = manager.length > 0 ? [] : [systemctl('clean', '--what=cache', unit)];
  return {
    activate: [reload, systemctl('enable', unit), ...restartOf(unit, ...manager)],
    deactivate: [systemctl('disable', '--now', unit), ...clean],
    settle: [reload],
  };
}

/** The journal of the service of the system, or of this user. */
export function serviceJournal(data: string, forUser: boolean): string {
  return forUser ? userJournal(data, 'service') : systemJournal('service');
}

export async function setUpService(session: SetupSession, target: ServiceTarget): Promise<void> {
  const { system, context, action } = session;
  const { forUser } = target;
  const { data } = context.folders;
  const options: ServiceOptions = { launcher, ...target };
  if (system.platform !== 'linux') return tellByHand(session, options);
  const change: Change = {
    system,
    journal: serviceJournal(data, forUser),
    commandsOf: serviceCommandsOf,
    signal: context.signal,
  };
  if (action === 'undo') return undo(session, change, target);
  const plan = forUser ? userPlan(system, options, data) : systemPlan(options);
  if (action === 'print') return tellResult(session, printedPlan(setup, plan), describePlan(plan));
  if (forUser) refuseForUser(system, target);
  else {
    requireRoot(session, ['setup', 'service', ...startWords(target)]);
    await requireOpenFolder();
  }
  await agree(session, describePlan(plan));
  if (forUser) await system.makeFolder(data); // closed to others, as a node would have made it
  const isChanged = await applyPlan(plan, change);
  const started = await watchUntilStarted(change, { forUser, data });
  const files = plan.files.map(({ path: at, content }) => ({ path: at, content }));
  const outcome = isChanged ? 'made' : 'unchanged';
  const did = isChanged ? 'was made and started' : 'is as it should be';
  const result: SetupResult = { setup, outcome, variant: plan.variant, files };
  tellResult(session, result, [`the service ${unit} ${did}`]);
  tellHints(session, { target, started });
}

/** Rejects with SETUP_FAILED, having taken everything back, when the node ends at once. */
async function watchUntilStarted(
  change: Change,
  { forUser, data }: { readonly forUser: boolean; readonly data: string },
): Promise<Started> {
  const { system, signal } = change;
  const manager = forUser ? ['--user'] : [];
  const place = forUser ? data : stateFolder;
  const started = await watchStart({ system, manager, data: place, signal });
  if (started.state !== 'ended') return started;
  await undoChange({ ...change, signal: undefined });
  const why = `${started.why}; everything was taken back`;
  throw new AltNetError('SETUP_FAILED', { what: 'the start of the node', why });
}

function startWords({ startWords: words }: ServiceTarget): string[] {
  return words.length > 0 ? ['--', ...words] : [];
}

function systemPlan(options: ServiceOptions): Plan {
  return {
    variant: 'systemd',
    files: [{ path: unitFile, content: systemUnit(options), mode: 0o644 }],
    ...commandsWith(),
  };
}

function userPlan({ home }: System, options: ServiceOptions, data: string): Plan {
  const file = path.join(home, '.config/systemd/user', unit);
  return {
    variant: 'systemd-user',
    files: [{ path: file, content: userUnit(options, data), mode: 0o644 }],
    ...commandsWith('--user'),
  };
}

function refuseForUser({ sudoUser }: System, { addresses }: ServiceTarget): void {
  const what = 'a service for one user';
  if (sudoUser !== undefined) {
    throw new AltNetError('SETUP_FAILED', { what, why: `run it as ${sudoUser}, without sudo` });
  }
  const low = [...addresses.values()].find(isLowPort);
  if (low === undefined) return;
  throw new AltNetError('SETUP_FAILED', {
    what,
    why: `${low} needs root, or a service without --user`,
  });
}

/** The service runs under a user of its own, who has to get at the program. */
async function requireOpenFolder(): Promise<void> {
  for (let at = installationFolder; at !== path.dirname(at); at = path.dirname(at)) {
    const { mode } = await stat(at);
    if ((mode & 0o005) === 0o005) continue;
    const what = `${at}, which holds this program, is closed to other users`;
    const why = 'move the program to /opt, for instance, or give --user';
    throw new AltNetError('SETUP_FAILED', { what, why });
  }
}

function tellHints(
  { context: { terminal, folders } }: SetupSession,
  { target: { forUser }, started }: { target: ServiceTarget; started: Started },
): void {
  const data = forUser ? folders.data : stateFolder;
  const services = started.state === 'ready' ? started.services : undefined;
  if (services?.gateway) terminal.note(`it is ready, and shows sites at ${services.gateway}`);
  if (started.state === 'starting')
    terminal.note('it is not ready yet; its log says how far it is');
  terminal.note(`its log: ${forUser ? 'journalctl --user' : 'sudo journalctl'} -u ${unit}`);
  // The data of the service of the system is open to root alone.
  const program = forUser ? 'altnet' : `sudo ${quoteWord(launcher)}`;
  terminal.note(`other commands reach it so: ${program} stats --data ${quoteWord(data)}`);
  if (forUser) {
    terminal.note('so that it also runs while you are not logged in: loginctl enable-linger');
  }
}

async function undo(
  session: SetupSession,
  change: Change,
  { forUser }: ServiceTarget,
): Promise<void> {
  const isTaken = await takeBack(session, change, {
    setup,
    rootWords: forUser ? undefined : ['setup', 'service', '--undo'],
    question: () => `stop the service ${unit} and remove it`,
    done: () => `the service ${unit} is gone`,
  });
  if (!isTaken) return;
  const data = forUser ? session.context.folders.data : stateFolder;
  session.context.terminal.note(`its sites and keys stay in ${data}`);
}

/** Not tried there by us, so it is left to who knows the machine. */
function tellByHand(session: SetupSession, options: ServiceOptions): void {
  const { system, context } = session;
  const { data } = context.folders;
  const source = path.join(installationFolder, 'src', 'cli', 'main.ts');
  const plist = path.join(system.home, 'Library/LaunchAgents/altnet.node.plist');
  const isMac = system.platform === 'darwin';
  const files = isMac ? [{ path: plist, content: launchdPlist(options, data) }] : [];
  const [make, back] = isMac
    ? [`launchctl load -w ${plist}`, `launchctl unload -w ${plist}`]
    : [windowsTask(options, [process.execPath, source]), 'schtasks /delete /tn AltNet'];
  const steps = [...files.map(({ path: at }) => `write ${at}`), make, `back: ${back}`];
  tellResult(session, { setup, outcome: 'by-hand', files, steps }, [
    'do this yourself:',
    ...files.flatMap(({ content }) => content.trimEnd().split('\n')),
    ...steps,
  ]);
}
