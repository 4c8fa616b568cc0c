/**
 * Server or client: learns whether strangers reach this node, and helps others to learn the same.
 * Puts the parts of this folder together and runs the tests when they are due. What follows from
 * the answer (holding records, being listed) is not decided here.
 */
import type { Endpoint } from '../../base/address.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import type { Contact } from '../../identity/contact.ts';
import { repeat } from '../loops.ts';
import type { ReachReply, ReachRequest, ReplyInfo, Requester, Transport } from '../ports.ts';
import { isGlobal, networkOf } from './draw.ts';
import { NetworkClock } from './network-clock.ts';
import type { ReachState } from './reachability.ts';
import { ReachService, reachServiceDefaults, type ReachServiceOptions } from './reach-service.ts';
import { ReachTest, reachTestDefaults, type ReachTestOptions } from './reach-test.ts';
import { whyClient } from './reasons.ts';
import {
  families,
  type Family,
  Standing,
  standingDefaults,
  type StandingOptions,
} from './standing.ts';

export interface ModeOptions extends StandingOptions, ReachServiceOptions, ReachTestOptions {
  /** How often it is looked whether something has changed or is due. */
  readonly lookIntervalMs: number;
}

export const modeDefaults: ModeOptions = {
  ...standingDefaults,
  ...reachServiceDefaults,
  ...reachTestDefaults,
  lookIntervalMs: 10_000,
};

export interface ModeDeps {
  readonly transport: Pick<Transport, 'call' | 'knock'>;
  readonly world: World;
  readonly log: Logger;
  /** The routing table: servers that answered us. */
  readonly contacts: () => readonly Contact[];
}

export interface ModeStatus {
  readonly mode: 'server' | 'client';
  /** A client's: why it is none. */
  readonly reason: string | undefined;
  /** Where others see this node, as far as they agree. */
  readonly address: Endpoint | undefined;
  /** What to add to our clock to get that of the others, in seconds. */
  readonly clockOffsetSeconds: number | undefined;
}

export class Mode {
  readonly #deps: ModeDeps;
  readonly #options: ModeOptions;
  readonly #standing: Standing;
  readonly #test: ReachTest;
  readonly #service: ReachService;
  readonly #lifetime = new AbortController();
  #working: Promise<void> | undefined;
  /** What the log was told last. */
  #said: { readonly server: boolean; readonly clockWrong: boolean; readonly alone: boolean };
  #tooFewSinceMs: number | undefined;
  #hasRetired = false;
  readonly clock: NetworkClock;

  constructor(deps: ModeDeps, options: Partial<ModeOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...modeDefaults, ...options };
    const { world } = deps;
    const knowsGlobal = (): boolean => families.some((family) => this.#globals(family).length > 0);
    this.#standing = new Standing(world.clock, knowsGlobal, this.#options);
    this.clock = new NetworkClock(world.clock, this.#standing.clockOffset);
    this.#test = new ReachTest(deps, this.#options);
    const { signal } = this.#lifetime;
    this.#service = new ReachService({ ...deps, signal }, this.#options);
    this.#said = { server: true, clockWrong: false, alone: false };
  }

  /** Begins to test; `isServer` and the hooks below work before. */
  start(): void {
    const { world, log } = this.#deps;
    const { signal } = this.#lifetime;
    this.#working ??= repeat(
      {
        name: 'mode',
        delayMs: () => this.#options.lookIntervalMs,
        run: () => this.#look(),
      },
      { timers: world.timers, log, signal },
    );
  }

