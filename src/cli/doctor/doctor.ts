/** Runs the checks side by side, each within its time, and gives what they found in their order. */
import { untilAborted, withDeadline } from '../../base/abort.ts';
import { type World, systemWorld } from '../../base/clock.ts';
import { isAltNetError } from '../../base/errors.ts';
import { describeError } from '../tui.ts';
import { authority } from './authority.ts';
import { bootstrap } from './bootstrap.ts';
import { browser } from './browser.ts';
import { certificates } from './certificates.ts';
import { clock } from './clock.ts';
import { disk } from './disk.ts';
import { dns } from './dns.ts';
import { type Check, type CheckContext, fail, type Finding, warn } from './finding.ts';
import { folders } from './folders.ts';
import { keys } from './keys.ts';
import { lists } from './lists.ts';
import { names } from './names.ts';
import { peers } from './peers.ts';
import { ports } from './ports.ts';
import { reachability } from './reachability.ts';
import { revocations } from './revocations.ts';
import { runtime } from './runtime.ts';
import { service } from './service.ts';

export const checks: readonly Check[] = [
  runtime,
  service,
  folders,
  keys,
  disk,
  ports,
  clock,
  bootstrap,
  peers,
  reachability,
  lists,
  revocations,
  names,
  certificates,
  browser,
  dns,
  authority,
];

export type CheckedFinding = { readonly check: string } & Finding;

/** With what is found out before it, and the end of the program, ten seconds in all. */
export const checkTimeoutMs = 6500;

/** Rejects with ABORTED only. */
export async function examine(
  context: Omit<CheckContext, 'signal'>,
  {
    signal,
    timers = systemWorld.timers,
    timeoutMs = checkTimeoutMs,
    list = checks,
  }: {
    signal?: AbortSignal | undefined;
    timers?: World['timers'];
    timeoutMs?: number;
    list?: readonly Check[];
  } = {},
): Promise<readonly CheckedFinding[]> {
  const findings = await Promise.all(
    list.map(async ({ name, run }) => {
      const found = await examineOne({ name, run }, { context, timers, timeoutMs, signal });
      return found.map((finding) => ({ check: name, ...finding }));
    }),
  );
  return findings.flat();
}

interface Examination {
  readonly context: Omit<CheckContext, 'signal'>;
  readonly timers: World['timers'];
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

async function examineOne(
  { name, run }: Check,
  { context, timers, timeoutMs, signal: given }: Examination,
): Promise<readonly Finding[]> {
  try {
    const deadline = { timers, ms: timeoutMs, what: `the check "${name}"`, signal: given };
    return await withDeadline(deadline, (signal) =>
      untilAborted(run({ ...context, signal }), signal),
    );
  } catch (error) {
    given?.throwIfAborted();
    const found = describeError(error).message;
    if (isAltNetError(error, 'TIMEOUT'))
      return [warn(found, 'try again when the machine is less busy')];
    return [fail(found, 'mend what this says, then run altnet doctor again')];
  }
}
