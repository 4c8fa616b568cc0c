/**
 * One run of `altnet setup …`: what its options ask for, whether the user agrees, and how its
 * outcome is told. It knows no resolver, store or service.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { AltNetError } from '../../base/errors.ts';
import type { CommandContext, CommandInput } from '../command.ts';
import { sanitize } from '../format.ts';
import { launcher } from '../installation.ts';
import { flagOption, usageError } from '../values.ts';
import { formatCommand, type Plan, quoteWord } from './plan.ts';
import type { System } from './system.ts';

export type SetupAction = 'make' | 'undo' | 'print';

export interface SetupSession {
  readonly system: System;
  readonly context: CommandContext;
  readonly action: SetupAction;
  /** The user has agreed already. */
  readonly yes: boolean;
}

/** The words of one setup command that all of them have. */
export function describeSetup(command: Command): Command {
  return command
    .option('--undo', 'take it back')
    .option('--print', 'show files and commands, and change nothing')
    .option('-y, --yes', 'do not ask');
}

/** Throws USAGE. */
export function beginSession(
  system: System,
  { context, input: { options } }: { context: CommandContext; input: CommandInput },
): SetupSession {
  const [undo, print] = [flagOption(options, 'undo'), flagOption(options, 'print')];
  if (undo && print) throw usageError('give --undo or --print, not both');
  const action = undo ? 'undo' : print ? 'print' : 'make';
  return { system, context, action, yes: flagOption(options, 'yes') };
}

/** What came of it. */
export interface SetupResult {
  /** "dns", "ca" or "service". */
  readonly setup: string;
  /**
   * made, undone: something was changed. unchanged: it is as it should be already. by-hand: this is
   * not done here; `steps` say how to.
   */
  readonly outcome: 'made' | 'undone' | 'unchanged' | 'by-hand' | 'printed';
  /** What was changed, or would be: "systemd-resolved". */
  readonly variant?: string | undefined;
  readonly files?: readonly { readonly path: string; readonly content: string }[] | undefined;
  readonly commands?: readonly string[] | undefined;
  readonly steps?: readonly string[] | undefined;
}

/** With --json one object; else what it says, as lines. */
export function tellResult(
  { context: { terminal } }: SetupSession,
  result: SetupResult,
  lines: readonly string[],
): void {
  terminal.result(result, lines.map(sanitize));
}

export function printedPlan(setup: string, plan: Plan): SetupResult {
  const files = plan.files.map(({ path, content }) => ({ path, content }));
  const commands = plan.activate.map(formatCommand);
  return { setup, outcome: 'printed', variant: plan.variant, files, commands };
}

/**
 * Resolves when the user agrees to what `lines` say; with --yes at once. Rejects with ABORTED when
 * the user does not, and with USAGE where there is nobody to ask.
 */
export async function agree(
  { context: { terminal, shell, signal }, yes }: SetupSession,
  lines: readonly string[],
): Promise<void> {
  if (yes) return;
  const isTerminal = shell?.stdin.isTTY === true && !terminal.json;
  if (!isTerminal) {
    throw usageError(
      'there is no terminal to ask at; see what it does with --print, then give --yes',
    );
  }
  for (const line of lines) terminal.log(`${sanitize(line)}\n`);
  terminal.note('make these changes? y or n');
  const questions = createInterface({ input: shell.stdin });
  try {
    // The end of the input is no answer, and would never come as one.
    const ended = once(questions, 'close', { signal }).then(() => '');
    const answer = await Promise.race([questions.question('', { signal }), ended]);
    if (!/^\s*y(es)?\s*$/i.test(answer)) throw new AltNetError('ABORTED', {});
  } finally {
    questions.close();
  }
}

/** Rejects with SETUP_NEEDS_ROOT, which names the command to run instead. */
export function requireRoot({ system }: SetupSession, words: readonly string[]): void {
  if (!system.isRoot) throw new AltNetError('SETUP_NEEDS_ROOT', { command: sudoLine(words) });
}

/** "sudo /opt/altnet/bin/altnet setup dns". */
export function sudoLine(words: readonly string[]): string {
  return ['sudo', launcher, ...words].map(quoteWord).join(' ');
}
