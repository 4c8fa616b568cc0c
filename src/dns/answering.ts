/**
 * From a message to its answer, whatever it came by (docs/spec/dns.md): checks, limits, and who is
 * to answer. An answer that is known is returned at once, without a promise: that is what makes it
 * fast. It knows no sockets.
 */
import type { Bytes } from '../base/bytes.ts';
import { otherSystems } from '../base/other-systems.ts';
import {
  classIn,
  edns as ednsTerms,
  flags,
  isMetaType,
  rcodeName,
  rcodes,
  types,
} from './codes.ts';
import type { DnsCounters, QuestionKind, Transport } from './counters.ts';
import { localAnswer } from './local-names.ts';
import { parseQuery, type Query } from './query.ts';
import { anyRecord } from './records.ts';
import {
  type Answer,
  badVersion,
  encodeAnswer,
  encodeRefusal,
  type LocalAnswer,
  plainAnswer,
  rcodeOf,
} from './response.ts';
import type { SiteZone } from './site-zone.ts';
import type { Source, Sources } from './sources.ts';

/** Where all other names are asked for. */
export interface Forwarding {
  /** Never rejects; what it cannot find out is an answer as well. */
  forward(query: Query, from: Pick<Source, 'isHere'>): Answer | Promise<Answer>;
  /** Whether its user named the resolvers: those of the system are not asked for other webs. */
  readonly isChosen: boolean;
  /** Whether this is our own question that came back. */
  isOwn(query: Query): boolean;
}

export interface Asked {
  readonly transport: Transport;
  /** IP address. */
  readonly from: string;
}

/** An answer with how long it holds. */
export interface Answered {
  readonly message: Bytes;
  readonly ttlSeconds: number;
}

type Later<T> = T | Promise<T>;

interface Deps {
  readonly zone: SiteZone;
  readonly forwarding: Forwarding;
  readonly sources: Sources;
  readonly counters: DnsCounters;
}

/** What a query may have; the rest of a datagram or frame is nothing that we would read. */
export const queryBytesMax = { udp: 1232, tcp: 4096, https: 4096 } as const;

const messageBytesMax = 65_535;
/**
 * What a datagram to a stranger may be, in times of what came: nobody is to be flooded through us.
 */
const amplificationMax = 2;

const refused: LocalAnswer = plainAnswer(rcodes.refused);
const notImplemented: LocalAnswer = plainAnswer(rcodes.notImp);
const malformed: LocalAnswer = plainAnswer(rcodes.formErr);

export class Answering {
  readonly #deps: Deps;
  readonly #tld: string;
  readonly #any: LocalAnswer;

  constructor(deps: Deps, tld: string) {
    this.#deps = deps;
    this.#tld = tld;
    this.#any = { ...plainAnswer(rcodes.noError), answers: anyRecord(), ttlSeconds: 3600 };
  }

  /** Undefined: whoever sent that gets no answer. */
  answer(message: Bytes, asked: Asked): Later<Answered | undefined> {
    const { counters, sources } = this.#deps;
    counters.received(asked.transport);
    const source = sources.of(asked.from);
    const parsed = parseQuery(message, queryBytesMax[asked.transport]);
    if (parsed.kind === 'silence') return undefined;
    if (!source.takeQuery()) {
      counters.limited('source');
      return undefined; // an answer to each would double what there is too much of
    }
    if (parsed.kind === 'refused') {
      const { rcode } = parsed;
      counters.answered('refused', rcodeName(rcode));
      return { message: encodeRefusal(parsed, rcode), ttlSeconds: 0 };
    }
    const { query } = parsed;
    const [kind, answer] = this.#route(query, source);
    const finish = (found: Answer): Answered => {
      counters.answered(kind, rcodeName(rcodeOf(found)));
      const isEncrypted = asked.transport === 'https';
      const bytesMax = answerBytesMax(query, asked, source);
      const encoded = encodeAnswer(query, found, bytesMax, { isEncrypted });
      return { message: encoded, ttlSeconds: found.ttlSeconds };
    };
    return answer instanceof Promise ? answer.then(finish) : finish(answer);
  }

  #route(query: Query, source: Source): readonly [QuestionKind, Later<Answer>] {
    if (!source.isServed) {
      this.#deps.counters.limited('distant');
      return ['refused', refused];
    }
    const refusal = refusalOf(query);
    if (refusal) return ['refused', refusal];
    const { labels } = query;
    const ending = labels.at(-1);
    if (ending === this.#tld || ending === 'alt') return ['site', this.#underEnding(query, source)];
    const local = localAnswer(query);
    if (local) return ['local', local];
    return ['foreign', this.#foreign(query, source)];
  }

  /** `.alt` is no part of the DNS (RFC 9476), also where names end otherwise here. */
  #underEnding(query: Query, source: Source): Later<Answer> {
    const { zone, forwarding } = this.#deps;
    const ending = query.labels.at(-1);
    if (ending === 'alt' && otherSystems.has(query.labels.at(-2) ?? '')) {
      return forwarding.isChosen ? this.#foreign(query, source) : zone.absent;
    }
    return ending === this.#tld ? zone.answer(query, source) : zone.absent;
  }

  #foreign(query: Query, source: Source): Later<Answer> {
    const { forwarding } = this.#deps;
    if (forwarding.isOwn(query)) return refused;
    // Who asks only what we know already is after what others asked.
    if ((query.flags & flags.recursionDesired) === 0) return refused;
    return query.type === types.any ? this.#any : forwarding.forward(query, source);
  }
}

/** What is asked for in a way that has no answer here, whatever the name. */
function refusalOf({ type, class: family, edns }: Query): LocalAnswer | undefined {
  if (edns && edns.version !== ednsTerms.version) return badVersion;
  if (family !== classIn) return refused;
  if (type === types.axfr || type === types.ixfr) return refused;
  if (type === types.opt || type === 0) return malformed;
  return isMetaType(type) && type !== types.any ? notImplemented : undefined;
}

function answerBytesMax(
  { edns, bytes }: Query,
  { transport }: Asked,
  { isDistant }: Source,
): number {
  if (transport !== 'udp') return messageBytesMax;
  const room = Math.min(edns?.udpBytes ?? ednsTerms.udpBytesMin, ednsTerms.udpBytes);
  return isDistant ? Math.min(room, amplificationMax * bytes) : room;
}
