/**
 * CONNECT: tunnels to hosts of the ending, which all end in this gateway itself. It opens no
 * connection to anywhere. Which hosts it takes is said in proxy.ts.
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:net';
import type { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from '../base/logger.ts';
import { reasonOf } from '../base/reason.ts';
import { clientNetworkOf } from './client-network.ts';
import { doorProblems } from './door-problems.ts';
import { othersMaxOf } from './inflight.ts';
import { type Problem, sentenceOf } from './problem.ts';
import { tunnelEndOf } from './proxy.ts';

export interface TunnelsDeps {
  readonly log: Logger;
  /** Where tunnels for HTTPS end; undefined while there are no certificates. */
  readonly secure: () => Promise<Server | undefined>;
  readonly securePort: () => number | undefined;
}

export interface TunnelsOptions {
  /** The ending of names. */
  readonly tld: string;
  readonly tunnelsMax: number;
  readonly tunnelsPerClientMax: number;
  /** This machine itself is a client like others. */
  readonly limitsLoopback: boolean;
}

interface Client {
  readonly network: string;
  /** This machine itself. */
  readonly isOwn: boolean;
}

export class Tunnels {
  readonly #deps: TunnelsDeps;
  readonly #options: TunnelsOptions;
  readonly #clients = new Map<Duplex, Client>(); // BOUNDED by tunnelsMax
  /** Answers under way on each connection. BOUNDED by the requests that Node.js reads ahead. */
  readonly #answers = new WeakMap<Duplex, ServerResponse[]>();

  constructor(deps: TunnelsDeps, options: TunnelsOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Answers every CONNECT that comes to this server, and never throws. */
  serve(server: HttpServer): void {
    server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) =>
      this.#note(socket, response),
    );
    server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      socket.on('error', () => socket.destroy()); // nobody else listens for now
      if (this.#breakOff(socket)) return;
      this.#open(server, request, { socket, head }).catch((error: unknown) => {
        this.#deps.log.error('the gateway could not open a tunnel', { why: reasonOf(error) });
        socket.destroy();
      });
    });
  }

  #note(socket: Duplex, response: ServerResponse): void {
    const answers = this.#answers.get(socket);
    if (answers) answers.push(response);
    else this.#answers.set(socket, [response]);
  }

  /** An answer on this connection is over. They end in order. */
  letGo(socket: Duplex): void {
    const answers = this.#answers.get(socket);
    while (answers?.[0]?.closed) answers.shift();
  }

  /**
   * Who asks for a tunnel before the last answer has come would get that inside of it. And Node.js
   * forgets such answers: nothing but this tells those who make them that the client has gone.
   */
  #breakOff(socket: Duplex): boolean {
    const answers = (this.#answers.get(socket) ?? []).filter((answer) => !answer.closed);
    for (const answer of answers) {
      answer.destroy();
      answer.emit('close');
    }
    if (answers.length > 0) socket.destroy();
    return answers.length > 0;
  }

  async #open(
    server: HttpServer,
    request: IncomingMessage,
    { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  ): Promise<void> {
    const { tld } = this.#options;
    const securePort = this.#deps.securePort();
    const end = tunnelEndOf(request.url ?? '', { tld, securePort });
    // A tunnel in a tunnel would lead to the same place.
    if (end === 'refused' || this.#clients.has(socket)) {
      refuse(socket, doorProblems.notProxied(tld));
      return;
    }
    const address = request.socket.remoteAddress ?? '';
    const client: Client = {
      network: clientNetworkOf(address, { limitsLoopback: true }) ?? '',
      isOwn: clientNetworkOf(address, this.#options) === undefined,
    };
    if (!this.#hasRoomFor(client)) {
      refuse(socket, doorProblems.tooManyTunnels());
      return;
    }
    this.#clients.set(socket, client);
    socket.once('close', () => this.#clients.delete(socket));
    const target = end === 'secure' ? await this.#deps.secure() : server;
    if (!target) {
      this.#clients.delete(socket);
      refuse(socket, doorProblems.noCertificates());
      return;
    }
    // The parser that has read the request is still at work, and would be given the socket again.
    await nextTurn();
    if (socket.destroyed) return;
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    // What came right behind the request is the beginning of what is said inside.
    if (head.length > 0) socket.unshift(head);
    // As if it had just been accepted: limits and timeouts are those of any connection.
    target.emit('connection', socket);
  }

  #hasRoomFor({ network, isOwn }: Client): boolean {
    const { tunnelsMax, tunnelsPerClientMax } = this.#options;
    const clients = [...this.#clients.values()];
    if (clients.length >= tunnelsMax) return false;
    const others = clients.filter((client) => !client.isOwn);
    if (!isOwn && others.length >= othersMaxOf(tunnelsMax)) return false;
    return clients.filter((client) => client.network === network).length < tunnelsPerClientMax;
  }
}

/** Browsers show nothing of this; who looks with other programs reads it. */
function refuse(socket: Duplex, { status, title, text, advice }: Problem): void {
  const body = `${title}\n\n${text}\n${advice.map(sentenceOf).join('\n')}\n`;
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'Connection: close',
  ];
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
