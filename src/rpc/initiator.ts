/**
 * Outgoing requests: sealed, sent, matched with their replies. It decides when to ask again and
 * what a reply means; it opens no socket and knows no timer but the one it is given.
 */
import { type Endpoint, formatEndpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Answered, Reply, ReplyTo, Request } from '../dht/ports.ts';
import { type Contact, formatContact } from '../identity/contact.ts';
import { storeStatuses, storeStatusName } from '../record/kinds.ts';
import { isFailure } from '../wire/failure.ts';
import { type CookiePacket, type RespPacket, setMac2 } from '../wire/packets.ts';
import { decodeReplyBody, decodeReplyPayload, type ReplyPayload } from '../wire/replies.ts';
import { encodeRequest, type RequestHead } from '../wire/requests.ts';
import { admitContacts } from './admission.ts';
import { mac2Of } from './cookies.ts';
import type { Counters } from './counters.ts';
import type { OutgoingGate } from './gate.ts';
import type { Peers, Responder } from './peers.ts';
import { Pending } from './pending.ts';
import { askUntilAnswered, type Settle } from './retransmission.ts';
import type { RetransmissionTimeout } from './rto.ts';
import type { Sealing, SealedRequest } from './sealing.ts';
import type { TokenMemory } from './tokens.ts';

export interface InitiatorDeps {
  readonly world: World;
  readonly peers: Peers;
  readonly sealing: Sealing;
  readonly gate: OutgoingGate;
  readonly tokens: TokenMemory;
  readonly rto: RetransmissionTimeout;
  readonly counters: Counters;
  /** Everything of a request's head but the token. */
  readonly head: (to: Endpoint) => Omit<RequestHead, 'token'>;
  /** Sends one datagram; `onError` is called when this host cannot even try. */
  readonly send: (to: Endpoint, datagram: Bytes, onError: (why: string) => void) => void;
}

/** Forged replies that are tried, at 100 µs each, before those to a question are ignored. */
const openingsMax = 4;

interface OpenedReply {
  readonly payload: ReplyPayload;
  readonly rttMs: number;
}

interface Exchange {
  readonly to: Contact;
  readonly responder: Responder;
  readonly request: Request;
  readonly signal: AbortSignal;
  /** See CallOptions. */
  readonly known?: boolean | undefined;
}

export class Initiator {
  readonly #deps: InitiatorDeps;
  readonly #pending = new Pending<RespPacket | CookiePacket>();

  constructor(deps: InitiatorDeps) {
    this.#deps = deps;
  }

  /** Rejects with TIMEOUT, UNREACHABLE or the signal's reason. */
  async call<R extends Request>(
    to: Contact,
    request: R,
    { signal, known }: Pick<Exchange, 'signal' | 'known'>,
  ): Promise<Answered<R>> {
    const responder = this.#deps.peers.responder(to.publicKey);
    if (!responder) throw unreachable(to, 'its key is not a usable one');
    let opened = await this.#exchange({ to, responder, request, signal, known });
    if (opened.payload.status === storeStatuses.BAD_TOKEN) {
      // The reply brought a fresh token; a second refusal is the answer.
      this.#deps.counters.add('call.token-renewed');
      opened = await this.#exchange({ to, responder, request, signal, known });
    }
    return this.#interpret(to, request, opened);
  }

