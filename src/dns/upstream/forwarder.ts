/**
 * Names that are not ours, asked of other resolvers (docs/spec/dns.md, "Forwarding"): from memory,
 * or once for all who ask the same at the same time, of one resolver after the other until one
 * answers.
 */
import { withDeadline } from '../../base/abort.ts';
import type { Bytes } from '../../base/bytes.ts';
import type { World } from '../../base/clock.ts';
import { AltNetError, isAltNetError } from '../../base/errors.ts';
import { extendedErrors, flags, rcodes } from '../codes.ts';
import type { DnsCounters } from '../counters.ts';
import type { Query } from '../query.ts';
import { Seats } from '../seats.ts';
import type { Source } from '../sources.ts';
import { type Answer, type LocalAnswer, plainAnswer } from '../response.ts';
import { type AskResolver, askByTcp, askByUdp } from './ask.ts';
import { passedAnswer, ReplyCache } from './cache.ts';
import { FailedQuestions } from './failures.ts';
import { idOf, LoopCheck } from './loop-check.ts';
import { cacheKey, encodeQuestion, type Question, questionOf } from './question.ts';
import { parseReply, type Reply } from './reply.ts';
import { type Server, Servers, type ServersDeps } from './servers.ts';

export interface ForwarderOptions {
  /** For a question in all: less than clients wait before they ask again. */
  readonly patienceMs: number;
  /** For one attempt. */
  readonly attemptMs: number;
  readonly attemptsMax: number;
  /** Questions under way. */
  readonly askedMax: number;
  readonly cacheBytesMax: number;
}

export const forwarderDefaults: ForwarderOptions = {
  patienceMs: 4000,
  attemptMs: 1500,
  attemptsMax: 6,
  askedMax: 256,
  cacheBytesMax: 4 * 2 ** 20,
};

interface Deps extends Omit<ServersDeps, 'clock'> {
  readonly world: World;
  readonly counters: DnsCounters;
  /** What names end with that are nobody else's business. */
  readonly endings: ReadonlySet<string>;
}

/** What stops the search for a better answer. */
type Outcome =
  | { readonly kind: 'reply'; readonly reply: Reply }
  /** The resolver cannot or will not; another may. */
  | { readonly kind: 'refusal'; readonly reply: Reply }
  | { readonly kind: 'silence' };

/**
 * Answers to one datagram that are none. They come from where the question went, to the port that
 * it left from: somebody has found that, and goes through the IDs.
 */
const guessesMax = 8;

const silence: Outcome = { kind: 'silence' };

export class Forwarder {
  readonly #deps: Deps;
  readonly #options: ForwarderOptions;
  readonly #servers: Servers;
  readonly #cache: ReplyCache;
  readonly #failures: FailedQuestions;
  readonly #loops: LoopCheck;
  readonly #stopping = new AbortController();
  /** BOUNDED by askedMax. */
  readonly #asked = new Map<string, Promise<Answer>>();
  readonly #seats: Seats;

  constructor(deps: Deps, options: ForwarderOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#seats = new Seats(options.askedMax);
    const { world } = deps;
    this.#servers = new Servers({ ...deps, clock: world.clock });
    this.#cache = new ReplyCache(world.clock, options.cacheBytesMax);
    this.#failures = new FailedQuestions(world.clock);
    this.#loops = new LoopCheck(world, this.#stopping.signal);
  }

  get isChosen(): boolean {
    return this.#deps.chosen.length > 0;
  }

  get cacheBytes(): number {
    return this.#cache.bytes;
  }

