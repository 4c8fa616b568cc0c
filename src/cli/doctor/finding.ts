/** What a check of `altnet doctor` is given, and what it says. It knows no check. */
import type { StatsResult } from '../../api/ports-network.ts';
import type { NodeServices } from '../../api/ports.ts';
import type { BootstrapAnswer } from '../../node/ask-bootstraps.ts';
import type { Folders } from '../folders.ts';
import type { ZoneQuestion } from '../setup/zone.ts';

/** warn: it works, or will for a while. fail: something does not work until somebody acts. */
export type FindingStatus = 'ok' | 'warn' | 'fail' | 'skipped';

export type Finding =
  | { readonly status: 'ok' | 'skipped'; readonly found: string }
  | {
      readonly status: 'warn' | 'fail';
      readonly found: string;
      /** One sentence that says what to do, with the command where there is one. */
      readonly advice: string;
    };

export const ok = (found: string): Finding => ({ status: 'ok', found });
export const skipped = (found: string): Finding => ({ status: 'skipped', found });
export const warn = (found: string, advice: string): Finding => ({ status: 'warn', found, advice });
export const fail = (found: string, advice: string): Finding => ({ status: 'fail', found, advice });

/** The node that runs on the data folder. */
export type NodeState =
  | { readonly state: 'none' }
  /** There is one, and it does not answer. */
  | { readonly state: 'silent'; readonly pid: number | undefined; readonly why: string }
  | {
      readonly state: 'running';
      readonly pid: number | undefined;
      readonly services: NodeServices;
      readonly stats: StatsResult;
    };

/** A place where a node listens, or would. */
export interface ServicePort {
  /** The option: "listen", "gateway". */
  readonly service: string;
  /** host:port. */
  readonly address: string;
  readonly protocols: readonly ('udp' | 'tcp')[];
  /** The user chose it, so it does not move to the next free one. */
  readonly explicit: boolean;
  /** The service of the system listens there by its unit; who holds its ports only root sees. */
  readonly ofService?: true;
}

export interface CheckContext {
  readonly version: string;
  readonly folders: Folders;
  readonly node: NodeState;
  readonly ports: readonly ServicePort[];
  /** How names end and where the authority is, where the user says so. */
  readonly zone?: Pick<ZoneQuestion, 'tld' | 'caDir'> | undefined;
  /** What blocks may take; of a running node its own. */
  readonly budgetBytes: number;
  /** Asked once, for all checks. Rejects with BAD_ADDRESS, PATH_UNREADABLE or BIND_FAILED. */
  readonly bootstraps: () => Promise<readonly BootstrapAnswer[]>;
  /** Unix milliseconds. */
  readonly nowMs: () => number;
  /** Aborts when the check has no time left. */
  readonly signal: AbortSignal;
}

export interface Check {
  readonly name: string;
  /** At least one finding. What it rejects with is a finding as well. */
  readonly run: (context: CheckContext) => Promise<readonly Finding[]>;
}

/** A long id or list cut to what a line holds. */
export function shorten(items: readonly string[], max = 5): string {
  const more = items.length > max ? `, and ${items.length - max} more` : '';
  return `${items.slice(0, max).join(', ')}${more}`;
}