  /** A RESP or COOKIE that came in. */
  receive(packet: RespPacket | CookiePacket, from: Endpoint): void {
    if (!this.#pending.deliver(packet.txid, from, packet)) this.#deps.counters.add('resp.unasked');
  }

  async #exchange({
    to,
    responder,
    request,
    signal,
    known = false,
  }: Exchange): Promise<OpenedReply> {
    const { world, gate, tokens, rto, counters, head } = this.#deps;
    const refusal = gate.refusal(to.endpoint, { named: known });
    if (refusal) throw unreachable(to, refusal);
    const token = tokens.get(to.endpoint);
    const payload = encodeRequest(request, { ...head(to.endpoint), token });
    const what = `${request.method.toUpperCase()} to ${formatContact(to)}`;
    const peer = formatEndpoint(to.endpoint);
    counters.add(`call.${request.method}`);
    try {
      const opened = await askUntilAnswered<OpenedReply>(
        { timers: world.timers, waitsMs: rto.waitsMs(peer), what, signal },
        (settle) => this.#ask(to, { responder, payload }, settle),
      );
      rto.observe(opened.rttMs, peer);
      gate.noteAnswered(to.endpoint);
      tokens.set(to.endpoint, opened.payload.token);
      return opened;
    } catch (error) {
      if (error instanceof AltNetError && error.code === 'TIMEOUT') {
        counters.add('call.timeout');
        gate.noteFailed(to.endpoint);
        tokens.delete(to.endpoint);
      }
      throw error;
    }
  }

  /** Seals and sends the request once, with keys and txid of its own. */
  #ask(
    to: Contact,
    { responder, payload }: { responder: Responder; payload: Bytes },
    settle: Settle<OpenedReply>,
  ): () => void {
    const { world, sealing, gate, counters } = this.#deps;
    if (gate.refusal(to.endpoint)) return () => undefined; // the first question still waits
    const txid = world.random.bytes(8);
    const sealed = sealing.seal(responder, { txid, payload });
    if (!sealed) {
      settle.fail(unreachable(to, 'its key is not a usable one'));
      return () => undefined;
    }
    counters.add('init.sent');
    const question = new Question(sealed, world.clock.monotonicMs());
    const end = this.#pending.add(txid, to.endpoint, (packet) => {
      if ('cookie' in packet) this.#retryWithCookie(to, question, packet.cookie, settle);
      else this.#open(question, packet, settle);
    });
    this.#transmit(to, sealed.init, settle);
    return end;
  }

  #transmit(to: Contact, init: Bytes, settle: Settle<OpenedReply>): void {
    this.#deps.gate.noteSent(to.endpoint);
    this.#deps.send(to.endpoint, init, (why) => settle.fail(unreachable(to, why)));
  }

  /** The same INIT again with mac2, once. It was not opened, so its keys are still fresh. */
  #retryWithCookie(
    to: Contact,
    question: Question,
    cookie: Bytes,
    settle: Settle<OpenedReply>,
  ): void {
    if (!question.takeCookie()) return;
    this.#deps.counters.add('cookie.received');
    question.sentMs = this.#deps.world.clock.monotonicMs();
    const init = question.sealed.init.slice();
    setMac2(init, mac2Of(cookie, init));
    this.#transmit(to, init, settle);
  }

  #open(question: Question, { message2 }: RespPacket, settle: Settle<OpenedReply>): void {
    const { world, counters } = this.#deps;
    if (!question.takeOpening()) return;
    const bytes = question.sealed.open(message2);
    if (!bytes) return counters.add('resp.seal');
    const payload = decodeReplyPayload(bytes);
    if (isFailure(payload)) return counters.add(`resp.${payload}`);
    counters.add('resp.opened');
    settle.answer({ payload, rttMs: world.clock.monotonicMs() - question.sentMs });
  }

  #interpret<R extends Request>(to: Contact, request: R, opened: OpenedReply): Answered<R> {
    const { payload, rttMs } = opened;
    if (request.method !== 'store' && payload.status !== storeStatuses.OK) {
      throw unreachable(to, `refused: ${storeStatusName(payload.status)}`);
    }
    const reply = decodeReplyBody(request.method, payload);
    if (isFailure(reply)) {
      this.#deps.counters.add(`resp.${reply}`);
      throw unreachable(to, `its reply is malformed (${reply})`);
    }
    const { observed, unixTime, server, networkSize } = payload;
    return {
      reply: withAdmitted(reply, to.endpoint) as ReplyTo<R>,
      info: { rttMs, observed, unixTime, server, networkSize },
    };
  }
}

/** One INIT that was sent, with what may still happen to it. */
class Question {
  readonly sealed: SealedRequest;
  sentMs: number;
  #openings = openingsMax;
  #cookies = 1;

  constructor(sealed: SealedRequest, sentMs: number) {
    this.sealed = sealed;
    this.sentMs = sentMs;
  }

  takeOpening(): boolean {
    return this.#openings-- > 0;
  }

  takeCookie(): boolean {
    return this.#cookies-- > 0;
  }
}

function withAdmitted(reply: Reply, answerer: Endpoint): Reply {
  if (reply.method !== 'find' && reply.method !== 'get') return reply;
  return { ...reply, contacts: admitContacts(reply.contacts, answerer) };
}

function unreachable({ endpoint }: Contact, why: string): AltNetError {
  return new AltNetError('UNREACHABLE', { what: formatEndpoint(endpoint), why });
}