  /** Ends what is under way; resolves when nothing is. */
  async stop(): Promise<void> {
    this.#stopping.abort(new AltNetError('ABORTED', {}));
    await Promise.allSettled(this.#asked.values());
  }

  isOwn(query: Query): boolean {
    const isOwn = this.#loops.isOwn(query);
    if (isOwn) this.#deps.counters.upstream('loop');
    return isOwn;
  }

  /** Never rejects. */
  forward(query: Query, { isHere }: Pick<Source, 'isHere'>): Answer | Promise<Answer> {
    const { counters } = this.#deps;
    const key = cacheKey(questionOf(query));
    const cached = this.#cache.get(key);
    if (cached) {
      counters.upstream('cached');
      return cached;
    }
    const under = this.#asked.get(key);
    if (under) {
      counters.upstream('shared');
      return under;
    }
    const rcode = this.#failures.get(key);
    if (rcode !== undefined) {
      counters.upstream('failing');
      return failedBefore(rcode);
    }
    const giveBack = this.#stopping.signal.aborted ? undefined : this.#seats.take(isHere);
    if (!giveBack) {
      counters.upstream('full');
      return failure('too many questions are under way');
    }
    const asked = this.#find(query, key).finally(() => {
      this.#asked.delete(key);
      giveBack();
    });
    this.#asked.set(key, asked);
    return asked;
  }

  async #find(query: Query, key: string): Promise<Answer> {
    const { timers } = this.#deps.world;
    const { patienceMs: ms } = this.#options;
    const { signal } = this.#stopping;
    const { counters } = this.#deps;
    try {
      const servers = await this.#servers.inOrder();
      if (isOursWithSuffix(query, this.#servers.search, this.#deps.endings))
        return plainAnswer(rcodes.nxDomain);
      this.#loops.look(this.#servers.all);
      const limit = { timers, ms, what: 'resolvers', signal };
      const reply = await withDeadline(limit, (ended) => {
        return this.#askAll(servers, questionOf(query), ended);
      });
      counters.upstream('answered');
      this.#cache.set(key, reply);
      if (isDefinite(reply)) this.#failures.answered(key);
      else this.#failures.failed(key, toldRcode(reply));
      return isOfEdns(reply) ? failure('no resolver understood') : passedAnswer(reply, 0);
    } catch (error) {
      counters.upstream('failed');
      // That costs nothing to find out anew.
      if (isAltNetError(error, 'NO_ANSWER')) return failure('there is no resolver to ask');
      if (!signal.aborted) this.#failures.failed(key, rcodes.servFail);
      return failure('no resolver answered in time');
    }
  }

  /** Rejects with TIMEOUT, ABORTED, UNREACHABLE, or NO_ANSWER when there is nobody to ask. */
  async #askAll(
    servers: readonly Server[],
    question: Question,
    signal: AbortSignal,
  ): Promise<Reply> {
    if (servers.length === 0) {
      throw new AltNetError('NO_ANSWER', { what: 'resolvers', answered: 0, wanted: 1 });
    }
    let refusal: Reply | undefined;
    for (let attempt = 0; attempt < this.#options.attemptsMax; attempt++) {
      const server = servers[attempt % servers.length];
      // Twice round: a datagram may be lost. One that said no would say it again.
      if (!server || attempt >= 2 * servers.length || (refusal && attempt >= servers.length)) break;
      if (attempt > 0) this.#deps.counters.upstream('switched');
      const outcome = await this.#attempt(server, question, signal);
      if (outcome.kind === 'reply') return outcome.reply;
      if (outcome.kind === 'refusal') refusal ??= outcome.reply;
    }
    if (refusal) return refusal;
    throw new AltNetError('UNREACHABLE', { what: 'resolvers', why: 'none of them answered' });
  }

  async #attempt(server: Server, question: Question, signal: AbortSignal): Promise<Outcome> {
    const { timers } = this.#deps.world;
    const limit = { timers, ms: this.#options.attemptMs, what: 'a resolver', signal };
    try {
      const reply = await withDeadline(limit, (ended) => this.#ask(server, question, ended));
      if (server.failures > 0 || server.isNew) this.#failures.forget();
      this.#servers.worked(server);
      return { kind: isDefinite(reply) ? 'reply' : 'refusal', reply };
    } catch {
      signal.throwIfAborted();
      this.#servers.failed(server);
      return silence;
    }
  }

  /** By a datagram, without EDNS where it is not understood, by TCP where it does not fit. */
  async #ask(server: Server, question: Question, signal: AbortSignal): Promise<Reply> {
    const first = await this.#exchange(askByUdp, server, { question, withOpt: true, signal });
    const isOld =
      first.rcode === rcodes.formErr || first.rcode === rcodes.notImp || isOfEdns(first);
    const reply = isOld
      ? await this.#exchange(askByUdp, server, { question, withOpt: false, signal })
      : first;
    if (!reply.isTruncated) return reply;
    this.#deps.counters.upstream('truncated');
    return this.#exchange(askByTcp, server, { question, withOpt: !isOld, signal });
  }

  async #exchange(
    ask: AskResolver,
    server: Server,
    how: { readonly question: Question; readonly withOpt: boolean; readonly signal: AbortSignal },
  ): Promise<Reply> {
    const { question, withOpt, signal } = how;
    const id = idOf(this.#deps.world);
    const message = encodeQuestion(question, { id, withOpt });
    let guesses = 0;
    const read = (answer: Bytes): Reply | 'broken' | 'guessed' | undefined => {
      const parsed = parseReply(answer, { id, key: question.key });
      if (parsed.kind === 'reply') return parsed;
      this.#deps.counters.upstream('mismatched');
      if (parsed.kind === 'broken') return 'broken';
      return ++guesses >= guessesMax ? 'guessed' : undefined;
    };
    const reply = await ask({ server, message, read, signal });
    if (reply === 'guessed' && ask === askByUdp) return this.#exchange(askByTcp, server, how);
    if (reply === 'guessed') {
      throw new AltNetError('UNREACHABLE', {
        what: 'a resolver',
        why: 'it answers other questions',
      });
    }
    if (reply === 'broken') {
      throw new AltNetError('UNREACHABLE', { what: 'a resolver', why: 'its answer is damaged' });
    }
    return reply;
  }
}

/**
 * Whether it is a name below one of the endings with what this system appends to names that are not
 * found: nobody else is to know what was looked for.
 */
export function isOursWithSuffix(
  { labels }: Pick<Query, 'labels'>,
  search: readonly string[],
  endings: ReadonlySet<string>,
): boolean {
  return search.some((suffix) => {
    const before = labels.length - suffix.split('.').length;
    const isOurs = endings.has(labels[before - 1] ?? '');
    return isOurs && labels.slice(before).join('.') === suffix;
  });
}

/** Whether it says something of the name, and not of the resolver. */
function isDefinite({ rcode }: Reply): boolean {
  return rcode === rcodes.noError || rcode === rcodes.nxDomain;
}

/** Larger codes than fit without EDNS are about EDNS itself. */
function isOfEdns({ rcode }: Reply): boolean {
  return rcode > flags.rcode;
}

/** As the client is told of a failure, to whom EDNS between us and others says nothing. */
function toldRcode(reply: Reply): number {
  return isOfEdns(reply) ? rcodes.servFail : reply.rcode;
}

/** Not for long: `altnet_dns_upstream_total` tells how often. */
function failedBefore(rcode: number): LocalAnswer {
  const text = 'no resolver could answer this a moment ago';
  return plainAnswer(rcode, { code: extendedErrors.cachedError, text });
}

function failure(text: string): LocalAnswer {
  return plainAnswer(rcodes.servFail, { code: extendedErrors.noReachableAuthority, text });
}
