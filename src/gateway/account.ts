/**
 * What the gateway counts of its answers: how many of each status, how long they took, and, for
 * whoever wants to know, which site was shown to whom. It answers nothing and keeps no address.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../base/clock.ts';
import { Durations, type DurationsSnapshot } from '../base/durations.ts';

/** One answered request for something on a site that has a name. */
export interface ServedAnswer {
  /** Without ".alt" and what stands before it: "alice", also for "blog.alice". */
  readonly name: string;
  /** Of the body, as far as it went out: 0 for HEAD and 304. */
  readonly bytes: number;
  readonly ip: string;
}

export interface GatewayCounts {
  /** Answers by status; "none": the client left before there was any. */
  readonly answers: Readonly<Record<string, number>>;
  /** Bytes of bodies. */
  readonly bytes: number;
  /** From the request to the end of its answer. */
  readonly durations: DurationsSnapshot;
  readonly connections: number;
}

/** What is noted of one answer while it is made. */
export interface Account {
  readonly begunMs: number;
  /** Of the body. */
  bytes: number;
  /** The host label of the site that was found, for one that has a name. */
  site: string | undefined;
  ip: string;
}

const boundsSeconds = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60];

export class Accounts {
  readonly #clock: Clock;
  readonly #onServed: ((served: ServedAnswer) => void) | undefined;
  readonly #answers = new Map<number | 'none', number>(); // BOUNDED by the statuses of the gateway
  readonly #durations = new Durations(boundsSeconds);
  #bytes = 0;

  constructor(clock: Clock, onServed?: (served: ServedAnswer) => void) {
    this.#clock = clock;
    this.#onServed = onServed;
  }

  begin(): Account {
    return { begunMs: this.#clock.monotonicMs(), bytes: 0, site: undefined, ip: '' };
  }

  /** Once for each answer, when nothing more of it goes out. */
  end(
    account: Account,
    { headersSent, statusCode }: Pick<ServerResponse, 'headersSent' | 'statusCode'>,
  ): void {
    const status = headersSent ? statusCode : 'none';
    this.#answers.set(status, (this.#answers.get(status) ?? 0) + 1);
    this.#durations.add((this.#clock.monotonicMs() - account.begunMs) / 1000);
    this.#bytes += account.bytes;
    const { site, bytes, ip } = account;
    if (site === undefined || status === 'none' || !isOfSite(status)) return;
    this.#onServed?.({ name: site.slice(site.lastIndexOf('.') + 1), bytes, ip });
  }

  /** The same answer begins again, for another request; `end` must follow. */
  beginLike({ bytes, site }: Account, ip: string): Account {
    return { begunMs: this.#clock.monotonicMs(), bytes, site, ip };
  }

  counts(): Omit<GatewayCounts, 'connections'> {
    return {
      answers: Object.fromEntries(this.#answers),
      bytes: this.#bytes,
      durations: this.#durations.snapshot(),
    };
  }
}

/** Whether such an answer is the site's own: what could not be shown is nobody's visit. */
function isOfSite(status: number): boolean {
  return status < 400 || status === 404 || status === 416;
}

/** From here on the answer is one of that site. `label`: undefined for a bare root. */
export function noteSite(
  account: Account,
  { socket }: IncomingMessage,
  label: string | undefined,
): void {
  account.site = label;
  account.ip = socket.remoteAddress ?? '';
}