  async stop(): Promise<void> {
    if (!this.#lifetime.signal.aborted) this.#lifetime.abort(new AltNetError('ABORTED', {}));
    await this.#working;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** See Standing. */
  readonly isServer = (askerIp?: Bytes): boolean =>
    !this.#hasRetired && this.#standing.isServer(askerIp);

  /** This node is about to stop: from now on it is a server to nobody. */
  retire(): void {
    this.#hasRetired = true;
  }

  /** Where strangers reach this node now: worth remembering for the next run. */
  reachableAt(): readonly Endpoint[] {
    return this.#standing.reachableAt();
  }

  /** Where they did so not long ago. Before `start`. */
  recall(endpoints: readonly Endpoint[]): void {
    for (const endpoint of endpoints) this.#standing.recall(endpoint);
  }

  /** To be told of every answer to a request of ours. */
  readonly observe = (by: Contact, info: ReplyInfo): void => this.#standing.observe(by, info);

  /** Answers REACH; never rejects. */
  readonly reach = (from: Requester, request: ReachRequest): Promise<ReachReply> =>
    this.#service.answer(from, request);

  /** To be told of every PING that brings a nonce. */
  readonly onNonce = (from: Requester, nonce: Bytes): void =>
    this.#test.knocked(from.contact, nonce);

  /** Where others see us by IPv4 (4) or IPv6 (16). */
  address(family: Family): Endpoint | undefined {
    return this.#standing.address(family);
  }

  status(): ModeStatus {
    const server = this.isServer();
    return {
      mode: server ? 'server' : 'client',
      reason: server ? undefined : this.#whyClient(),
      address: this.address(4) ?? this.address(16),
      clockOffsetSeconds: this.#standing.clockOffset.seconds(),
    };
  }

  async #look(): Promise<void> {
    const standing = this.#standing;
    standing.update();
    if (this.#options.role === 'earned') {
      for (const family of families) await this.#testIfDue(family);
      standing.update();
    }
    this.#tell();
  }

  async #testIfDue(family: Family): Promise<void> {
    const { clock } = this.#deps.world;
    const reach = this.#standing.reachability(family);
    const { endpoint } = reach;
    if (!endpoint || !reach.isTestDue(clock.monotonicMs())) return;
    const outcome = await this.#test.run(this.#globals(family), this.#lifetime.signal);
    reach.tested(endpoint, outcome, clock.monotonicMs());
  }

  /** Changes, once each. */
  #tell(): void {
    const { log } = this.#deps;
    const before = this.#said;
    const server = this.isServer();
    const clockWrong = this.#standing.clockOffset.isWrong();
    const alone = before.alone || this.#staysAlone();
    this.#said = { server, clockWrong, alone };
    if (clockWrong && !before.clockWrong) {
      const offsetSeconds = Math.round(this.#standing.clockOffset.seconds() ?? 0);
      log.warn('the clock of this machine is wrong: records may be refused', { offsetSeconds });
    }
    if (server !== before.server) {
      if (server) log.info('now a server: others reach this node');
      else log.info('now a client', { reason: this.#whyClient() });
    } else if (alone && !before.alone) {
      log.info('still a client', { reason: this.#whyClient() });
    }
  }

  /** Whether the network has been too small for a test as long as a test would have taken. */
  #staysAlone(): boolean {
    const nowMs = this.#deps.world.clock.monotonicMs();
    const tooFew = !this.isServer() && this.#networks() < this.#networksMin();
    this.#tooFewSinceMs = tooFew ? (this.#tooFewSinceMs ?? nowMs) : undefined;
    const { stableMs } = this.#options;
    return this.#tooFewSinceMs !== undefined && nowMs - this.#tooFewSinceMs >= stableMs;
  }

  #whyClient(): string {
    const { clockOffset } = this.#standing;
    return whyClient({
      role: this.#options.role,
      state: this.#bestState(),
      networks: this.#networks(),
      networksMin: this.#networksMin(),
      clockOffsetSeconds: clockOffset.seconds(),
      clockWrong: clockOffset.isWrong(),
    });
  }

  /** Of the family in which this node got farthest. */
  #bestState(): ReachState {
    const nowMs = this.#deps.world.clock.monotonicMs();
    const order: readonly ReachState['kind'][] = ['reachable', 'testing', 'symmetric', 'unknown'];
    const states = families.map((family) => this.#standing.reachability(family).state(nowMs));
    const [best] = states.toSorted((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
    return best ?? { kind: 'unknown', votes: 0 };
  }

  #networks(): number {
    return Math.max(
      ...families.map((family) => new Set(this.#globals(family).map(networkOf)).size),
    );
  }

  /** To learn our address, and to be knocked at by others than those asked. */
  #networksMin(): number {
    const { votesMin, networksMin } = this.#options;
    return Math.max(votesMin, networksMin);
  }

  #globals(family: Family): readonly Contact[] {
    return this.#deps.contacts().filter((contact) => isGlobal(contact, family));
  }
}
