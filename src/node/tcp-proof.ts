/**
 * Whether others connect to this node at its address from outside, which the tests of the DHT say
 * nothing of: those are about UDP, and routers let each in by itself. Only what was proven is
 * announced (docs/spec/nat.md, "Proof"). How one test goes, peer/reach knows.
 */
import { type Endpoint, formatEndpoint, scopeOf } from '../base/address.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import { repeat } from '../dht/loops.ts';
import type { Observer } from '../peer/punch/probe.ts';

export type TcpTest = (goal: {
  readonly port: number;
  readonly helpers: readonly Observer[];
  readonly signal: AbortSignal;
}) => Promise<'reached' | 'unreached' | 'unknown'>;

export interface TcpProofDeps {
  readonly world: World;
  readonly log: Logger;
  /** Where this node may be reached; undefined when there is nothing to prove. */
  readonly candidate: () => Endpoint | undefined;
  readonly helpers: () => readonly Observer[];
  readonly test: TcpTest;
  readonly onChange: () => void;
}

export interface TcpProofOptions {
  /** How often it is looked whether a test is due. */
  readonly lookMs: number;
  /** A test that brought nothing is repeated after so long, then ever later … */
  readonly retryMinMs: number;
  /** … up to this; what was proven is proven again after it. */
  readonly retryMaxMs: number;
}

const minuteMs = 60_000;
const defaults: TcpProofOptions = {
  lookMs: 5000,
  retryMinMs: minuteMs,
  retryMaxMs: 60 * minuteMs,
};
/** Failed tests in a row after which it counts as unreachable. */
const failuresMax = 2;

export class TcpProof {
  readonly #deps: TcpProofDeps;
  readonly #options: TcpProofOptions;
  readonly #lifetime = new AbortController();
  #working: Promise<void> | undefined;
  #at: Endpoint | undefined;
  #isProven = false;
  #failures = 0;
  #delayMs: number;
  #dueMs = 0;

  constructor(deps: TcpProofDeps, options: Partial<TcpProofOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaults, ...options };
    this.#delayMs = this.#options.retryMinMs;
  }

  start(): void {
    const { world, log } = this.#deps;
    const { signal } = this.#lifetime;
    const { lookMs } = this.#options;
    const round = { name: 'tcp proof', delayMs: () => lookMs, run: () => this.#look() };
    this.#working ??= repeat(round, { timers: world.timers, log, signal });
  }

  async stop(): Promise<void> {
    if (!this.#lifetime.signal.aborted) this.#lifetime.abort(new AltNetError('ABORTED', {}));
    await this.#working;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Where strangers connected to this node not long ago. */
  proven(): Endpoint | undefined {
    return this.#isProven ? this.#at : undefined;
  }

  async #look(): Promise<void> {
    const { candidate, helpers, test, world } = this.#deps;
    const at = candidate();
    if (!at || scopeOf(at.ip) !== 'global') return this.#become(undefined, false);
    const isNew = !this.#at || formatEndpoint(this.#at) !== formatEndpoint(at);
    if (isNew) {
      this.#become(at, false);
      this.#dueMs = 0;
      this.#delayMs = this.#options.retryMinMs;
    }
    if (world.clock.monotonicMs() < this.#dueMs) return;
    const known = helpers();
    const goal = { port: at.port, helpers: known, signal: this.#lifetime.signal };
    const result = known.length === 0 ? 'unknown' : await test(goal);
    this.#failures = result === 'unreached' ? this.#failures + 1 : 0;
    if (result === 'reached') this.#become(at, true);
    if (this.#failures >= failuresMax) this.#become(at, false);
    const { retryMinMs, retryMaxMs } = this.#options;
    if (result === 'reached') this.#delayMs = retryMaxMs;
    else if (this.#isProven || result === 'unknown') this.#delayMs = retryMinMs;
    else this.#delayMs = Math.min(2 * this.#delayMs, retryMaxMs);
    // Without anybody to ask, it is looked again soon: a node that starts knows nobody yet.
    const waitMs = known.length === 0 ? 0 : this.#delayMs;
    this.#dueMs = world.clock.monotonicMs() + waitMs;
  }

  #become(at: Endpoint | undefined, isProven: boolean): void {
    const wasProven = this.#isProven;
    this.#at = at;
    this.#isProven = isProven;
    if (isProven === wasProven) return;
    const { log, onChange } = this.#deps;
    if (isProven) log.info('others connect to this node', { port: at?.port });
    else log.info('others do not connect to this node any more');
    onChange();
  }
}
