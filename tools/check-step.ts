/**
 * One check of `npm test` as a process of its own, with a limit on how long it may take: what came
 * of it, and what of its output is worth reading. Which checks there are is said in check.ts.
 */
import { spawn } from 'node:child_process';
import os from 'node:os';
import process from 'node:process';
import { systemWorld, type Timers } from '../src/base/clock.ts';

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
const interrupted = 'Interrupted while running:';
const linesShown = 30;

export function runStep(
  { args, inBackground, limitMs }: Step,
  { cwd, timers = systemWorld.timers }: { readonly cwd: string; readonly timers?: Timers },
): Promise<Outcome> {
  const started = performance.now();
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
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
    cancel = timers.after(graceMs, () => child.kill('SIGKILL'));
  });
  child.on('error', (error) => (output += error.message));
  child.on('close', (code) => {
    cancel();
    resolve({
      code: code || Number(isOverdue),
      output,
      ms: performance.now() - started,
      isOverdue,
    });
  });
  return promise;
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
