/** What fuzzing runs, and how it says what it found. */
import type { Bytes } from '../../src/base/bytes.ts';
import type { Dice } from './dice.ts';

/** One way into the program from outside. */
export interface Target {
  readonly name: string;
  /** The next input. */
  make(dice: Dice): Bytes;
  /** Whether the input was accepted. Throws when the program breaks a promise. */
  run(input: Bytes): boolean;
}

export interface Tally {
  readonly name: string;
  runs: number;
  accepted: number;
}

/** A broken promise, with all that is needed to see it again. */
export class Finding extends Error {
  constructor(target: string, input: Bytes, cause: unknown) {
    const why = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    super(`${target}: ${why}\ninput: ${Buffer.from(input).toString('hex')}`);
  }
}

/** Runs the targets in turn, `runs` times in all or until `isOver`. Rejects nothing: it throws. */
export function fuzz(
  targets: readonly Target[],
  { dice, runs, isOver = () => false }: { dice: Dice; runs: number; isOver?: () => boolean },
): readonly Tally[] {
  const tallies = targets.map(({ name }): Tally => ({ name, runs: 0, accepted: 0 }));
  for (let run = 0; run < runs; run++) {
    const index = run % targets.length;
    const [target, tally] = [targets[index], tallies[index]];
    if (!target || !tally || (index === 0 && isOver())) break;
    const input = target.make(dice);
    tally.runs += 1;
    try {
      if (target.run(input)) tally.accepted += 1;
    } catch (error) {
      throw new Finding(target.name, input, error);
    }
  }
  return tallies;
}
