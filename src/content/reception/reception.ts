/**
 * Receives large fetches in a thread of its own: there the octets are read, decrypted and cut into
 * frames, on connections that this thread makes itself. Starts it when somebody opens a stream, and
 * ends it when nobody has any. A thread that dies is not started again, and its streams break, as
 * they do when a peer goes: whoever fetches goes on without it. It knows no wants, and judges
 * nothing.
 */
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Abortable, untilAborted } from '../../base/abort.ts';
import { type Bytes, equalBytes } from '../../base/bytes.ts';
import type { CancelTimer, Timers } from '../../base/clock.ts';
import { AltNetError } from '../../base/errors.ts';
import type { Logger } from '../../base/logger.ts';
import { reasonOf } from '../../base/reason.ts';
import type { Certificate } from '../../peer/certificates.ts';
import type { PeerTarget } from '../../peer/host.ts';
import type { SyncStream } from '../exchange/frames.ts';
import { Slabs } from '../slabs.ts';
import { openAccount } from './account.ts';
import { Borrower, openLoans } from './lending.ts';
import { ReceivedStream } from './received-stream.ts';
import type { News, Order, ReceptionData } from './words.ts';

/** In the sources and in the bundle, the program of the thread lies beside this file. */
const program: URL = new URL(
  `reception-worker${path.extname(import.meta.filename)}`,
  import.meta.url,
);
/** With more the memory that need not be copied does not suffice, 1 MiB for each (lending.ts). */
const streamsMax = 24;
/** Each is a connection, and a peer has some for others as well. */
const streamsPerPeerMax = 4;
/** A thread that nobody uses for so long is ended. */
const restMs = 5000;

/** The host of the main thread: peers see one node, whichever thread talks to them. */
export interface ReceptionHost {
  certificate(): Promise<Certificate>;
  /** Certificates of a peer that was met; nobody else is dialled. */
  proofsOf(publicKey: Bytes): readonly string[];
}

export interface ReceptionOptions {
  readonly host: ReceptionHost;
  readonly timers: Timers;
  readonly log: Logger;
  /** Told the octets that came of a peer, as they are before encryption. */
  readonly onReceived?: ((from: Bytes, bytes: number) => void) | undefined;
  /** What the thread runs. */
  readonly program?: URL | undefined;
}

/** A thread that runs, and what there is of it. */
interface Running {
  readonly worker: Worker;
  readonly borrower: Borrower;
  readonly ended: Promise<void>;
}

export class Reception {
  readonly #options: ReceptionOptions;
  /** BOUNDED by streamsMax, see open(). */
  readonly #streams = new Map<number, ReceivedStream>();
  readonly #slabs = new Slabs(0);
  #running: Running | undefined;
  /** Those that were told to end and have not. BOUNDED by how seldom that is, see restMs. */
  readonly #ending = new Set<Promise<void>>();
  #isOver = false;
  #count = 0;
  #cancelRest: CancelTimer | undefined;

  constructor(options: ReceptionOptions) {
    this.#options = options;
  }

  /** A stream of `/altnet/sync/1`, never through a relay. Rejects with UNREACHABLE or ABORTED. */
  async open(target: PeerTarget, { signal }: Abortable = {}): Promise<SyncStream> {
    signal?.throwIfAborted();
    const { publicKey, addresses } = target;
    const proofs = this.#options.host.proofsOf(publicKey);
    if (proofs.length === 0) throw unreachable('it was never met');
    const certificate = await this.#options.host.certificate();
    signal?.throwIfAborted();
    const own = [...this.#streams.values()].filter(({ remote }) => equalBytes(remote, publicKey));
    if (this.#streams.size >= streamsMax || own.length >= streamsPerPeerMax) {
      throw unreachable('enough is received');
    }
    const { worker, borrower } = this.#start();
    const number = this.#count++;
    const say = (order: Order): void => worker.postMessage(order, []);
    const account = openAccount();
    const onReceived = (bytes: number): void => this.#options.onReceived?.(publicKey, bytes);
    const parts = { number, account, borrower, slabs: this.#slabs, say, onReceived };
    const stream = new ReceivedStream(publicKey, parts);
    this.#streams.set(number, stream);
    worker.ref(); // the process goes on as long as something is received
    say({ kind: 'open', stream: number, addresses, proofs, certificate, account });
    try {
      await untilAborted(stream.opened, signal);
      return stream;
    } catch (error) {
      stream.abort(new AltNetError('ABORTED', {}));
      throw error;
    }
  }

  /** Those that are open, or being opened. */
  get streams(): number {
    return this.#streams.size;
  }

  /** Resolves when no thread is left; streams break. */
  async stop(): Promise<void> {
    this.#isOver = true;
    this.#end();
    await Promise.all(this.#ending);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #start(): Running {
    if (this.#isOver) throw unreachable('nothing receives');
    this.#cancelRest?.();
    this.#running ??= this.#run();
    return this.#running;
  }

  #run(): Running {
    const { log } = this.#options;
    const data: ReceptionData = { lent: openLoans() };
    const worker = new Worker(this.#options.program ?? program, {
      name: 'altnet-receive',
      // It needs nothing of what this process was started with, such as what is loaded beforehand.
      execArgv: [],
      workerData: data,
    });
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    const running: Running = { worker, borrower: new Borrower(data.lent), ended };
    let why = 'it ended by itself';
    worker.on('message', (news: News) => this.#hear(news, running));
    worker.on('error', (error) => (why = reasonOf(error)));
    worker.once('exit', () => {
      resolve();
      if (this.#running !== running) return; // it was told to
      this.#running = undefined;
      this.#isOver = true;
      this.#loseAll();
      log.warn('the receiving thread died: the main thread does its work', { why });
    });
    return running;
  }

  #hear(news: News, { borrower }: Running): void {
    if (news.kind === 'frames') borrower.learn(news.made);
    const stream = this.#streams.get(news.stream);
    stream?.hear(news);
    if (news.kind !== 'over') return;
    this.#streams.delete(news.stream);
    if (this.#streams.size === 0) this.#rest();
  }

  #rest(): void {
    this.#running?.worker.unref();
    this.#cancelRest?.();
    this.#cancelRest = this.#options.timers.after(restMs, () => {
      if (this.#streams.size === 0) this.#end();
    });
  }

  #end(): void {
    this.#cancelRest?.();
    const running = this.#running;
    this.#running = undefined;
    this.#loseAll();
    if (!running) return;
    const ending = running.ended.finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
    void running.worker.terminate();
  }

  #loseAll(): void {
    for (const stream of this.#streams.values()) stream.lose('nothing receives any more');
    this.#streams.clear();
  }
}

function unreachable(why: string): AltNetError {
  return new AltNetError('UNREACHABLE', { what: 'the peer', why });
}
