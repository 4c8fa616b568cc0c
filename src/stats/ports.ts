/** What the counting of visits asks of its neighbours: `store` implements the notes. */
import type { Bytes } from '../base/bytes.ts';

export interface StatsNote {
  readonly name: string;
  readonly value: Bytes;
}

/** Small things that survive a restart, as bytes under a text. */
export interface StatsNotes {
  list(prefix: string): readonly StatsNote[];
  /** All or none; resolves when a crash of this process can no longer undo it. */
  putAll(notes: readonly StatsNote[]): Promise<void>;
  removeAll(names: readonly string[]): Promise<void>;
}

/** One answered request. */
export interface Served {
  /** The site's name without ".alt" and what stands before it: "alice". */
  readonly name: string;
  /** Of the body, as they went out. */
  readonly bytes: number;
  /** Who asked. */
  readonly ip: string;
}
