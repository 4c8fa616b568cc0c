/** The node that a doctor looks at: that of this prompt, or the one that uses the data folder. */
import process from 'node:process';
import { systemWorld } from '../../base/clock.ts';
import { withDeadline } from '../../base/abort.ts';
import { readRunFile } from '../../node/runfile.ts';
import type { CommandContext } from '../command.ts';
import { connectToRunning } from '../connect.ts';
import { describeError } from '../tui.ts';
import type { NodeState } from './finding.ts';

/** A node on this machine that takes longer to say who it is will not answer the checks either. */
const connectTimeoutMs = 3000;

/** Rejects with ABORTED only. */
export async function findNode({
  shell,
  folders,
  services,
  signal,
}: Pick<CommandContext, 'shell' | 'folders' | 'services' | 'signal'>): Promise<NodeState> {
  if (!shell) {
    const own = await services();
    return { state: 'running', pid: process.pid, services: own, stats: await own.stats() };
  }
  const pid = (await readRunFile(folders.data).catch(() => undefined))?.pid;
  const { timers } = systemWorld;
  const deadline = { timers, ms: connectTimeoutMs, what: 'its API', signal };
  try {
    return await withDeadline(deadline, async (until): Promise<NodeState> => {
      const running = await connectToRunning(folders.data, { signal: until });
      if (!running) return { state: 'none' };
      return {
        state: 'running',
        pid,
        services: running.services,
        stats: await running.services.stats(),
      };
    });
  } catch (error) {
    signal.throwIfAborted();
    return { state: 'silent', pid, why: describeError(error).message };
  }
}
