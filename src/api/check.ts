/** Whether a name is free, in the form that desktop clients read. */
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { CallOptions, NodeServices } from './ports.ts';
import type { CheckResult } from './outputs.ts';

/** A name that cannot exist is an answer to the question, not a failure to answer it. */
export async function checkName(
  services: NodeServices,
  name: string,
  options: CallOptions,
): Promise<CheckResult> {
  try {
    const { name: fullName, state, owner, root, claimants } = await services.resolve(name, options);
    if (state === 'not-found') return { name: fullName, available: true };
    const holder: CheckResult = { name: fullName, available: false };
    if (owner !== undefined) holder.owner = owner;
    if (root !== undefined) holder.root = root;
    if (state === 'contested') holder.error = contestedText(fullName, claimants ?? []);
    if (state === 'expired') holder.error = new AltNetError('NAME_EXPIRED', { name }).message;
    if (state === 'revoked') holder.error = `${fullName} was revoked`;
    return holder;
  } catch (error) {
    if (!isAltNetError(error, 'BAD_NAME')) throw error;
    return { name, available: false, error: error.message };
  }
}

function contestedText(name: string, owners: readonly string[]): string {
  return new AltNetError('NAME_CONTESTED', { name, owners }).message;
}
