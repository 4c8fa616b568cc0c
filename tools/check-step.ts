/**
 * One check of `npm test` as a process of its own, with a limit on how long it may take: what came
 * of it, and what of its output is worth reading. Whatever it started ends with it. Which checks
 * there are is said in check.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import os from 'node:os';
import process from 'node:process';
import { systemWorld, type Timers } from '../src/base/clock.ts';
import { systemCode } from '../src/base/errors.ts';

export interface Step {
  /** Of Node.js. */
  readonly args: readonly string[];
  /** Runs in virtual time, and gets what those leave that wait for real time now and then. */
  readonly inBackground?: boolean;
  /** So long it may take, on the slowest machine; then it is ended. */
  readonly limitMs: number;
}

export interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly ms: number;
  /** It was ended at its limit. */
  readonly isOverdue: boolean;
}

/** Node's test runner says what it was running when it is asked to end, if it still can. */
const graceMs = 20_000;
/** Where there are process groups, a check is one, with all that it starts. */
const hasGroups: boolean = process.platform !== 'win32';
const interrupted = 'Interrupted while running:';
const linesShown = 30;

/** When `signal` aborts, the check is asked to end. */
export function runStep(
  { args, inBackground, limitMs }: Step,
  {
    cwd,
    signal,
    timers = systemWorld.timers,
  }: { readonly cwd: string; readonly signal?: AbortSignal; readonly timers?: Timers },
): Promise<Outcome> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const child = spawn(process.execPath, args, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: hasGroups,
  });
  if (inBackground && child.pid !== undefined) {
    os.setPriority(child.pid, os.constants.priority.PRIORITY_BELOW_NORMAL);
  }
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  let isOverdue = false;
  let cancel = timers.after(limitMs, () => {
    isOverdue = true;
    child.kill('SIGTERM');
    insist();
  });
  const insist = (): void => {
    cancel();
    cancel = timers.after(graceMs, () => endGroup(child, 'SIGKILL'));
  };
  const interrupt = (): void => {
    endGroup(child, 'SIGTERM');
    insist();
  };
  signal?.addEventListener('abort', interrupt);
  child.on('error', (error) => (output += error.message));
  // What a test left behind may hold the output open: it ends before that is waited for.
  child.on('exit', () => endGroup(child, 'SIGKILL'));
  child.on('close', (code) => {
    cancel();
    signal?.removeEventListener('abort', interrupt);
    resolve({
      code: (code ?? 1) || Number(isOverdue),
      output,
      ms: performance.now() - started,
      isOverdue,
    });
  });
  return promise;
}

/** Reaches the check and all that it started and that is still there, and nobody else. */
function endGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  const { pid } = child;
  if (pid === undefined) return;
  if (!hasGroups) {
    child.kill(signal);
    return;
  }
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // Nobody is left, or (macOS) nobody who still runs.
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error;
  }
}

/** Of a failure what explains it; of a success only which tests did not run, and why. */
export function worthReading({ code, output, isOverdue }: Outcome): string {
  if (isOverdue) return whatWasRunning(output);
  if (code !== 0) return output.slice(Math.max(0, output.indexOf('✖ failing tests:'))).trimEnd();
  return output
    .split('\n')
    .filter((line) => line.trimStart().startsWith('﹣'))
    .map((line) => `       not run: ${line.trim().slice(2)}`)
    .join('\n');
}

/** The tests that were running, with their files; else the last that was heard. */
function whatWasRunning(output: string): string {
  const lines = output.split('\n');
  const at = lines.indexOf(interrupted);
  const running = at < 0 ? [] : lines.slice(at).filter((line) => line.startsWith('⚠ '));
  if (running.length > 0) {
    return ['took too long, and was ended while these were running:', ...running].join('\n');
  }
  const last = lines.filter((line) => line.trim() !== '').slice(-linesShown);
  return ['took too long, and does not say over what; the last it said:', ...last].join('\n');
}
