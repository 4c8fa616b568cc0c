/**
 * A relay has an address of each family, and a node that wants a place uses one of them. The other
 * is announced as well once somebody got through there: who has no other family finds no way else,
 * and no relay shall have a node announce an address of somebody who knows nothing of it.
 */
import { withDeadline } from '../../base/abort.ts';
import { type Endpoint, scopeOf } from '../../base/address.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import type { RelayedAddress } from '../peer-address.ts';

/** As long as a test of the place itself. */
const probeMs = 12_000;
/** One test may fail in a bad moment. */
const failuresMax = 2;

export interface OtherWayDeps {
  readonly world: Pick<World, 'timers'>;
  /** Whether others get through there to this node: rejects when not. */
  readonly probe: (way: RelayedAddress, signal: AbortSignal) => Promise<void>;
  readonly onChange: () => void;
  /** The user of this node named the relay by a name that has both addresses: no test is needed. */
  readonly isNamed?: boolean | undefined;
}

export class OtherWay {
  readonly address: RelayedAddress;
  readonly #deps: OtherWayDeps;
  readonly #stopping = new AbortController();
  #isProven: boolean;
  #failures = 0;
  #testing: Promise<void> | undefined;

  constructor(address: RelayedAddress, deps: OtherWayDeps) {
    this.address = address;
    this.#deps = deps;
    this.#isProven = deps.isNamed === true;
  }

  /** Whether the last test passed, or the one before it. */
  get isProven(): boolean {
    return this.#isProven;
  }

  /** Tests it once more, unless that goes on. */
  test(): void {
    if (this.#deps.isNamed === true || this.#stopping.signal.aborted) return;
    this.#testing ??= this.#test().finally(() => (this.#testing = undefined));
  }

  /** Resolves when no test is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await this.#testing;
  }

  /** Never rejects. */
  async #test(): Promise<void> {
    const { world, probe } = this.#deps;
    const { signal } = this.#stopping;
    const limits = { timers: world.timers, ms: probeMs, what: 'testing a relay', signal };
    const hasPassed = await withDeadline(limits, (inTime) => probe(this.address, inTime)).then(
      () => true,
      () => false,
    );
    if (signal.aborted) return;
    this.#failures = hasPassed ? 0 : this.#failures + 1;
    const isProven = hasPassed || (this.#isProven && this.#failures < failuresMax);
    if (isProven === this.#isProven) return;
    this.#isProven = isProven;
    this.#deps.onChange();
  }
}

/** Of what a relay says of itself, the first address of the other family that leads as far. */
export function otherFamilyOf(
  endpoint: Endpoint,
  said: readonly Endpoint[] = [],
): Endpoint | undefined {
  return said.find(
    ({ ip }) => ip.length !== endpoint.ip.length && scopeOf(ip) === scopeOf(endpoint.ip),
  );
}
