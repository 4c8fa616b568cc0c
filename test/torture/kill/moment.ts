/** When to kill: a random moment of what is going on, as often late in it as early. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../../../sim/random.ts';
import type { RunningNode } from '../running.ts';

const firstSpanMs = 300;
const spanMsMax = 5000;

/** How long each kind of work takes here, learnt from what was let to finish. */
export class Spans {
  readonly #ms = new Map<string, number>(); // BOUNDED by the kinds of operations

  learn(kind: string, ms: number): void {
    const before = this.#ms.get(kind) ?? ms;
    this.#ms.set(kind, Math.min(spanMsMax, before + (ms - before) / 4));
  }

  /** A little beyond the end: what is written behind an acknowledgement is to be hit as well. */
  draw(kind: string, random: SeededRandom): number {
    return random.fraction() * 1.15 * (this.#ms.get(kind) ?? firstSpanMs);
  }
}

const pollMs = 2;

/** Resolves when the process has laid its hand on the store, or has ended. */
export async function claimed(node: RunningNode): Promise<void> {
  const folder = path.join(node.plan.data, 'store');
  const before = new Set(claims(folder));
  while (node.isRunning && claims(folder).every((name) => before.has(name))) await delay(pollMs);
}

function claims(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.startsWith('in-use-by-'));
  } catch {
    return [];
  }
}
