/**
 * Requests that come again and again, answered without being read anew (docs/spec/http.md, "Answers
 * at hand"): it follows the connections of servers, and keeps what may be repeated for all of them.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import { servernameOf } from './asked.ts';
import { AtHand, type AtHandLimits } from './at-hand.ts';
import { clientNetworkOf } from './client-network.ts';
import { Conversation, type Known, type Repeatable } from './conversation.ts';
import { Seen } from './seen.ts';

export interface RepeatsOptions extends AtHandLimits {
  readonly idleTimeoutMs: number;
}

/** Requests that are remembered to have come: those of many pages. */
const seenMax = 16_384;

export class Repeats {
  readonly #clock: Pick<Clock, 'unixMs'>;
  readonly #options: RepeatsOptions;
  readonly #atHand: AtHand<Known>;
  readonly #seen = new Seen(seenMax);
  readonly #conversations = new WeakMap<object, Conversation>(); // BOUNDED by the connections
  #isStopped = false;

  constructor(clock: Pick<Clock, 'unixMs'>, options: RepeatsOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#atHand = new AtHand(options);
  }

  /** `event`: with which the server gives a connection to node:http. */
  follow(server: Server, event: 'connection' | 'secureConnection'): void {
    server.on(event, (socket: Socket) => this.#begin(socket));
    // Tunnels begin at the plain door alone. Where nobody listens for them, Node.js refuses them.
    if (event === 'secureConnection') return;
    server.prependListener('connect', (_request: IncomingMessage, socket: Socket) =>
      this.#conversations.get(socket)?.stop(),
    );
  }

  /** Whatever node:http reads and has answered, with what may be repeated of it. */
  note(
    { socket }: IncomingMessage,
    response: ServerResponse,
    repeatable: Repeatable | undefined,
  ): void {
    this.#conversations.get(socket)?.note(response, this.#isStopped ? undefined : repeatable);
  }

  /** The answer is over: nothing of it is to be held. */
  letGo({ socket }: IncomingMessage, response: ServerResponse): void {
    this.#conversations.get(socket)?.letGo(response);
  }

  /** From now on everything is answered anew. */
  stop(): void {
    this.#isStopped = true;
    this.#atHand.clear();
  }

  #begin(socket: Socket): void {
    const { idleTimeoutMs } = this.#options;
    const client = clientNetworkOf(socket.remoteAddress ?? '', { limitsLoopback: true }) ?? '';
    const deps = { atHand: this.#atHand, seen: this.#seen, clock: this.#clock };
    const door = doorOf(socket);
    const conversation = new Conversation(socket, deps, { client, door, idleTimeoutMs });
    if (conversation.start()) this.#conversations.set(socket, conversation);
  }
}

/**
 * For which site a connection by TLS was made, and at which port, decides what is answered. A line
 * in any case: nobody is to say as a request what is known here of a connection.
 */
function doorOf(socket: Socket): string {
  const servername = servernameOf({ socket });
  return servername === undefined ? '\n' : `${socket.localPort} ${servername}\n`;
}
