/** One writer of a holding, as its user has it in hand. */
import type { Bytes } from '../base/bytes.ts';
import { AltNetError } from '../base/errors.ts';
import type { Block, Holding, HoldingKind, Likeness } from '../content/ports.ts';
import { inOrderOfHash } from './hash-order.ts';
import type { OpenHolding } from './open-holdings.ts';
import type { SharingAsked } from './sharing.ts';
import type { Completion, Reservation, Write } from './write-requests.ts';

/** What a writer asks for; each runs in the order in which it was asked. */
export interface WriterPort {
  write(write: Write): void;
  /** Gives back what is still to be named one by one. */
  share(open: OpenHolding, reservation: Reservation, asked: SharingAsked): Promise<Iterable<Bytes>>;
  reserve(open: OpenHolding, reservation: Reservation, bytes: number): Promise<void>;
  requireRoom(open: OpenHolding, reservation: Reservation, bytes: number): Promise<void>;
  /** Gives back the holding that stands for the root from now on. */
  complete(open: OpenHolding, done: Completion): Promise<OpenHolding>;
  close(open: OpenHolding, reservation: Reservation): Promise<void>;
}

/** What one commit names is a few of these. */
const hashesAtOnce = 1024;

export class HoldingWriter implements Holding {
  readonly #port: WriterPort;
  readonly #reservation: Reservation;
  #open: OpenHolding;
  #closing: Promise<void> | undefined;

  constructor(port: WriterPort, open: OpenHolding, by: HoldingKind) {
    this.#port = port;
    this.#reservation = { by, bytes: 0, origin: undefined };
    this.#open = open;
  }

  async putAll(blocks: readonly Block[]): Promise<void> {
    await this.#write({ blocks, hashes: [] });
  }

  async adopt(
    hashes: Iterable<Bytes>,
    { like }: { readonly like?: Likeness | undefined } = {},
  ): Promise<readonly Bytes[]> {
    if (!like) return this.#write({ blocks: [], hashes: [...hashes] });
    this.#requireOpen();
    const rest = await this.#port.share(this.#open, this.#reservation, { like, hashes });
    const sorted = inOrderOfHash([...rest]);
    const writes = Array.from({ length: Math.ceil(sorted.length / hashesAtOnce) }, (_, i) =>
      this.#write({ blocks: [], hashes: sorted.slice(i * hashesAtOnce, (i + 1) * hashesAtOnce) }),
    );
    return (await Promise.all(writes)).flat();
  }

  async reserve(bytes: number): Promise<void> {
    this.#requireOpen();
    await this.#port.reserve(this.#open, this.#reservation, bytes);
  }

  async requireRoom(bytes: number): Promise<void> {
    this.#requireOpen();
    await this.#port.requireRoom(this.#open, this.#reservation, bytes);
  }

  async complete(done: Completion): Promise<void> {
    this.#requireOpen();
    this.#open = await this.#port.complete(this.#open, done);
  }

  close(): Promise<void> {
    this.#closing ??= this.#port.close(this.#open, this.#reservation);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #write({ blocks, hashes }: Pick<Write, 'blocks' | 'hashes'>): Promise<readonly Bytes[]> {
    this.#requireOpen();
    const { promise, resolve, reject } = Promise.withResolvers<readonly Bytes[]>();
    const reservation = this.#reservation;
    this.#port.write({ open: this.#open, blocks, hashes, reservation, resolve, reject });
    return promise;
  }

  #requireOpen(): void {
    if (this.#closing) throw new AltNetError('INTERNAL', { what: 'a closed holding is written' });
  }
}
