/** Runs a test in a simulated network; when it fails, says how to see the same failure again. */
import { execFileSync } from 'node:child_process';
import process from 'node:process';
import type { SimTest } from './own-thread.ts';
import { Simulation, type SimOptions } from './simulation.ts';

/** The same in every run, so that a failure is one of the change at hand; SIM_SEED tries others. */
const defaultSeed = 20_260_101;

export function simSeed(): number {
  const text = process.env['SIM_SEED'];
  return text === undefined ? defaultSeed : Number(text);
}

/** Starts the network, runs `body` in it and takes it down. */
export async function simulate(
  t: Pick<SimTest, 'diagnostic'>,
  options: Partial<SimOptions> & Pick<SimOptions, 'nodes'>,
  body: (sim: Simulation) => Promise<void>,
): Promise<void> {
  const seed = simSeed();
  const sim = new Simulation({ seed, ...options });
  try {
    await sim.start();
    await body(sim);
    await sim.stop();
  } catch (error) {
    t.diagnostic(`to see this again: SIM_SEED=${seed} at commit ${commit()}`);
    throw error;
  }
  const hours = (sim.world.nowMs / 3_600_000).toFixed(1);
  t.diagnostic(`seed ${seed}: ${hours} virtual hours, ${sim.network.requests} requests`);
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim();
  } catch {
    return 'unknown (no git here)';
  }
}
