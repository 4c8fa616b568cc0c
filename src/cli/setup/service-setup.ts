/** `altnet setup service`: a node runs whenever this machine does, or no longer. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { AltNetError } from '../../base/errors.ts';
import { installationFolder, launcher } from '../installation.ts';
import { applyPlan, type Change, inspectChange, undoChange } from './apply.ts';
import { systemJournal, userJournal } from './places.ts';
import { command, describePlan, type Plan, type PlanCommands, type SystemCommand } from './plan.ts';
import {
  isLowPort,
  launchdPlist,
  type ServiceOptions,
  stateFolder,
  systemUnit,
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
  readonly addresses: readonly string[];
}

const setup = 'service';
const unit = 'altnet.service';
const systemFile = `/etc/systemd/system/${unit}`;

export function serviceCommandsOf(variant: string): PlanCommands | undefined {
  if (variant === 'systemd') return commandsWith();
  return variant === 'systemd-user' ? commandsWith('--user') : undefined;
}

function commandsWith(...manager: string[]): PlanCommands {
  const systemctl = (...words: string[]): SystemCommand =>
    command('systemctl', ...manager, ...words);
  const reload = systemctl('daemon-reload');
  return {
    activate: [reload, systemctl('enable', unit), systemctl('restart', unit)],
    deactivate: [systemctl('disable', '--now', unit)],
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
  const isChanged = await applyPlan(plan, change);
  const files = plan.files.map(({ path: at, content }) => ({ path: at, content }));
  const outcome = isChanged ? 'made' : 'unchanged';
  const did = isChanged ? 'was made and started' : 'is as it should be';
  const result: SetupResult = { setup, outcome, variant: plan.variant, files };
  tellResult(session, result, [`the service ${unit} ${did}`]);
  tellHints(session, target);
}

function startWords({ startWords: words }: ServiceTarget): string[] {
  return words.length > 0 ? ['--', ...words] : [];
}

function systemPlan(options: ServiceOptions): Plan {
  return {
    variant: 'systemd',
    files: [{ path: systemFile, content: systemUnit(options), mode: 0o644 }],
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
  const low = addresses.find(isLowPort);
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

function tellHints({ context: { terminal, folders } }: SetupSession, target: ServiceTarget): void {
  const [user, data] = target.forUser ? ['--user ', folders.data] : ['', stateFolder];
  terminal.note(`its log: journalctl ${user}-u ${unit}`);
  terminal.note(`other commands reach it with: --data ${data}`);
  if (target.forUser) {
    terminal.note('so that it also runs while you are not logged in: loginctl enable-linger');
  }
}

async function undo(
  session: SetupSession,
  change: Change,
  { forUser }: ServiceTarget,
): Promise<void> {
  const { state, variant } = await inspectChange(session.system, change.journal);
  if (state === 'none') {
    return tellResult(session, { setup, outcome: 'unchanged' }, ['nothing is set up']);
  }
  if (!forUser) requireRoot(session, ['setup', 'service', '--undo']);
  await agree(session, [`stop the service ${unit} and remove it`]);
  await undoChange(change);
  tellResult(session, { setup, outcome: 'undone', variant }, [`the service ${unit} is gone`]);
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
