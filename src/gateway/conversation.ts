/**
 * One connection over HTTP/1.1: a request that says to the octet what one before said is answered
 * with what is at hand, and everything else goes to the parser of node:http. It reads no request
 * itself: that an answer fits, it knows from having seen the parser answer the same octets.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Bytes } from '../base/bytes.ts';
import type { Clock } from '../base/clock.ts';
import type { AtHand } from './at-hand.ts';
import { ReadyAnswer } from './ready-answer.ts';
import type { Seen } from './seen.ts';

/** An answer that the same octets would bring again. */
export interface Repeatable {
  /** What went out behind the head. */
  readonly body: Bytes;
  /**
   * Asked before it is given again: what counts it once it has gone out. Undefined where it holds
   * no longer, or this client is to have nothing now; then the request is to be answered anew.
   */
  readonly again: (address: string) => (() => void) | undefined;
}

export interface Known {
  readonly answer: ReadyAnswer;
  readonly again: Repeatable['again'];
}

export interface ConversationDeps {
  readonly atHand: AtHand<Known>;
  readonly seen: Seen;
  readonly clock: Pick<Clock, 'unixMs'>;
}

export interface ConversationOptions {
  /** The network that the answers count for. */
  readonly client: string;
  /** What of an answer depends on where the connection came in, as text before the request. */
  readonly door: string;
  /** A client who has taken nothing of an answer for so long is cut off. */
  readonly idleTimeoutMs: number;
}

/** Browsers send a third of it. */
const requestBytesMax = 4096;
/** Of head and body together: larger answers cost more to send than to make. */
const answerBytesMax = 64 * 1024 + 1024;
const headEnd = '\r\n\r\n';
const nothing = new Uint8Array(0);
/** In the place of an answer that has gone out, and need not be held. */
const over = { socket: null, writableFinished: true } as const;

export class Conversation {
  readonly #socket: Socket;
  readonly #deps: ConversationDeps;
  readonly #options: ConversationOptions;
  readonly #address: string;
  /** Of node:http. */
  #parse: ((piece: Buffer) => void) | undefined;
  /** Of the parser's answers. Until there is one, the parser has a limit on how long that takes. */
  #latest: Pick<ServerResponse, 'socket' | 'writableFinished'> | undefined;
  /** What the parser read in the piece that it has. BOUNDED by the octets of a piece. */
  #begun: { readonly response: ServerResponse; readonly repeatable: Repeatable | undefined }[] = [];
  #isAside = false;

  constructor(socket: Socket, deps: ConversationDeps, options: ConversationOptions) {
    this.#socket = socket;
    this.#deps = deps;
    this.#options = options;
    this.#address = socket.remoteAddress ?? '';
  }

  /** Takes the place of the parser, if it alone listens: no other than that of HTTP/1.1 does. */
  start(): boolean {
    const [parse, ...others] = this.#socket.listeners('data');
    if (!parse || others.length > 0) return false;
    this.#parse = parse as (piece: Buffer) => void;
    // node:http reads from the system by itself until somebody else listens.
    this.#socket.on('data', this.#take);
    this.#socket.off('data', this.#parse);
    return true;
  }

  /** What comes from now on is not HTTP, or is that of another conversation. */
  stop(): void {
    this.#socket.off('data', this.#take);
  }

  /** The parser has read a request, and this is its answer; with what may be said again of it. */
  note(response: ServerResponse, repeatable: Repeatable | undefined): void {
    if (!this.#isAside) this.#begun.push({ response, repeatable });
  }

  /** The answer is over: whoever waits for the next request holds nothing of the last. */
  letGo(response: ServerResponse): void {
    if (this.#latest === response && response.writableFinished) this.#latest = over;
  }

  readonly #take = (piece: Buffer): void => {
    if (this.#isAside) {
      this.#parse?.(piece);
      return;
    }
    const isShort = piece.length <= requestBytesMax;
    const request = isShort ? this.#options.door + piece.toString('latin1') : undefined;
    const known = request !== undefined && this.#isQuiet() && this.#deps.atHand.get(request);
    const onSent = known && known.again(this.#address);
    if (onSent) this.#send(known.answer.octetsAt(this.#deps.clock.unixMs()), onSent);
    else this.#follow(piece, request);
  };

  /** Whether the parser has nothing under way, and the client has all that was sent. */
  #isQuiet(): boolean {
    const latest = this.#latest;
    if (!latest || latest.socket !== null || !latest.writableFinished) return false;
    return this.#socket.writable && this.#socket.writableLength === 0;
  }

  #send(octets: Buffer, onSent: () => void): void {
    const socket = this.#socket;
    socket.write(octets);
    if (socket.writableLength === 0) {
      onSent();
      return;
    }
    // A slow reader: it has as long as with any answer, and is counted when that is over.
    const { timeout: betweenMs = 0 } = socket;
    socket.setTimeout(this.#options.idleTimeoutMs);
    socket.write(nothing, () => {
      if (this.#latest?.socket === null) socket.setTimeout(betweenMs);
      onSent();
    });
  }

  /**
   * Has the parser read it, and looks at what becomes of it. What is not one request, whole and
   * alone, leaves the parser in a state that is not known here: from then on all is the parser's.
   */
  #follow(piece: Buffer, request: string | undefined): void {
    const { bytesWritten } = this.#socket;
    const wasQuiet = this.#latest === undefined || this.#isQuiet();
    this.#begun = [];
    this.#parse?.(piece);
    const [begun, another] = this.#begun;
    this.#begun = [];
    if (!begun || another || !begun.response.req.complete || !isWhole(piece)) {
      this.#isAside = true;
      return;
    }
    const { response, repeatable } = begun;
    this.#latest = response;
    if (!repeatable || !wasQuiet || request === undefined) return;
    if (!this.#deps.seen.hasSeen(piece)) return;
    const head: unknown = Reflect.get(response, '_header'); // as node:http wrote it
    const answer = typeof head === 'string' ? ReadyAnswer.of(head, repeatable.body) : undefined;
    if (!answer || answer.bytes > answerBytesMax) return;
    // Something else went out with it, such as "100 Continue".
    if (this.#socket.bytesWritten !== bytesWritten + answer.bytes) return;
    const { again } = repeatable;
    const { client } = this.#options;
    const bytes = 2 * answer.bytes; // as what it is made of, and made
    this.#deps.atHand.set(request, { answer, again }, { bytes, client });
  }
}

/** Whether the head ends where the piece does, and no sooner. */
function isWhole(piece: Buffer): boolean {
  return piece.indexOf(headEnd) === piece.length - headEnd.length;
}
