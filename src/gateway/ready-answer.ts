/**
 * One whole answer as it goes out: head and body in one piece, with the date of the second in which
 * it is asked for. It knows nothing of who asks, nor how long it holds.
 */
import type { Bytes } from '../base/bytes.ts';

/** "Sat, 21 Nov 2026 21:53:34 GMT": every date has this length (RFC 9110, §5.6.7). */
const dateChars = 29;
const dateName = '\r\nDate: ';
const dateField = /\r\nDate: [^\r\n]{29}\r\n/;
const headEnd = '\r\n\r\n';
/** With any other the connection ends behind the answer, and that is not done here. */
const keepsConnection = '\r\nConnection: keep-alive\r\n';

export class ReadyAnswer {
  readonly #head: string;
  readonly #dateAt: number;
  readonly #body: Bytes;
  #second = NaN;
  #octets: Buffer | undefined;

  private constructor(head: string, dateAt: number, body: Bytes) {
    this.#head = head;
    this.#dateAt = dateAt;
    this.#body = body;
  }

  /** `head` as it went out, to its empty line. Undefined for one that cannot be given again. */
  static of(head: string, body: Bytes): ReadyAnswer | undefined {
    const fieldAt = head.search(dateField);
    if (fieldAt < 0 || !head.includes(keepsConnection) || !head.endsWith(headEnd)) return undefined;
    return new ReadyAnswer(head, fieldAt + dateName.length, body);
  }

  /** Of what goes out. */
  get bytes(): number {
    return this.#head.length + this.#body.length;
  }

  /** Made anew for each second, and never changed: a socket may still hold those of the last. */
  octetsAt(unixMs: number): Buffer {
    const second = Math.floor(unixMs / 1000);
    if (this.#octets && second === this.#second) return this.#octets;
    const [head, dateAt] = [this.#head, this.#dateAt];
    const date = new Date(second * 1000).toUTCString();
    const octets = Buffer.allocUnsafeSlow(this.bytes); // a share of a pool would hold all of it
    octets.write(head.slice(0, dateAt) + date + head.slice(dateAt + dateChars), 'latin1');
    octets.set(this.#body, head.length);
    this.#octets = octets;
    this.#second = second;
    return octets;
  }
}
