/**
 * What the DNS service has done, in plain numbers. Every name here is a constant of the program.
 */

export type Transport = 'udp' | 'tcp' | 'https';

/** What a question was about, or why there was none. */
export type QuestionKind = 'site' | 'local' | 'foreign' | 'refused';

export type UpstreamResult =
  | 'answered'
  | 'cached'
  | 'shared'
  /** No resolver gave an answer in time. */
  | 'failed'
  /** None did a moment ago: not asked again. */
  | 'failing'
  /** One of them did not, and another was asked. */
  | 'switched'
  /** It did not fit into a datagram. */
  | 'truncated'
  /** A datagram that is no answer to what was asked. */
  | 'mismatched'
  /** Too many questions under way. */
  | 'full'
  /** A resolver that asks us what we ask it. */
  | 'loop';

/** What was turned away, by the limit. */
export type LimitReason = 'source' | 'distant' | 'lookups' | 'connections' | 'pipeline';

export interface DnsCounts {
  /** Messages that came in, by transport. */
  readonly received: Readonly<Record<string, number>>;
  /** Answers, by "kind.RCODE". */
  readonly answered: Readonly<Record<string, number>>;
  readonly upstream: Readonly<Record<string, number>>;
  readonly limited: Readonly<Record<string, number>>;
  /** Searches for names in the network that questions made necessary. */
  readonly lookups: number;
  /** Bytes of foreign answers that are remembered. */
  readonly cacheBytes: number;
}

export class DnsCounters {
  // BOUNDED by the names above, times the few codes that have a name.
  readonly #received = new Map<string, number>();
  readonly #answered = new Map<string, number>();
  readonly #upstream = new Map<string, number>();
  readonly #limited = new Map<string, number>();
  #lookups = 0;

  received(transport: Transport): void {
    addOne(this.#received, transport);
  }

  answered(kind: QuestionKind, rcode: string): void {
    addOne(this.#answered, `${kind}.${rcode}`);
  }

  upstream(result: UpstreamResult): void {
    addOne(this.#upstream, result);
  }

  limited(reason: LimitReason): void {
    addOne(this.#limited, reason);
  }

  lookup(): void {
    this.#lookups++;
  }

  snapshot(cacheBytes: number): DnsCounts {
    return {
      received: Object.fromEntries(this.#received),
      answered: Object.fromEntries(this.#answered),
      upstream: Object.fromEntries(this.#upstream),
      limited: Object.fromEntries(this.#limited),
      lookups: this.#lookups,
      cacheBytes,
    };
  }
}

function addOne(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
