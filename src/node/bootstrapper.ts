/**
 * When a node asks at the addresses that it was given: all at once at the start, later those where
 * nobody was ever met, and all again while it knows nobody. Each has a pace of its own, so that one
 * that is dead holds up no other. How an address becomes a contact, bootstrap.ts knows.
 *
 *   in:  start, wake (something changed), a timer
 *   out: WHO to an address, then `join` with who answered
 */
import type { Abortable } from '../base/abort.ts';
import { AltNetError } from '../base/errors.ts';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { Nudge, repeat } from '../dht/loops.ts';
import type { Transport } from '../dht/ports.ts';
import type { Contact } from '../identity/contact.ts';
import { type BootstrapAddress, contactAt, HostNames } from './bootstrap.ts';

export interface JoiningDht {
  join(seeds: readonly Contact[], options: { signal: AbortSignal }): Promise<number>;
  readonly table: { readonly size: number };
}

export interface BootstrapperDeps {
  readonly transport: Pick<Transport, 'identify'>;
  readonly dht: JoiningDht;
  readonly world: World;
  readonly log: Logger;
  /** Contacts that are worth a try without being named: those of the last run. */
  readonly remembered: () => readonly Contact[];
}

/** An address is tried again after so long, then ever later … */
const retryMinMs = 1000;
/** … up to this, and up to this while nobody is known. */
const retryMaxMs = 60_000;
const aloneMaxMs = 15_000;
/** How often it is looked whether somebody is known. */
const checkMs = 5000;
const [jitterMin, jitterMax] = [0.75, 1.25];

interface Target {
  readonly address: BootstrapAddress;
  readonly nudge: Nudge;
  /** Whether a node was ever met there. */
  reached: boolean;
  /** Whether the log was told that there is none. */
  told: boolean;
  delayMs: number;
  /** Monotonic. */
  dueMs: number;
}

export class Bootstrapper {
  readonly #deps: BootstrapperDeps;
  readonly #targets: readonly Target[]; // BOUNDED by mergeAddresses
  readonly #names = new HostNames();
  readonly #stopping = new AbortController();
  /** Who answered and was not yet joined at. BOUNDED by the targets */
  #answered: Contact[] = [];
  #joining: Promise<void> | undefined;
  #started: Promise<void> | undefined;
  #work: Promise<unknown> | undefined;

  constructor(deps: BootstrapperDeps, addresses: readonly BootstrapAddress[]) {
    this.#deps = deps;
    this.#targets = addresses.map((address) => ({
      address,
      nudge: new Nudge(),
      reached: false,
      told: false,
      delayMs: retryMinMs,
      dueMs: 0,
    }));
  }

  /**
   * Tries all; goes on in the background. Resolves with the size of the table as soon as one way
   * into the network was found, or none.
   */
  async start({ signal }: Abortable = {}): Promise<number> {
    const { dht } = this.#deps;
    const onAbort = (): void => this.#stopping.abort(new AltNetError('ABORTED', {}));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    this.#started ??= this.#begin();
    await this.#started;
    signal?.removeEventListener('abort', onAbort);
    return dht.table.size;
  }

  /** Something changed: what failed is tried at once. */
  wake(): void {
    for (const target of this.#targets) {
      target.delayMs = retryMinMs;
      target.dueMs = 0;
      target.nudge.now();
    }
  }

  /** Resolves when nothing is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#work;
  }

  /** Never rejects. */
  async #begin(): Promise<void> {
    const { dht, remembered } = this.#deps;
    const { promise: found, resolve } = Promise.withResolvers<void>();
    const until = async (attempt: Promise<void>): Promise<void> => {
      await attempt;
      if (dht.table.size > 0) resolve();
    };
    const first = this.#targets.map((target) => until(this.#try(target)));
    // Apart from the others: most of them may be gone, and that takes a while to find out.
    const earlier = remembered();
    const all = Promise.all([...first, until(this.#join(earlier))]);
    this.#work = all.then(() => this.#keepTrying());
    await Promise.race([found, all]);
  }

  async #keepTrying(): Promise<void> {
    const { world, log } = this.#deps;
    const { signal } = this.#stopping;
    const rounds = this.#targets.map((target) => {
      const delayMs = (): number => this.#untilLook(target);
      const run = (): Promise<void> => this.#tryIfDue(target);
      const round = { name: 'bootstrap', delayMs, run, nudge: target.nudge };
      return repeat(round, { timers: world.timers, log, signal });
    });
    await Promise.all(rounds);
  }

  #isWanted({ reached }: Target): boolean {
    return !reached || this.#deps.dht.table.size === 0;
  }

  #untilLook(target: Target): number {
    const leftMs = Math.max(0, target.dueMs - this.#deps.world.clock.monotonicMs());
    return this.#isWanted(target) ? Math.min(leftMs, checkMs) : checkMs;
  }

  async #tryIfDue(target: Target): Promise<void> {
    const { dht, world } = this.#deps;
    const isAlone = dht.table.size === 0;
    if (!this.#isWanted(target)) target.delayMs = retryMinMs;
    // What was put off while others were known is not put off any more.
    const latestMs = (isAlone ? aloneMaxMs : retryMaxMs) * jitterMax;
    const leftMs = target.dueMs - world.clock.monotonicMs();
    if (!this.#isWanted(target) || (leftMs > 0 && leftMs <= latestMs)) return;
    await this.#try(target);
  }

  /** Never rejects. */
  async #try(target: Target): Promise<void> {
    const { transport, world, log, dht } = this.#deps;
    const { signal } = this.#stopping;
    const { address } = target;
    try {
      const contact = await contactAt(address, transport, { world, names: this.#names, signal });
      target.reached = true;
      this.#answered.push(contact);
      this.#joining ??= this.#joinAnswered().finally(() => {
        this.#joining = undefined;
      });
      await this.#joining;
    } catch (error) {
      if (signal.aborted) return;
      const fields = { address: address.text, why: reasonOf(error) };
      if (target.told) log.debug('bootstrap failed again', fields);
      else log.warn('bootstrap failed', fields);
      target.told = true;
    }
    const latestMs = dht.table.size === 0 ? aloneMaxMs : retryMaxMs;
    const jitter = jitterMin + (jitterMax - jitterMin) * world.random.fraction();
    target.dueMs = world.clock.monotonicMs() + target.delayMs * jitter;
    target.delayMs = Math.min(2 * target.delayMs, latestMs);
  }

  /** One after another, as each looks around in the network; who answers meanwhile comes next. */
  async #joinAnswered(): Promise<void> {
    while (this.#answered.length > 0) await this.#join(this.#answered.splice(0));
  }

  /** Never rejects. */
  async #join(seeds: readonly Contact[]): Promise<void> {
    const { dht, log } = this.#deps;
    const { signal } = this.#stopping;
    if (signal.aborted || seeds.length === 0) return;
    try {
      await dht.join(seeds, { signal });
    } catch (error) {
      if (!signal.aborted) log.warn('joining failed', { why: reasonOf(error) });
    }
  }
}
