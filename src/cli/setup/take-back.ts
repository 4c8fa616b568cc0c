/**
 * A part of the set-up that is one change of this machine, taken back: asked, done and told in the
 * same way for each. It knows no resolver and no service.
 */
import { type Change, forgetChange, inspectChange, undoChange } from './apply.ts';
import { agree, requireRoot, type SetupSession, tellResult } from './session.ts';

export interface Undoing {
  /** "dns" or "service". */
  readonly setup: string;
  /** Of the command that does it as root; left out: whoever runs it may. */
  readonly rootWords?: readonly string[] | undefined;
  /** What the user agrees to, and what is so afterwards. `variant`: what was changed. */
  readonly question: (variant: string) => string;
  readonly done: (variant: string) => string;
}

/** Whether there was anything. Rejects with SETUP_NEEDS_ROOT, ABORTED, SETUP_EDITED … */
export async function takeBack(
  session: SetupSession,
  change: Change,
  { setup, rootWords, question, done }: Undoing,
): Promise<boolean> {
  const { system } = session;
  const { state, variant = setup } = await inspectChange(system, change.journal);
  if (state === 'none') {
    if (system.isRoot) await forgetChange(system, change.journal);
    tellResult(session, { setup, outcome: 'unchanged' }, ['nothing is set up']);
    return false;
  }
  if (rootWords) requireRoot(session, rootWords);
  await agree(session, [question(variant)]);
  await undoChange(change);
  tellResult(session, { setup, outcome: 'undone', variant }, [done(variant)]);
  return true;
}
