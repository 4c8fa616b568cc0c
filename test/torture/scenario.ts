/** What every scenario has in common: what it gets, and how it is told of what went wrong. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { SeededRandom } from '../../sim/random.ts';
import type { Tally } from './tally.ts';

export interface Bench {
  readonly random: SeededRandom;
  /** A folder for everything; kept when something was found. */
  readonly folder: string;
  readonly tally: Tally;
  /** Aborted when the time is over: no further round is begun. */
  readonly signal: AbortSignal;
  /** A line for who watches. */
  readonly say: (line: string) => void;
}

export interface Scenario {
  readonly name: string;
  /** What is done to the nodes, in one line. */
  readonly title: string;
  run(bench: Bench, size: Size): Promise<void>;
}

/** How much of it. */
export interface Size {
  readonly kills: number;
  /** In parallel, each with a folder of its own. */
  readonly lanes: number;
  readonly nodes: number;
  /** How long a network is watched after its clocks jumped; it looks at its records each minute. */
  readonly watchMs: number;
}

/** A new folder of the bench. */
export function folderIn({ folder }: Pick<Bench, 'folder'>, ...names: string[]): string {
  const made = path.join(folder, ...names);
  mkdirSync(made, { recursive: true });
  return made;
}
