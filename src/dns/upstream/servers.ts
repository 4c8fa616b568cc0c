/**
 * Which resolver is asked first: those that worked in their order, then those that did not lately.
 * The list of the system is read again and again, as machines move between networks. Knows nothing
 * of questions.
 */
import type { HostPort } from '../../base/address.ts';
import type { Clock } from '../../base/clock.ts';
import type { ReadSystem } from './system.ts';

export interface Server extends HostPort {
  /** One after the other, without an answer. */
  failures: number;
  /** It has not answered yet. */
  isNew: boolean;
  /** Monotonic milliseconds: until then others go first. */
  restUntilMs: number;
  /** It asks us what we ask it. */
  isLoop: boolean;
}

export interface ServersDeps {
  readonly clock: Clock;
  /** What the user chose; empty: those of the system. */
  readonly chosen: readonly HostPort[];
  readonly readSystem: ReadSystem;
  /** Whether this is where we listen ourselves. */
  readonly isOwn: (server: HostPort) => boolean;
}

const readAgainMs = 5000;
const restMs = 1000;
const restMaxMs = 60_000;

export class Servers {
  readonly #deps: ServersDeps;
  #servers: readonly Server[] = []; // BOUNDED by the list that was chosen, or read
  #search: readonly string[] = []; // BOUNDED by who reads it
  #readAtMs: number | undefined;
  #reading: Promise<void> | undefined;

  constructor(deps: ServersDeps) {
    this.#deps = deps;
  }

  /** In the order of the list, also those that ask us. */
  get all(): readonly Server[] {
    return this.#servers;
  }

  /** What programs of this system append to names that they did not find. */
  get search(): readonly string[] {
    return this.#search;
  }

  /** Best first; none that asks us. */
  async inOrder(): Promise<readonly Server[]> {
    const nowMs = this.#deps.clock.monotonicMs();
    if (this.#readAtMs === undefined || nowMs >= this.#readAtMs + readAgainMs) {
      this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
      // An old list is as good as a new one, but for the first question.
      if (this.#readAtMs === undefined) await this.#reading;
    }
    const rest = ({ restUntilMs }: Server): number => Math.max(0, restUntilMs - nowMs);
    return this.#servers.filter(({ isLoop }) => !isLoop).toSorted((a, b) => rest(a) - rest(b));
  }

  worked(server: Server): void {
    server.failures = 0;
    server.isNew = false;
    server.restUntilMs = 0;
  }

  failed(server: Server): void {
    const ms = Math.min(restMaxMs, restMs * 2 ** Math.min(server.failures, 10));
    server.failures++;
    server.restUntilMs = this.#deps.clock.monotonicMs() + ms;
  }

  /** What is known of one that stays in the list is kept. */
  async #read(): Promise<void> {
    const { chosen, readSystem, isOwn, clock } = this.#deps;
    // One that cannot be read now is as it was.
    const system = await readSystem().catch(() => undefined);
    const listed = chosen.length > 0 ? chosen : (system?.servers ?? this.#servers);
    this.#search = system?.search ?? this.#search;
    this.#servers = listed
      .filter((server) => !isOwn(server))
      .map(({ host, port }) => {
        const known = this.#servers.find((one) => one.host === host && one.port === port);
        return known ?? { host, port, failures: 0, isNew: true, restUntilMs: 0, isLoop: false };
      });
    this.#readAtMs = clock.monotonicMs();
  }
}
