/**
 * Whether a service that systemd was told to start gets as far as serving: by what systemd says of
 * its process, and by the word that a node leaves once it is ready. Starts and stops nothing.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Abortable } from '../../base/abort.ts';
import { readRunFile, type RunningServices } from '../../node/runfile.ts';
import { unitName } from './service-unit.ts';
import type { System } from './system.ts';

export type Started =
  | { readonly state: 'ready'; readonly services: RunningServices | undefined }
  /** Its process ended; `why` is the last that the node said. */
  | { readonly state: 'ended'; readonly why: string }
  /** It may well become ready yet. */
  | { readonly state: 'starting' };

export interface StartWatch extends Abortable {
  readonly system: System;
  /** ["--user"] for the services of one user. */
  readonly manager: readonly string[];
  /** The data folder of the node. */
  readonly data: string;
}

/** A first start makes keys and looks at the network: a second or two; a slow disk takes longer. */
const lookEveryMs = 200;
const looksMax = 100;

/** Rejects with the signal's reason only. */
export async function watchStart(watch: StartWatch): Promise<Started> {
  for (let looks = 0; looks < looksMax; looks++) {
    const found = await lookAt(watch);
    if (found) return found;
    await pause(lookEveryMs, undefined, watch.signal && { signal: watch.signal });
  }
  return { state: 'starting' };
}

/** Undefined while nothing can be said. */
async function lookAt({ system, manager, data, signal }: StartWatch): Promise<Started | undefined> {
  const words = [...manager, 'show', '-p', 'MainPID,SubState', unitName];
  const { stdout } = await system.run('systemctl', words, { signal });
  const state = /^SubState=(\S+)$/m.exec(stdout)?.[1];
  if (state === undefined) return { state: 'starting' }; // nobody who would tell more later
  if (state === 'auto-restart' || state === 'failed' || state === 'dead') {
    return { state: 'ended', why: await lastWords({ system, manager, data, signal }) };
  }
  const pid = Number(/^MainPID=(\d+)$/m.exec(stdout)?.[1] ?? 0);
  const left = await readRunFile(system.outside(data)).catch(() => undefined);
  return left?.pid === pid ? { state: 'ready', services: left.services } : undefined;
}

async function lastWords({ system, manager, signal }: StartWatch): Promise<string> {
  const words = [...manager, '-u', unitName, '-n', '20', '-o', 'cat', '--no-pager'];
  const { stdout } = await system.run('journalctl', words, { signal });
  const said = stdout.split('\n').findLast((line) => line.startsWith('altnet: '));
  return said?.slice('altnet: '.length, 300) ?? `it ended; see why: journalctl -u ${unitName}`;
}
