/**
 * Datagrams to and from handshakes: what the prologue binds and where the MACs go
 * (docs/spec/noise.md). It knows nothing of sockets, time or what payloads mean.
 */
import { type Bytes, concatBytes, utf8 } from '../base/bytes.ts';
import { hmacSha256 } from '../base/hash.ts';
import type { NoiseCrypto } from '../noise/crypto.ts';
import { InitiatorHandshake, type RemoteStatic, ResponderHandshake } from '../noise/ik.ts';
import {
  encodeHead,
  encodeInit,
  encodeResp,
  type InitPacket,
  mac1Parts,
  macBytes,
  packetTypes,
  setMac1,
} from '../wire/packets.ts';
import type { OwnKeys, Peers, Responder } from './peers.ts';
import { equalMacs } from './rotating-secret.ts';

/** A request that waits for its reply. */
export interface SealedRequest {
  readonly init: Bytes;
  /** The reply's payload; undefined when this is not the reply. */
  readonly open: (message2: Bytes) => Bytes | undefined;
}

/** A request that was opened. */
export interface OpenedRequest {
  readonly payload: Bytes;
  readonly rs: RemoteStatic;
  /** The RESP that carries the payload. */
  readonly reply: (payload: Bytes) => Bytes | undefined;
}

const prologueLabel = utf8('altnet/1 IK 25519 AESGCM SHA256\0');

export class Sealing {
  readonly #crypto: NoiseCrypto;
  readonly #networkId: Bytes;
  readonly #own: OwnKeys;
  readonly #peers: Peers;

  constructor(
    crypto: NoiseCrypto,
    { networkId, own, peers }: { networkId: Bytes; own: OwnKeys; peers: Peers },
  ) {
    this.#crypto = crypto;
    this.#networkId = networkId;
    this.#own = own;
    this.#peers = peers;
  }

  /** Undefined when the responder's key refuses the DH. */
  seal(
    { publicKey, rs, mac1Key }: Responder,
    { txid, payload }: { txid: Bytes; payload: Bytes },
  ): SealedRequest | undefined {
    const head = encodeHead(packetTypes.init, txid);
    const prologue = this.#prologue(publicKey, head);
    const handshake = new InitiatorHandshake(this.#crypto, { s: this.#own.s, rs, prologue });
    const message1 = handshake.writeMessage1(payload);
    if (!message1) return undefined;
    const init = encodeInit({ txid, message1 });
    setMac1(init, mac1Of(mac1Key, init));
    return { init, open: (message2) => handshake.readMessage2(message2) };
  }

  /** Whether the sender knows this node's key. Costs one HMAC. */
  mac1Verifies(init: InitPacket): boolean {
    return equalMacs(init.mac1, mac1Of(this.#own.mac1Key, init.bytes));
  }

  /** Undefined unless the request was sealed for this node, this network and these octets. */
  open(init: InitPacket): OpenedRequest | undefined {
    const handshake = new ResponderHandshake(this.#crypto, {
      s: this.#own.s,
      prologue: this.#prologue(this.#own.publicKey, init.head),
      remoteStatic: (u) => this.#peers.remoteStatic(u),
    });
    const read = handshake.readMessage1(init.message1);
    if (!read) return undefined;
    this.#peers.keep(read.rs);
    const txid = init.txid.slice();
    return {
      payload: read.payload,
      rs: read.rs,
      reply(payload) {
        const message2 = handshake.writeMessage2(payload);
        return message2 && encodeResp({ txid, message2 });
      },
    };
  }

  /** Names the responder's Ed25519 key, because A and −A have the same X25519 key. */
  #prologue(responderPublicKey: Bytes, head: Bytes): Bytes {
    return concatBytes(prologueLabel, this.#networkId, responderPublicKey, head);
  }
}

function mac1Of(key: Bytes, init: Bytes): Bytes {
  return hmacSha256(key, ...mac1Parts(init)).subarray(0, macBytes);
}
