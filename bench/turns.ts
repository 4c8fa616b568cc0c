/**
 * Measuring several things in turns. Other work on the machine only ever makes a figure worse, so
 * of the times the best counts, for a limit as well as for what is judged by it; of memory the most
 * that was ever seen. It knows nothing of what is measured.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';

/** ALTNET_BENCH_TURNS: 3 unless said otherwise. */
export const turnsWanted: number = Number(process.env['ALTNET_BENCH_TURNS'] ?? '3');

export interface Measured {
  readonly seconds: number;
  /** Of the processor, of all threads and processes that are measured. */
  readonly cpuSeconds?: number | undefined;
  readonly peakMegabytes?: number | undefined;
}

export class Turns {
  readonly #seconds = new Map<string, number>();
  readonly #cpuSeconds = new Map<string, number>();
  readonly #peaks = new Map<string, number>();

  note(name: string, { seconds, cpuSeconds, peakMegabytes }: Measured): void {
    const cpu = cpuSeconds === undefined ? '' : `${cpuSeconds.toFixed(2)} CPU-s, `;
    process.stderr.write(
      `bench:   ${name}: ${seconds.toFixed(2)} s, ${cpu}${peakMegabytes?.toFixed(0) ?? '?'} MB\n`,
    );
    this.#seconds.set(name, Math.min(seconds, this.#seconds.get(name) ?? Infinity));
    if (cpuSeconds !== undefined) {
      this.#cpuSeconds.set(name, Math.min(cpuSeconds, this.#cpuSeconds.get(name) ?? Infinity));
    }
    if (peakMegabytes === undefined) return;
    this.#peaks.set(name, Math.max(peakMegabytes, this.#peaks.get(name) ?? 0));
  }

  /** The shortest time of this name. */
  seconds(name: string): number {
    return this.#seconds.get(name) ?? NaN;
  }

  /** The least time of the processor that this name took; NaN where it is not measured. */
  cpuSeconds(name: string): number {
    return this.#cpuSeconds.get(name) ?? NaN;
  }

  /** The highest peak of this name; undefined where the system tells none. */
  peak(name: string): number | undefined {
    return this.#peaks.get(name);
  }
}

/**
 * What was written before is on the disk when the next measurement begins: its time is not to pay
 * for another one's pages.
 */
export async function settleDisk(): Promise<void> {
  if (process.platform !== 'win32') await promisify(execFile)('sync');
}

export async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'altnet-bench-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
