/**
 * Asking others to have us knocked at (REACH, the first of its three roles). A knock counts when it
 * brings a nonce that we gave out and comes from a network that we did not ask.
 */
import { sleep } from '../../base/abort.ts';
import { type Bytes, toHex } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import type { Contact } from '../../identity/contact.ts';
import type { Transport } from '../ports.ts';
import { drawDiverse, isGlobal, networkOf } from './draw.ts';
import type { ReachOutcome } from './reachability.ts';

export interface ReachTestOptions {
  /** Nodes asked in one test. */
  readonly helpersMax: number;
  /** How long a knock may take after all have answered. */
  readonly knockWaitMs: number;
}

export const reachTestDefaults: ReachTestOptions = { helpersMax: 4, knockWaitMs: 5000 };

export const nonceBytes = 16;

interface Asked {
  readonly helper: Contact;
  /** Where the knocks of this test came from. */
  readonly networks: Set<string>; // BOUNDED by helpersMax: each nonce counts once
}

export class ReachTest {
  readonly #deps: { readonly transport: Pick<Transport, 'call'>; readonly world: World };
  readonly #options: ReachTestOptions;
  readonly #asked = new Map<string, Asked>(); // BOUNDED by helpersMax for each test under way

  constructor(
    deps: { readonly transport: Pick<Transport, 'call'>; readonly world: World },
    options: ReachTestOptions = reachTestDefaults,
  ) {
    this.#deps = deps;
    this.#options = options;
  }

  /** One test with the help of some of `contacts`. Rejects only when `signal` aborts. */
  async run(contacts: readonly Contact[], signal: AbortSignal): Promise<ReachOutcome> {
    const { timers, random } = this.#deps.world;
    const { helpersMax, knockWaitMs } = this.#options;
    const helpers = drawDiverse(contacts, { count: helpersMax, random });
    const networks = new Set<string>(); // BOUNDED by helpersMax
    const nonces = helpers.map((helper) => this.#giveOut({ helper, networks }));
    try {
      const answers = await Promise.all(
        helpers.map((helper, i) => this.#ask(helper, nonces[i] ?? new Uint8Array(), signal)),
      );
      const promised = answers.filter((accepted) => accepted).length;
      // A promise may get lost on its way while the knock does not, so a refusal is waited for too.
      if (helpers.length > 0) await sleep(timers, knockWaitMs, signal);
      return { promised, networks };
    } finally {
      for (const nonce of nonces) this.#asked.delete(toHex(nonce));
    }
  }

  /** A PING brought this nonce. */
  knocked(by: Contact, nonce: Bytes): void {
    const asked = this.#asked.get(toHex(nonce));
    if (!asked) return;
    this.#asked.delete(toHex(nonce));
    // Who was asked could come through the hole that our own question made in a NAT.
    const sameFamily = isGlobal(by, asked.helper.endpoint.ip.length);
    if (sameFamily && networkOf(by) !== networkOf(asked.helper)) asked.networks.add(networkOf(by));
  }

  #giveOut(asked: Asked): Bytes {
    const nonce = this.#deps.world.random.bytes(nonceBytes);
    this.#asked.set(toHex(nonce), asked);
    return nonce;
  }

  /**
   * Past the caller that feeds the table: how long the answer takes is up to a third node, and must
   * not count against this one.
   */
  async #ask(helper: Contact, nonce: Bytes, signal: AbortSignal): Promise<boolean> {
    const request = { method: 'reach', nonce, target: undefined } as const;
    try {
      return (await this.#deps.transport.call(helper, request, { signal })).reply.accepted;
    } catch {
      signal.throwIfAborted();
      return false;
    }
  }
}
