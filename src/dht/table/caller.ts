/**
 * Our own requests, and what the routing table learns from them: it is fed here and nowhere else,
 * so that nobody gets into it by talking to us.
 */
import { formatEndpoint } from '../../base/address.ts';
import { toHex } from '../../base/bytes.ts';
import type { Clock } from '../../base/clock.ts';
import { isAltNetError } from '../../base/errors.ts';
import { LruMap } from '../../base/limits.ts';
import type { Contact } from '../../identity/contact.ts';
import type { Counters } from '../counters.ts';
import type { Answered, CallOptions, ReplyInfo, Request, Transport } from '../ports.ts';
import { Failures } from './failures.ts';
import type { LostContacts } from './lost.ts';
import type { RoundTrips } from './rtt.ts';
import type { RoutingTables } from './tables.ts';

export interface CallerDeps {
  readonly transport: Transport;
  readonly table: RoutingTables;
  readonly roundTrips: RoundTrips;
  readonly counters: Counters;
  readonly clock: Clock;
  /** Told of every answer: what its sender sees of us. */
  readonly observe?: ((by: Contact, info: ReplyInfo) => void) | undefined;
  readonly lost: LostContacts;
  /** Told when so many contacts stopped answering that others will have, too. */
  readonly onSuspicion: () => void;
}

/** So long after a request went unanswered, the next one to the same place is not waited for. */
const doubtMs = 10 * 60_000;
const doubtfulMax = 2048;

export class Caller {
  readonly #deps: CallerDeps;
  /** Monotonic milliseconds of the last failure. BOUNDED by doubtfulMax */
  readonly #failedMs = new LruMap<string, number>(doubtfulMax);
  readonly #failures = new Failures();

  constructor(deps: CallerDeps) {
    this.#deps = deps;
  }

  /** Rejects as the transport does: TIMEOUT, UNREACHABLE, ABORTED. */
  async call<R extends Request>(
    to: Contact,
    request: R,
    signal: AbortSignal,
    { known }: Pick<CallOptions, 'known'> = {},
  ): Promise<Answered<R>> {
    const { transport, table, roundTrips, counters, clock, lost } = this.#deps;
    try {
      const answered = await transport.call(to, request, { signal, known });
      const { rttMs, server } = answered.info;
      counters.request('answered', request.method);
      roundTrips.add(rttMs);
      this.#deps.observe?.(to, answered.info);
      if (this.#failedMs.size > 0) this.#failedMs.delete(placeOf(to));
      lost.forget(to);
      if (server) table.confirm(to, { nowMs: clock.monotonicMs(), rttMs });
      else table.remove(to);
      return answered;
    } catch (error) {
      // Giving up says nothing about the node.
      if (isAltNetError(error, 'TIMEOUT') || isAltNetError(error, 'UNREACHABLE')) {
        counters.request('unanswered', request.method);
        this.#failedMs.set(placeOf(to), clock.monotonicMs());
        this.#miss(to);
      }
      throw error;
    }
  }

  #miss(to: Contact): void {
    const { table, clock, lost, onSuspicion } = this.#deps;
    const missed = table.miss(to);
    if (missed === 'unlisted') return;
    const nowMs = clock.monotonicMs();
    if (missed === 'gone') lost.add(to, nowMs);
    if (this.#failures.note(to, { nowMs, size: table.size })) onSuspicion();
  }

  /** Whether it did not answer lately: worth a request, but not worth waiting. */
  isDoubtful(contact: Contact): boolean {
    if (this.#failedMs.size === 0) return false;
    const failedMs = this.#failedMs.get(placeOf(contact));
    return failedMs !== undefined && this.#deps.clock.monotonicMs() - failedMs < doubtMs;
  }
}

function placeOf({ id, endpoint }: Contact): string {
  return `${toHex(id)}@${formatEndpoint(endpoint)}`;
}
