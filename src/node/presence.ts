/**
 * What keeps a running node in its network: it finds others at the start, notices when everything
 * may have changed, remembers whom it met, and says goodbye. It makes none of the parts it uses.
 */
import { networkInterfaces } from 'node:os';
import { withDeadline } from '../base/abort.ts';
import type { World } from '../base/clock.ts';
import type { Logger } from '../base/logger.ts';
import type { BootstrapAddress } from './bootstrap.ts';
import { Bootstrapper } from './bootstrapper.ts';
import { type Disturbance, DisturbanceWatch } from './disturbance.ts';
import type { RequestCounts } from './line-silence.ts';
import { rememberedPeers } from './memory.ts';
import type { Parts } from './parts.ts';
import { Upkeep } from './upkeep.ts';

/** How long a start waits for the first peers; it goes on looking for them afterwards. */
const joinWaitMs = 4000;
/** How long an end waits for others to hear of it. */
const leaveMs = 500;

export class Presence {
  readonly #parts: Parts;
  readonly #world: World;
  readonly #log: Logger;
  readonly #bootstrapper: Bootstrapper;
  readonly #upkeep: Upkeep;
  readonly #watch: DisturbanceWatch;

  constructor(parts: Parts, addresses: readonly BootstrapAddress[], log: Logger) {
    this.#parts = parts;
    this.#log = log;
    const { store, dht, mode, peers, sites, relays, world } = parts;
    this.#world = world;
    const { notes } = store;
    const remembered = (): ReturnType<typeof rememberedPeers> => rememberedPeers(notes);
    this.#bootstrapper = new Bootstrapper({ ...parts, log, remembered }, addresses);
    this.#upkeep = new Upkeep({
      notes,
      table: dht.table,
      lost: () => dht.lost(),
      reachableAt: () => mode.reachableAt(),
      addresses: () => peers.addresses(),
      reprovide: (options) => sites.reprovide(options),
      world,
      log,
    });
    relays.onChange(() => this.#upkeep.addressesChanged());
    const onDisturbance = (what: Disturbance): void => this.#wake(what);
    const { transport } = parts;
    this.#watch = new DisturbanceWatch({
      world,
      addresses: ownAddresses,
      requests: () => requestsOf(transport.counters()),
      onDisturbance,
    });
  }

  /** Resolves when the node knows somebody, or soon: a dead address must not hold up a start. */
  async join(signal: AbortSignal | undefined): Promise<void> {
    this.#watch.start();
    const { promise: waited, resolve } = Promise.withResolvers<void>();
    const cancel = this.#world.timers.after(joinWaitMs, resolve);
    try {
      await Promise.race([this.#bootstrapper.start({ signal }), waited]);
    } finally {
      cancel();
    }
    signal?.throwIfAborted();
  }

  /** Begins to note whom it met. */
  settle(): void {
    this.#upkeep.start();
  }

  /** Tells the neighbours; from now on this node is a server to nobody. Never rejects. */
  async leave(): Promise<void> {
    const { dht, mode } = this.#parts;
    const deadline = { timers: this.#world.timers, ms: leaveMs, what: 'leaving' };
    const told = withDeadline(deadline, (signal) => dht.leave({ signal }));
    // Whoever still asks us is told by the reply that we are no server any more.
    mode.retire();
    await told.catch((error: unknown) =>
      this.#log.debug('left in silence', { why: String(error) }),
    );
  }

  async stop(): Promise<void> {
    this.#watch.stop();
    await Promise.all([this.#upkeep.stop(), this.#bootstrapper.stop()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #wake(what: Disturbance): void {
    const { mode, dht, publisher, relays, revocations, waysIn } = this.#parts;
    // The DHT and the bootstrapper noticed by themselves: that is how this is known.
    if (what.kind === 'line') {
      this.#log.info('the way into the network is back');
      publisher.wake();
      return relays.wake();
    }
    this.#log.info('the clock or the network of this machine changed', { ...what });
    if (what.kind === 'clock') mode.clock.moved(what.movedMs);
    dht.wake();
    this.#bootstrapper.wake();
    publisher.wake();
    relays.wake();
    waysIn.wake();
    revocations.wake();
  }
}

function requestsOf(counts: Readonly<Record<string, number>>): RequestCounts {
  return { answered: counts['resp.opened'] ?? 0, unanswered: counts['call.timeout'] ?? 0 };
}

/** Of all interfaces that lead anywhere. */
function ownAddresses(): string {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = all.filter(({ internal }) => !internal).map(({ address }) => address);
  return outside.toSorted().join();
}
