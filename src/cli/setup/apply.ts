/**
 * Makes a change of the system, and takes it back exactly. A file that somebody has edited since is
 * named and stays as it is. Knows files, commands and the journal, not what the change is for.
 */
import path from 'node:path';
import type { Abortable } from '../../base/abort.ts';
import { AltNetError } from '../../base/errors.ts';
import {
  contentBefore,
  type Journal,
  type JournalFile,
  readJournal,
  sha256Hex,
  stateOf,
  writeJournal,
} from './journal.ts';
import { systemFolder } from './places.ts';
import { type FileChange, formatCommand, type Plan, type PlanCommands } from './plan.ts';
import { draftOf, type System } from './system.ts';

export interface Change extends Abortable {
  readonly system: System;
  /** Where the journal of this change is. */
  readonly journal: string;
  /** The commands of a variant, as a journal names it; undefined: no such variant. */
  readonly commandsOf: (variant: string) => PlanCommands | undefined;
}

/**
 * Makes the change, or finishes one that broke off; one that is made already stays, and another one
 * of the same kind is taken back first. Resolves with whether a file was changed. Rejects with
 * SETUP_EDITED before anything is touched, and with SETUP_FAILED after everything was taken back.
 */
export async function applyPlan(plan: Plan, change: Change): Promise<boolean> {
  const { system, journal: at, signal } = change;
  let journal = await readJournal(system, at);
  if (journal && !isOf(journal, plan)) {
    await undoChange(change);
    journal = undefined;
  }
  const draft = journal ?? (await draftJournal(plan, system));
  const states = await Promise.all(draft.files.map((file) => stateOf(system, file)));
  const edited = draft.files.filter((_, index) => states[index] === 'edited');
  if (edited.length > 0) throw editedError(edited);
  if (draft.state === 'done' && states.every((state) => state === 'written')) return false;
  await writeJournal(system, at, { ...draft, state: 'under-way' });
  try {
    for (const { path: file, content, mode } of plan.files) {
      await system.write(file, { bytes: Buffer.from(content), mode });
    }
    await runAll(plan.activate, { system, signal });
    await writeJournal(system, at, { ...draft, state: 'done' });
  } catch (error) {
    // Also when the user has given up: half of a change is what nobody wants.
    await undoChange({ ...change, signal: undefined });
    throw error;
  }
  return true;
}

/** Takes back what the journal tells of. Resolves with whether there was anything. */
export async function undoChange(change: Change): Promise<boolean> {
  const { system, journal: at, commandsOf, signal } = change;
  const journal = await readJournal(system, at);
  if (!journal) return false;
  const commands = commandsOf(journal.variant);
  if (!commands) {
    const why = `it tells of "${journal.variant}", which this version does not know`;
    throw new AltNetError('SETUP_FAILED', { what: at, why });
  }
  await runEach(commands.deactivate, { system, signal });
  const edited: JournalFile[] = []; // BOUNDED by the files of the journal
  for (const file of journal.files.toReversed()) {
    const state = await stateOf(system, file);
    await system.remove(draftOf(file.path)); // programs read whatever is in their folder
    if (state === 'edited') edited.push(file);
    else if (state === 'written') await restore(system, file);
  }
  await runEach(commands.settle, { system, signal });
  for (const folder of journal.folders.toReversed()) await removeMade(system, folder, journal);
  if (edited.length > 0) {
    await writeJournal(system, at, { ...journal, state: 'under-way', files: edited });
    throw editedError(edited);
  }
  await forgetChange(system, at);
  return true;
}

/**
 * Removes a journal, or what is left of one that was never written, and the folder of the journals
 * with the last one.
 */
export async function forgetChange(system: System, at: string): Promise<void> {
  await system.remove(draftOf(at));
  await system.remove(at);
  if (path.posix.dirname(at) === systemFolder)
    await system.removeFolders(systemFolder, systemFolder);
}

