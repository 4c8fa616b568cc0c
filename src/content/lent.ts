/** A holding in the hands of somebody who only writes into it: its owner alone closes it. */
import type { Holding } from './ports.ts';

/** The same holding, what was set aside for it included; closing it does nothing. */
export function lent(holding: Holding): Holding {
  return {
    putAll: (blocks) => holding.putAll(blocks),
    adopt: (hashes, options) => holding.adopt(hashes, options),
    reserve: (bytes) => holding.reserve(bytes),
    requireRoom: (bytes) => holding.requireRoom(bytes),
    complete: (root) => holding.complete(root),
    close: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
