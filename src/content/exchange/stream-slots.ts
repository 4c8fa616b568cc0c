/**
 * How many streams are open to one peer at the same time. A peer answers only so many of them, so
 * whoever wants more waits here instead of being turned away there. It knows nothing of streams.
 */
import { abortReason } from '../../base/abort.ts';

interface Peer {
  open: number;
  /** In order of arrival. BOUNDED by the callers, who each wait for one slot. */
  readonly waiting: Set<() => void>;
}

export class StreamSlots {
  readonly #slotsMax: number;
  // BOUNDED by the callers: a peer without any is removed
  readonly #peers = new Map<string, Peer>();

  constructor(slotsMax: number) {
    this.#slotsMax = slotsMax;
  }

  /** Resolves with what gives the slot back, to be called at least once. */
  async take(name: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    const peer = this.#peers.get(name) ?? { open: 0, waiting: new Set() };
    this.#peers.set(name, peer);
    if (peer.open < this.#slotsMax) peer.open++;
    else await turnOf(peer, signal);
    let given = false;
    return () => {
      if (!given) this.#give(name, peer);
      given = true;
    };
  }

  /** Straight to whoever waits longest. */
  #give(name: string, peer: Peer): void {
    const [next] = peer.waiting;
    if (next) {
      peer.waiting.delete(next);
      next();
      return;
    }
    peer.open--;
    if (peer.open === 0) this.#peers.delete(name);
  }
}

async function turnOf({ waiting }: Peer, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => {
    // Whoever got the slot already keeps it, and gives it back.
    if (waiting.delete(resolve)) reject(abortReason(signal));
  };
  waiting.add(resolve);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
