/**
 * The program of the receiving thread: dials peers as this node, on connections of its own, and has
 * what they send received. It decides nothing: whom to dial, what to ask and what to believe is
 * said by the main thread. It loads no libp2p: that would take longer to start than all the rest.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemWorld } from '../../base/clock.ts';
import { parseMultiaddr } from '../../peer/address.ts';
import { dialLone } from '../../peer/lone/dial.ts';
import { LoneStream } from '../../peer/lone/stream.ts';
import { syncProtocol } from '../exchange/frames.ts';
import { Untaken } from './account.ts';
import { Lender } from './lending.ts';
import { Receiver, roomBytes } from './receiver.ts';
import type { News, Order, ReceptionData } from './words.ts';

type OpenOrder = Order & { readonly kind: 'open' };

/** Addresses of one peer that are dialled. */
const addressesMax = 8;

interface Open {
  readonly stream: LoneStream;
  readonly receiver: Receiver;
}

class Receivers {
  readonly #port: MessagePort;
  readonly #lender: Lender;
  /** BOUNDED by the main thread, which opens a few for each fetch. */
  readonly #open = new Map<number, Open>();
  /** Those that are dialled. BOUNDED likewise. */
  readonly #opening = new Map<number, AbortController>();

  constructor(port: MessagePort, { lent }: ReceptionData) {
    this.#port = port;
    this.#lender = new Lender(lent);
  }

  obey(order: Order): void {
    if (order.kind === 'open') return void this.#receive(order);
    const { stream, receiver } = this.#open.get(order.stream) ?? {};
    if (order.kind === 'took') receiver?.took();
    else if (order.kind === 'write') stream?.write(order.bytes);
    else if (order.kind === 'close') stream?.close();
    else {
      this.#opening.get(order.stream)?.abort();
      stream?.abort(new Error('given up'));
    }
  }

  /** Never rejects. */
  async #receive(order: OpenOrder): Promise<void> {
    const { stream: number, proofs, certificate } = order;
    const opening = new AbortController();
    this.#opening.set(number, opening);
    const endpoints = order.addresses.flatMap((text) => parseMultiaddr(text) ?? []);
    try {
      const target = { endpoints: endpoints.slice(0, addressesMax), proofs };
      const tls = await dialLone(target, { certificate, signal: opening.signal });
      const { timers } = systemWorld;
      const untaken = new Untaken(order.account);
      const parts = { number, lender: this.#lender, untaken, timers, say: this.#say };
      const receiver = new Receiver(parts);
      const stream = new LoneStream(tls, {
        protocol: syncProtocol,
        creditBytes: roomBytes,
        take: (memory, from, to) => receiver.take(memory, from, to),
        over: (failure) => {
          this.#open.delete(number);
          receiver.over(failure);
        },
      });
      this.#open.set(number, { stream, receiver });
      this.#say({ kind: 'opened', stream: number });
      receiver.listen(stream);
      stream.start();
    } catch (error) {
      const why = error instanceof Error ? error.message : 'no connection';
      this.#say({ kind: 'over', stream: number, end: 'broken', why });
    } finally {
      this.#opening.delete(number);
    }
  }

  readonly #say = (news: News): void => this.#port.postMessage(news, []);
}

if (parentPort) {
  const receivers = new Receivers(parentPort, workerData as ReceptionData);
  parentPort.on('message', (order: Order) => receivers.obey(order));
}
