/**
 * Our own requests, and what the routing table learns from them: it is fed here and nowhere else,
 * so that nobody gets into it by talking to us.
 */
import type { Clock } from '../base/clock.ts';
import { isAltNetError } from '../base/errors.ts';
import type { Contact } from '../identity/contact.ts';
import type { Counters } from './counters.ts';
import type { Answered, ReplyInfo, Request, Transport } from './ports.ts';
import type { RoundTrips } from './rtt.ts';
import type { RoutingTable } from './table.ts';

export interface CallerDeps {
  readonly transport: Transport;
  readonly table: RoutingTable;
  readonly roundTrips: RoundTrips;
  readonly counters: Counters;
  readonly clock: Clock;
  /** Told of every answer: what its sender sees of us. */
  readonly observe?: ((by: Contact, info: ReplyInfo) => void) | undefined;
}

export class Caller {
  readonly #deps: CallerDeps;

  constructor(deps: CallerDeps) {
    this.#deps = deps;
  }

  /** Rejects as the transport does: TIMEOUT, UNREACHABLE, ABORTED. */
  async call<R extends Request>(
    to: Contact,
    request: R,
    signal: AbortSignal,
  ): Promise<Answered<R>> {
    const { transport, table, roundTrips, counters, clock } = this.#deps;
    try {
      const answered = await transport.call(to, request, { signal });
      const { rttMs, server } = answered.info;
      counters.request('answered', request.method);
      roundTrips.add(rttMs);
      this.#deps.observe?.(to, answered.info);
      if (server) table.confirm(to, { nowMs: clock.monotonicMs(), rttMs });
      else table.remove(to.id);
      return answered;
    } catch (error) {
      // Giving up says nothing about the node.
      if (isAltNetError(error, 'TIMEOUT') || isAltNetError(error, 'UNREACHABLE')) {
        counters.request('unanswered', request.method);
        table.miss(to.id);
      }
      throw error;
    }
  }
}
