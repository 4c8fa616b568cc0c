/** One run of one scenario: its folder, its randomness, its end, and what came of it. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { seededRandom } from '../../sim/random.ts';
import type { Scenario, Size } from './scenario.ts';
import { Tally } from './tally.ts';

export interface Session {
  readonly seed: number;
  readonly size: Size;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

export interface Ended {
  readonly scenario: Scenario;
  readonly tally: Tally;
  readonly seconds: number;
  /** Kept, because something was found in it. */
  readonly folder: string | undefined;
}

/** Each scenario draws from the seed by itself: alone it does what it does among the others. */
export async function runScenario(
  scenario: Scenario,
  { seed, size, signal, say }: Session,
): Promise<Ended> {
  const tally = new Tally(scenario.name);
  const folder = mkdtempSync(path.join(os.tmpdir(), `altnet-torture-${scenario.name}-`));
  const begun = performance.now();
  try {
    await scenario.run({ random: seededRandom(seed), folder, tally, signal, say }, size);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    tally.found({ kind: 'failure', what, where: scenario.name });
  }
  const seconds = (performance.now() - begun) / 1000;
  if (tally.findings.length > 0) return { scenario, tally, seconds, folder };
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  return { scenario, tally, seconds, folder: undefined };
}
