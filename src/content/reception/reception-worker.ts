/**
 * The program of the receiving thread: dials peers with the key of this node, on connections of its
 * own, and has what they send received. It decides nothing: whom to dial, what to ask and what to
 * believe is said by the main thread.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { systemWorld } from '../../base/clock.ts';
import { SigningKey } from '../../identity/key.ts';
import { PeerHost } from '../../peer/host.ts';
import { syncProtocol } from '../exchange/frames.ts';
import { Lender } from './lending.ts';
import { Receiver } from './receiver.ts';
import type { News, Order, ReceptionData } from './words.ts';

/** Little waits here: what the main thread does not take waits at the peer. */
const unreadBytesMax = 256 * 1024;

class Receivers {
  readonly #host: PeerHost;
  readonly #started: Promise<void>;
  readonly #port: MessagePort;
  readonly #lender = new Lender();
  /** BOUNDED by the main thread, which opens a few for each fetch. */
  readonly #open = new Map<number, Receiver>();
  /** Those that are dialled. BOUNDED likewise. */
  readonly #opening = new Map<number, AbortController>();

  constructor(port: MessagePort, { seed }: ReceptionData) {
    this.#port = port;
    this.#host = new PeerHost({ key: new SigningKey('node', seed), listen: [] });
    this.#started = this.#host.start();
    this.#started.catch(() => undefined); // told to whoever opens a stream
  }

  obey(order: Order): void {
    if (order.kind === 'open') return void this.#receive(order);
    const receiver = this.#open.get(order.stream);
    if (order.kind === 'took') {
      this.#lender.back(order.free);
      receiver?.took(order.bytes);
    } else if (order.kind === 'write') receiver?.write(order.bytes);
    else if (order.kind === 'close') receiver?.close();
    else {
      this.#opening.get(order.stream)?.abort();
      receiver?.abort();
    }
  }

  /** Never rejects. */
  async #receive({ stream: number, target }: Order & { readonly kind: 'open' }): Promise<void> {
    const say = (news: News): void => this.#port.postMessage(news, []);
    const opening = new AbortController();
    this.#opening.set(number, opening);
    try {
      await this.#started;
      const { signal } = opening;
      const how = { direct: true, unreadBytesMax, signal };
      const stream = await this.#host.open(target, syncProtocol, how);
      const { timers } = systemWorld;
      const receiver = new Receiver(stream, { number, lender: this.#lender, timers, say });
      this.#open.set(number, receiver);
      say({ kind: 'opened', stream: number });
      await receiver.run();
    } catch (error) {
      const why = error instanceof Error ? error.message : 'no connection';
      say({ kind: 'over', stream: number, end: 'broken', why });
    } finally {
      this.#opening.delete(number);
      this.#open.delete(number);
    }
  }
}

if (parentPort) {
  const receivers = new Receivers(parentPort, workerData as ReceptionData);
  parentPort.on('message', (order: Order) => receivers.obey(order));
}
