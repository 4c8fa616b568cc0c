/** Whether a name is free, in the form that desktop clients read. */
import { AltNetError, isAltNetError } from '../base/errors.ts';
import type { ResolveResult } from './ports-names.ts';
import type { CallOptions, NodeServices } from './ports.ts';
import type { CheckResult } from './outputs.ts';

type Asked = Pick<NodeServices, 'resolve' | 'names' | 'keys'>;

/** A name that cannot exist is an answer to the question, not a failure to answer it. */
export async function checkName(
  services: Asked,
  name: string,
  options: CallOptions,
): Promise<CheckResult> {
  try {
    const resolved = await services.resolve(name, options);
    const { name: fullName, state, owner, root, claimants } = resolved;
    if (state === 'not-found') return await checkAbsent(services, resolved, options);
    const holder: CheckResult = { name: fullName, available: false };
    if (owner !== undefined) holder.owner = owner;
    if (root !== undefined) holder.root = root;
    if (state === 'contested') holder.error = contestedText(fullName, claimants ?? []);
    if (state === 'expired') holder.error = new AltNetError('NAME_EXPIRED', { name }).message;
    if (state === 'revoked')
      holder.error = new AltNetError('NAME_REVOKED', { name: fullName }).message;
    if (state === 'blocked')
      holder.error = new AltNetError('NAME_BLOCKED', { name: fullName }).message;
    return holder;
  } catch (error) {
    if (!isAltNetError(error, 'BAD_NAME')) throw error;
    return { name, available: false, error: error.message };
  }
}

/** A name below another is there to be had for the owner of that one alone. */
async function checkAbsent(
  services: Asked,
  resolved: ResolveResult,
  options: CallOptions,
): Promise<CheckResult> {
  const { name } = resolved;
  const [, ...rest] = name.split('.');
  if (rest.length < 2) return checkGivenUp(services, resolved);
  const above = rest.join('.');
  const own = await services.names();
  if (own.some((mine) => mine.name === above)) return { name, available: true };
  const { owner } = await services.resolve(above, options);
  const error =
    owner === undefined
      ? `it would stand below ${above}, which nobody holds; take that one first`
      : `it stands below ${above}; only the owner of that can set it`;
  return { name, available: false, ...(owner !== undefined && { owner }), error };
}

/** Who gave a name up can have it back at once; others wait. */
function checkGivenUp(
  services: Asked,
  { name, freeAt, previousOwner, needsCertificate }: ResolveResult,
): CheckResult {
  if (needsCertificate) return { name, available: false, error: needsCertificateText };
  if (freeAt === undefined) return { name, available: true };
  if (previousOwner === services.keys().authorPublicKey) return { name, available: true, freeAt };
  const from = new Date(freeAt * 1000).toISOString();
  return { name, available: false, freeAt, error: `its owner gave it up; free from ${from}` };
}

const needsCertificateText =
  'this node takes only names of its registrars; ask one of them for a certificate';

function contestedText(name: string, owners: readonly string[]): string {
  return new AltNetError('NAME_CONTESTED', { name, owners }).message;
}
