/**
 * One connection over HTTP/1.1, octet by octet: what is sent is what the test says, and what comes
 * back is cut into answers. It believes the Content-Length that every answer here has.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { atEnd } from './cleanup.ts';

export class HttpTalk {
  readonly socket: Duplex;
  #received = '';
  #isOver = false;
  #onMore: () => void = () => undefined;

  constructor(socket: Duplex) {
    this.socket = socket;
    socket.on('data', (piece: Buffer) => {
      this.#received += piece.toString('latin1');
      this.#onMore();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#isOver = true;
      this.#onMore();
    });
  }

  send(text: string): void {
    this.socket.write(text, 'latin1');
  }

  /** The next answer, as text; what there is of it where the connection ends before. */
  async answer({ hasBody = true }: { readonly hasBody?: boolean } = {}): Promise<string> {
    for (;;) {
      const length = lengthOf(this.#received, hasBody);
      if (length !== undefined && this.#received.length >= length) return this.#take(length);
      if (this.#isOver) return this.#take(this.#received.length);
      await new Promise<void>((resolve) => (this.#onMore = resolve));
    }
  }

  /** Sends it and gives its answer. */
  ask(text: string): Promise<string> {
    this.send(text);
    return this.answer({ hasBody: !text.startsWith('HEAD') });
  }

  /** All that comes until the connection ends. */
  async rest(): Promise<string> {
    while (!this.#isOver) await new Promise<void>((resolve) => (this.#onMore = resolve));
    return this.#take(this.#received.length);
  }

  #take(length: number): string {
    const text = this.#received.slice(0, length);
    this.#received = this.#received.slice(length);
    return text;
  }
}

export async function talkTo(t: TestContext, port: number): Promise<HttpTalk> {
  const socket: Socket = connect({ port, host: '127.0.0.1', noDelay: true });
  atEnd(t, () => socket.destroy());
  await once(socket, 'connect');
  return new HttpTalk(socket);
}

/** With what is said before it ("100 Continue"). Undefined as long as its head is not all there. */
function lengthOf(text: string, hasBody: boolean): number | undefined {
  const [before = ''] = /^(?:HTTP\/1\.1 1\d\d [^]*?\r\n\r\n)*/.exec(text) ?? [];
  const end = text.indexOf('\r\n\r\n', before.length);
  if (end < 0) return undefined;
  const head = text.slice(before.length, end);
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  return end + 4 + (hasBody && !head.startsWith('HTTP/1.1 304') ? Number(length ?? 0) : 0);
}

/** Without its date, which is that of the moment. */
export function undated(answers: string): string {
  return answers.replaceAll(/^Date: .*\r\n/gm, '');
}