function isOf({ variant, files }: Journal, plan: Plan): boolean {
  const have = files.map((file) => `${file.path} ${file.written}`);
  const want = plan.files.map(({ path: file, content }) => `${file} ${sha256Hex(content)}`);
  return variant === plan.variant && have.toSorted().join() === want.toSorted().join();
}

/** Rejects with SETUP_EDITED when a file that is to be ours is somebody else's. */
async function draftJournal({ variant, files }: Plan, system: System): Promise<Journal> {
  const found = await Promise.all(files.map((file) => draftFile(system, file)));
  const foreign = files.flatMap((file, index) => {
    const { before, written } = found[index] ?? {};
    const isOurs = !before || sha256Hex(Buffer.from(before.base64, 'base64')) === written;
    return isOurs || file.replaces ? [] : [file];
  });
  if (foreign.length > 0) throw editedError(foreign);
  const above = await Promise.all(files.map((file) => topmostMissing(system, file.path)));
  const folders = [...new Set(above.filter((folder) => folder !== undefined))];
  return { variant, state: 'under-way', files: found, folders };
}

/** Of the folders that a file needs, the highest that has to be made. */
async function topmostMissing(system: System, file: string): Promise<string | undefined> {
  let topmost: string | undefined;
  for (let at = path.posix.dirname(file); !(await system.exists(at)); at = path.posix.dirname(at)) {
    topmost = at;
  }
  return topmost;
}

async function draftFile(system: System, change: FileChange): Promise<JournalFile> {
  const now = await system.read(change.path);
  const written = sha256Hex(change.content);
  // What we wrote once, and lost the journal of, was not there before.
  const isOurs = !change.replaces && now !== undefined && sha256Hex(now.bytes) === written;
  const before =
    now === undefined || isOurs
      ? null
      : { base64: Buffer.from(now.bytes).toString('base64'), mode: now.mode };
  return { path: change.path, written, before };
}

async function restore(system: System, file: JournalFile): Promise<void> {
  const before = contentBefore(file);
  if (before) await system.write(file.path, before);
  else await system.remove(file.path);
}

/** Folders that were made for this alone, as far as they are empty now. */
async function removeMade(system: System, folder: string, { files }: Journal): Promise<void> {
  for (const file of files) {
    if (file.path.startsWith(`${folder}/`)) {
      await system.removeFolders(path.posix.dirname(file.path), folder);
    }
  }
}

interface Running extends Abortable {
  readonly system: System;
}

async function runAll(
  commands: PlanCommands['activate'],
  { system, signal }: Running,
): Promise<void> {
  for (const each of commands) {
    const { code, stdout, stderr } = await system.run(each.program, each.words, { signal });
    if (code === 0 || each.mayFail) continue;
    const told = `${stderr}\n${stdout}`.split('\n').find((line) => line.trim() !== '');
    const missing = 'the program is not there, or does not answer';
    const why = (told ?? (code === undefined ? missing : `it ended with ${code}`)).slice(0, 300);
    throw new AltNetError('SETUP_FAILED', { what: formatCommand(each), why });
  }
}

/** On the way back nothing stops half-way: what cannot be run was not running. */
async function runEach(
  commands: PlanCommands['settle'],
  { system, signal }: Running,
): Promise<void> {
  for (const { program, words } of commands) await system.run(program, words, { signal });
}

function editedError(files: readonly { readonly path: string }[]): AltNetError<'SETUP_EDITED'> {
  return new AltNetError('SETUP_EDITED', { files: files.map((file) => file.path) });
}

/** none: not made. made: as it was left. broken: half of it, or edited since. */
export type ChangeState = 'none' | 'made' | 'broken';

export async function inspectChange(
  system: System,
  at: string,
): Promise<{ readonly state: ChangeState; readonly variant?: string }> {
  const journal = await readJournal(system, at);
  if (!journal) return { state: 'none' };
  const states = await Promise.all(journal.files.map((file) => stateOf(system, file)));
  const isMade = journal.state === 'done' && states.every((state) => state === 'written');
  return { state: isMade ? 'made' : 'broken', variant: journal.variant };
}
