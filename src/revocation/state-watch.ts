/** Says in the log when lists become stale or fresh: one that is held back must be noticed. */
import { toHex } from '../base/bytes.ts';
import type { Logger } from '../base/logger.ts';
import { type ListState, stateOf } from './freshness.ts';
import type { RevokerList } from './revoker-list.ts';

export class StateWatch {
  readonly #log: Logger;
  /** What was said last of a revoker. BOUNDED by the revokers. */
  readonly #states = new Map<string, ListState>();

  constructor(log: Logger) {
    this.#log = log;
  }

  look(lists: readonly RevokerList[], nowUnixSeconds: number): void {
    for (const list of lists) {
      const revoker = toHex(list.revoker);
      const state = stateOf(list, nowUnixSeconds);
      const before = this.#states.get(revoker);
      this.#states.set(revoker, state);
      const since = list.body?.nextUpdate;
      if (state === 'stale' && before !== 'stale') {
        const fields = { revoker, since };
        this.#log.warn('revocations are stale: the revoker is silent or held back', fields);
      } else if (before === 'stale' && state === 'fresh') {
        this.#log.info('revocations are fresh again', { revoker });
      }
    }
  }
}
