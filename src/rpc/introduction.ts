/**
 * WHO and IAM: how a plain address becomes a contact in one round trip. The answer is signed over
 * the asker's txid, so it cannot be replayed, and shorter than the question.
 */
import { type Endpoint, formatEndpoint } from '../base/address.ts';
import { type Bytes, concatBytes, utf8 } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import { AltNetError, isAltNetError } from '../base/errors.ts';
import { type Contact, contactOf } from '../identity/contact.ts';
import { type SigningKey, verifySignature } from '../identity/key.ts';
import { isFailure } from '../wire/failure.ts';
import { decodeIam, decodeWho, encodeIam, encodeWho, type IamPacket } from '../wire/packets.ts';
import { TokenBucket } from '../base/buckets.ts';
import type { Counters } from './counters.ts';
import type { OutgoingGate } from './gate.ts';
import { Pending } from './pending.ts';
import { askUntilAnswered } from './retransmission.ts';
import type { RetransmissionTimeout } from './rto.ts';
import type { Arrival, SourceLimits } from './source.ts';

export interface IntroductionDeps {
  readonly world: World;
  readonly key: SigningKey;
  /** The network ID, 16 bytes. */
  readonly network: Bytes;
  readonly limits: SourceLimits;
  readonly gate: OutgoingGate;
  readonly rto: RetransmissionTimeout;
  readonly counters: Counters;
  readonly send: (to: Endpoint, datagram: Bytes, onError: (why: string) => void) => void;
}

/** Signatures for strangers, of all addresses together, loopback too: 25 µs each. */
const signatures = { perSecond: 200, burst: 200 };
/** Signatures that are verified for one question, at 60 µs each. */
const verificationsMax = 4;

export class Introduction {
  readonly #deps: IntroductionDeps;
  readonly #pending = new Pending<IamPacket>();
  readonly #signatures: TokenBucket;

  constructor(deps: IntroductionDeps) {
    this.#deps = deps;
    this.#signatures = new TokenBucket(deps.world.clock, signatures);
  }

  /** The contact that proves to be there. Rejects with TIMEOUT, UNREACHABLE or the abort reason. */
  async identify(endpoint: Endpoint, signal: AbortSignal): Promise<Contact> {
    const { world, gate, rto } = this.#deps;
    const address = formatEndpoint(endpoint);
    const refusal = gate.refusal(endpoint, { named: true });
    if (refusal) throw new AltNetError('UNREACHABLE', { what: address, why: refusal });
    try {
      return await askUntilAnswered<Contact>(
        { timers: world.timers, waitsMs: rto.waitsMs(address), what: `WHO to ${address}`, signal },
        (settle) => {
          const txid = world.random.bytes(8);
          gate.noteSent(endpoint);
          this.#deps.send(endpoint, encodeWho({ txid }), (why) =>
            settle.fail(new AltNetError('UNREACHABLE', { what: address, why })),
          );
          return this.#expect(txid, endpoint, (contact) => settle.answer(contact));
        },
      );
    } catch (error) {
      if (isAltNetError(error, 'TIMEOUT')) gate.noteFailed(endpoint);
      throw error;
    }
  }

  /** A datagram of type WHO. */
  receiveWho(datagram: Bytes, source: Arrival): void {
    const { limits, key, counters } = this.#deps;
    const who = decodeWho(datagram);
    if (isFailure(who)) return counters.add(`who.${who}`);
    if (!limits.take(source) || !this.#signatures.take()) return counters.add('who.rate');
    const { publicKey } = key;
    const signature = key.sign(this.#signedBytes({ txid: who.txid, publicKey }));
    counters.add('iam.sent');
    source.reply(encodeIam({ txid: who.txid, publicKey, signature }));
  }

  /** A datagram of type IAM. */
  receiveIam(datagram: Bytes, from: Endpoint): void {
    const { counters } = this.#deps;
    const iam = decodeIam(datagram);
    if (isFailure(iam)) return counters.add(`iam.${iam}`);
    if (!this.#pending.deliver(iam.txid, from, iam)) counters.add('iam.unasked');
  }

  #expect(txid: Bytes, endpoint: Endpoint, answer: (contact: Contact) => void): () => void {
    const { gate, counters } = this.#deps;
    let verifications = verificationsMax;
    return this.#pending.add(txid, endpoint, ({ publicKey, signature }) => {
      if (verifications-- <= 0) return;
      const message = this.#signedBytes({ txid, publicKey });
      if (!verifySignature({ publicKey, message, signature })) {
        return counters.add('iam.signature');
      }
      gate.noteAnswered(endpoint);
      answer(contactOf(publicKey, endpoint));
    });
  }

  #signedBytes({ txid, publicKey }: { txid: Bytes; publicKey: Bytes }): Bytes {
    return concatBytes(label, this.#deps.network, txid, publicKey);
  }
}

const label = utf8('altnet/iam/1\0');
