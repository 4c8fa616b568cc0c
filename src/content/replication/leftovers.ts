/**
 * Puts in order what is no longer as it was: versions that were replaced go after a while, records
 * of what is gone are withdrawn, what is here and unknown is announced, and what lost blocks is
 * completed again.
 */
import type { Bytes } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import { LruMap } from '../../base/limits.ts';
import type { Logger } from '../../base/logger.ts';
import { forEachOf } from '../../base/parallel.ts';
import { repeat } from '../../dht/loops.ts';
import type { Background } from '../background.ts';
import type { Custody } from '../custody.ts';
import type { HeldRoot, Holding, Holdings } from '../ports.ts';
import type { Announcer } from '../provide.ts';
import { hashKey } from '../dag/root.ts';
import { StreamSlots } from '../exchange/stream-slots.ts';

export interface LeftoversDeps {
  readonly holdings: Holdings;
  readonly custody: Custody;
  readonly announcer: Announcer;
  readonly background: Background;
  readonly world: World;
  readonly log: Logger;
}

/** Records that are withdrawn or published at the same time. */
const recordsAtOnce = 4;
const everyMsMax = 600_000;
/** What could not be completed is tried again after this long, and each time later. */
const retryMinMs = 60_000;
const retryMaxMs = 6 * 3_600_000;

export class Leftovers {
  readonly #deps: LeftoversDeps;
  readonly #graceMs: number;
  readonly #slots = new StreamSlots(recordsAtOnce);
  readonly #stopping = new AbortController();
  /** Roots that could not be completed. BOUNDED by its size. */
  readonly #retries = new LruMap<string, { readonly atMs: number; readonly delayMs: number }>(1024);
  #working: Promise<unknown> | undefined;

  /** `graceMs`: how long a version that was replaced stays. */
  constructor(deps: LeftoversDeps, graceMs: number) {
    this.#deps = deps;
    this.#graceMs = graceMs;
  }

  start(): void {
    const { holdings, background, world, log } = this.#deps;
    const { signal } = this.#stopping;
    holdings.onRemoved(({ hash }) => background.add(this.#withdraw(hash)));
    const everyMs = Math.min(Math.max(this.#graceMs / 8, 1000), everyMsMax);
    const delayMs = (): number => everyMs * (0.75 + 0.5 * world.random.fraction());
    const context = { timers: world.timers, log, signal };
    background.add(this.#reconcile(signal));
    this.#working ??= Promise.all([
      repeat({ name: 'drop old versions', delayMs, run: () => this.#drop() }, context),
      repeat(
        { name: 'complete again', delayMs: () => everyMs / 4, run: () => this.#restoreOne() },
        context,
      ),
    ]);
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#working;
  }

  /** A crash may have come between a change of the store and the record that tells of it. */
  async #reconcile(signal: AbortSignal): Promise<void> {
    const { holdings, announcer } = this.#deps;
    const announced = announcer.announced();
    const known = new Set(announced.map(hashKey));
    const gone = announced.filter((hash) => holdings.get(hash)?.complete !== true);
    const silent = [...holdings.list()].filter(
      ({ hash, complete }) => complete && !known.has(hashKey(hash)),
    );
    await forEachOf(gone, recordsAtOnce, (hash) => announcer.withdraw(hash, { signal }));
    await forEachOf(silent, recordsAtOnce, async ({ hash }) => {
      await announcer.provide({ hash }, { signal });
    });
  }

  async #withdraw(hash: Bytes): Promise<void> {
    const { signal } = this.#stopping;
    const give = await this.#slots.take('all', signal);
    try {
      await this.#deps.announcer.withdraw(hash, { signal });
    } finally {
      give();
    }
  }

  async #drop(): Promise<void> {
    const { holdings, world } = this.#deps;
    const untilMs = world.clock.unixMs() - this.#graceMs;
    const old = [...holdings.list()].filter(
      ({ kind, keep, supersededMs = Infinity }) =>
        kind !== 'visited' && !keep && supersededMs <= untilMs,
    );
    for (const { hash } of old) await holdings.remove(hash);
  }

  /** The next of those that should be complete and are not; one at a time. */
  async #restoreOne(): Promise<void> {
    const { holdings, log } = this.#deps;
    const nowMs = this.#deps.world.clock.monotonicMs();
    for (const root of holdings.list()) {
      if (root.complete || root.kind === 'visited' || root.supersededMs !== undefined) continue;
      const key = hashKey(root.hash);
      const before = this.#retries.get(key);
      if (before && nowMs < before.atMs) continue;
      const delayMs = Math.min(2 * (before?.delayMs ?? retryMinMs / 2), retryMaxMs);
      this.#retries.set(key, { atMs: nowMs + delayMs, delayMs });
      await this.#restore(root);
      log.info('a damaged copy is complete again', { kind: root.kind });
      return;
    }
  }

  async #restore({ codec, hash, kind, from }: HeldRoot): Promise<void> {
    const { holdings, custody, announcer } = this.#deps;
    const link = { codec, hash };
    const into = (): Promise<Holding> => holdings.open({ kind, root: link, from });
    const { signal } = this.#stopping;
    await custody.bring({ link, into, signal });
    await announcer.provide(link, { signal });
  }
}
