/**
 * One simulated request and its reply, with the timeouts, the retransmission and the detour for a
 * missing token that `rpc` has. A timer is only set once it is sure (or likely) to be needed: a
 * network without loss would otherwise spend a third of its events on timers that are cancelled.
 *
 *   in:  start, a datagram arrives (or is known to be lost), timer, abort
 *   out: exactly one of answer, TIMEOUT, abort reason
 */
import { abortReason } from '../src/base/abort.ts';
import { formatEndpoint } from '../src/base/address.ts';
import { AltNetError } from '../src/base/errors.ts';
import type { Answered, Reply, Request } from '../src/dht/ports.ts';
import type { Contact } from '../src/identity/contact.ts';
import type { Host, Wire } from './host.ts';
import { fitted } from './packet-size.ts';

/** A request and one retransmission. */
const attemptsMax = 2;

export interface Question<R extends Request> {
  readonly from: Host;
  readonly to: Contact;
  readonly request: R;
  readonly signal: AbortSignal | undefined;
}

export class Exchange<R extends Request> {
  readonly #question: Question<R>;
  readonly #wire: Wire;
  readonly #timeoutMs: number;
  readonly #settle: PromiseWithResolvers<Answered<R>>;
  /** Whether the answerer will ask for a token first. */
  #tokenless: boolean;
  #attempts = 0;
  #sentMs = 0;
  #settled = false;

  constructor(
    question: Question<R>,
    { wire, timeoutMs, tokenless }: { wire: Wire; timeoutMs: number; tokenless: boolean },
  ) {
    this.#question = question;
    this.#wire = wire;
    this.#timeoutMs = timeoutMs;
    this.#tokenless = tokenless;
    this.#settle = Promise.withResolvers();
  }

  /** Settles exactly once. */
  start(): Promise<Answered<R>> {
    this.#wire.follow(this.#question.signal, this);
    this.#attempt();
    return this.#settle.promise;
  }

  abort(): void {
    if (this.#settled) return;
    this.#settled = true; // whoever aborts all that follow a signal forgets them
    this.#settle.reject(abortReason(this.#question.signal));
  }

  #attempt(): void {
    const { from, to, request } = this.#question;
    const wire = this.#wire;
    const target = wire.hostOf(to);
    this.#attempts++;
    this.#sentMs = wire.nowMs;
    const attempt = this.#attempts;
    const rttMs = target ? wire.rttMs(from, target) : 0;
    const arrives = wire.sendRequest({ from, to, target, request, again: attempt > 1 });
    if (arrives && target) {
      wire.schedule(rttMs / 2, () => this.#arrive(target, { attempt, rttMs }));
      if (rttMs <= this.#timeoutMs) return;
    }
    this.#waitInVain(attempt);
  }

  /** The request has reached its host. */
  #arrive(
    target: Host,
    { attempt, rttMs }: { attempt: number; rttMs: number },
  ): 'quiet' | undefined {
    const { from, request } = this.#question;
    const bear = (whole: Reply | undefined): void => {
      const reply = whole && fitted(whole);
      if (!reply || !this.#wire.sendReply({ from: target, to: from, reply })) {
        this.#waitInVain(attempt);
        return;
      }
      this.#wire.schedule(rttMs / 2, () => this.#answer(target, reply, rttMs));
    };
    if (this.#tokenless) {
      if (!this.#wire.sendToken({ from: target, to: from })) this.#waitInVain(attempt);
      else this.#wire.schedule(rttMs / 2, () => this.#takeToken(target));
      return 'quiet';
    }
    const reply = this.#wire.handle(target, from, request);
    if (reply instanceof Promise) {
      void reply.then(bear);
      return undefined;
    }
    bear(reply);
    return 'quiet';
  }

  #answer(target: Host, reply: Reply, rttMs: number): 'quiet' | undefined {
    if (this.#settled) return 'quiet';
    this.#end();
    const { from, request } = this.#question;
    const info = this.#wire.answered({ from, target, request, rttMs });
    this.#settle.resolve({ reply: reply as Answered<R>['reply'], info });
    return undefined;
  }

  #takeToken(target: Host): 'quiet' {
    if (this.#settled || !this.#tokenless) return 'quiet';
    this.#tokenless = false;
    this.#attempts = 0;
    this.#wire.takeToken(this.#question.from, target);
    this.#attempt();
    return 'quiet';
  }

  /** Nothing will come of this attempt, or not in time. */
  #waitInVain(attempt: number): void {
    const leftMs = this.#sentMs + this.#timeoutMs - this.#wire.nowMs;
    const tokenless = this.#tokenless;
    this.#wire.schedule(leftMs, () => {
      const passed = attempt !== this.#attempts || tokenless !== this.#tokenless;
      if (this.#settled || passed) return 'quiet';
      if (attempt < attemptsMax && this.#wire.mayAskAgain(this.#question.from, this.#question.to)) {
        this.#attempt();
        return 'quiet';
      }
      this.#fail();
      return undefined;
    });
  }

  #fail(): void {
    const { from, to, request } = this.#question;
    this.#end();
    this.#wire.unanswered(from, to, request);
    const what = formatEndpoint(to.endpoint);
    this.#settle.reject(new AltNetError('TIMEOUT', { what, ms: this.#timeoutMs * attemptsMax }));
  }

  #end(): void {
    this.#settled = true;
    this.#wire.unfollow(this.#question.signal, this);
  }
}
