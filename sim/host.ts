/** A node as the simulated network sees it, and what an exchange asks of the network. */
import type { Bytes } from '../src/base/bytes.ts';
import type { Reply, ReplyInfo, Request, RequestHandler } from '../src/dht/ports.ts';
import type { Contact } from '../src/identity/contact.ts';
import type { EventAction } from './event-queue.ts';
import type { Strangers } from './strangers.ts';

export interface Host {
  readonly contact: Contact;
  /** Counts hosts in order of arrival. */
  readonly index: number;
  readonly isServer: (askerIp: Bytes) => boolean;
  /** What it says of the network's size. */
  readonly networkSize: () => number | undefined;
  /** Undefined before it serves and after it left. */
  handler: RequestHandler | undefined;
  /** Until it leaves: what is sent to it afterwards goes nowhere. */
  present: boolean;
  /** Cut off for a while: nothing gets to it, nor away from it. */
  cutOff: boolean;
  /** Round trips so far: the first few tell it how long to wait for the next. */
  answers: number;
  readonly strangers: Strangers;
  readonly octets: { sent: number; received: number };
  /** What it last said of the network's size, and when it was asked for it. */
  readonly said: { size: number | undefined; atMs: number };
}

export interface Abortable {
  abort(): void;
}

/** The network below one exchange. The methods that send say whether the datagram arrives. */
export interface Wire {
  readonly nowMs: number;
  schedule(delayMs: number, run: EventAction): void;
  hostOf(contact: Contact): Host | undefined;
  rttMs(a: Host, b: Host): number;
  sendRequest(sent: {
    readonly from: Host;
    readonly to: Contact;
    readonly target: Host | undefined;
    readonly request: Request;
    readonly again: boolean;
  }): boolean;
  sendReply(sent: { readonly from: Host; readonly to: Host; readonly reply: Reply }): boolean;
  /** The refusal of a request that lacks its token, and that token. */
  sendToken(sent: { readonly from: Host; readonly to: Host }): boolean;
  takeToken(from: Host, target: Host): void;
  handle(target: Host, from: Host, request: Request): ReturnType<RequestHandler>;
  mayAskAgain(from: Host, to: Contact): boolean;
  answered(exchange: {
    readonly from: Host;
    readonly target: Host;
    readonly request: Request;
    readonly rttMs: number;
  }): ReplyInfo;
  unanswered(from: Host, to: Contact, request: Request): void;
  follow(signal: AbortSignal | undefined, exchange: Abortable): void;
  unfollow(signal: AbortSignal | undefined, exchange: Abortable): void;
}
