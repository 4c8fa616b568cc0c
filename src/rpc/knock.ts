/**
 * Knocking: one PING from a port that never talked to its target, so that it arrives only where
 * strangers are let in (docs/spec/packets.md, "REACH"). It waits for no answer: whether the PING
 * came in is the target's to know. It does not know who asked for it, or why.
 */
import { formatEndpoint, type Endpoint } from '../base/address.ts';
import type { Bytes } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError } from '../base/errors.ts';
import type { Contact } from '../identity/contact.ts';
import { encodeRequest, type RequestHead } from '../wire/requests.ts';
import type { Counters } from './counters.ts';
import type { OutgoingGate } from './gate.ts';
import type { Peers } from './peers.ts';
import type { Sealing } from './sealing.ts';
import { Slots } from './slots.ts';
import { sendFromFreePort } from './socket.ts';

export interface KnockerDeps {
  readonly world: World;
  readonly peers: Peers;
  readonly sealing: Sealing;
  readonly gate: OutgoingGate;
  readonly counters: Counters;
  /** Everything of a request's head but the token. */
  readonly head: (to: Endpoint) => Omit<RequestHead, 'token'>;
  /** The local address, wildcards too, that reaches addresses of so many octets. */
  readonly localIp: (ipBytes: number) => Bytes | undefined;
}

/** Each has a socket of its own for a moment; others name the targets, so there are few at once. */
const atOnce = { runningMax: 8, waitingMax: 32 };

export class Knocker {
  readonly #deps: KnockerDeps;
  readonly #slots = new Slots(atOnce);
  readonly #running = new Set<Promise<void>>(); // BOUNDED by atOnce

  constructor(deps: KnockerDeps) {
    this.#deps = deps;
  }

  /** Resolves when the PING has left. Rejects with UNREACHABLE, ABORTED or the signal's reason. */
  async knock(to: Contact, nonce: Bytes, signal: AbortSignal | undefined): Promise<void> {
    const what = formatEndpoint(to.endpoint);
    const running = this.#slots.run({ what, signal }, () => this.#send(to, nonce));
    this.#running.add(running);
    try {
      await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Resolves when the last socket is closed. */
  async stop(): Promise<void> {
    this.#slots.close();
    await Promise.allSettled(this.#running);
  }

  async #send(to: Contact, nonce: Bytes): Promise<void> {
    const { world, peers, sealing, gate, counters, head, localIp } = this.#deps;
    const { endpoint } = to;
    const refusal = gate.refusal(endpoint);
    if (refusal) throw unreachable(endpoint, refusal);
    const from = localIp(endpoint.ip.length);
    if (!from) throw unreachable(endpoint, 'EAFNOSUPPORT');
    const responder = peers.responder(to.publicKey);
    const payload = encodeRequest(
      { method: 'ping', nonce },
      { ...head(endpoint), token: undefined },
    );
    const sealed = responder && sealing.seal(responder, { txid: world.random.bytes(8), payload });
    if (!sealed) throw unreachable(endpoint, 'its key is not a usable one');
    gate.noteSent(endpoint);
    counters.add('knock.sent');
    const failure = await sendFromFreePort(from, endpoint, sealed.init);
    if (failure !== undefined) throw unreachable(endpoint, failure);
  }
}

function unreachable(endpoint: Endpoint, why: string): AltNetError {
  return new AltNetError('UNREACHABLE', { what: formatEndpoint(endpoint), why });
}
