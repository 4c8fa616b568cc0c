/** All scenarios, in the order in which a run takes them. */
import { blackouts } from './blackout.ts';
import { clocks } from './clocks.ts';
import { cut } from './cut.ts';
import { disk } from './disk.ts';
import { freeze } from './freeze.ts';
import { halves } from './halves.ts';
import { kill } from './kill/kill.ts';
import { migrations } from './kill/migrations.ts';
import { orphans } from './orphans.ts';
import type { Scenario } from './scenario.ts';

export const scenarios: readonly Scenario[] = [
  kill,
  migrations,
  disk,
  clocks,
  freeze,
  cut,
  halves,
  orphans,
  blackouts,
];
