/** A lent holding that takes no more than was agreed: who declared less than it sends is cut off. */
import { lent } from '../lent.ts';
import type { Holding } from '../ports.ts';

/** What was declared is not what came. */
export class Overrun extends Error {
  override readonly name = 'Overrun';
}

/** What is left of what was declared. */
export interface Allowance {
  bytes: number;
  blocks: number;
}

/** The same holding; `putAll` rejects with Overrun, and stores nothing, once it is too much. */
export function capped(holding: Holding, left: Allowance): Holding {
  return {
    ...lent(holding),
    async putAll(blocks) {
      left.blocks -= blocks.length;
      for (const { bytes } of blocks) left.bytes -= bytes.length;
      if (left.blocks < 0 || left.bytes < 0) throw new Overrun('larger than was declared');
      await holding.putAll(blocks);
    },
  };
}
