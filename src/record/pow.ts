/**
 * Proof of work: a nonce that makes a hash of kind, key and author begin with zero bits. It depends
 * on neither content nor time, so an author finds it once per key and renews for nothing.
 */
import { hash } from 'node:crypto';
import { abortReason } from '../base/abort.ts';
import { type Bytes, concatBytes, leadingZeroBits, utf8 } from '../base/bytes.ts';
import type { World } from '../base/clock.ts';
import type { RecordFields, SignedRecord } from './envelope.ts';

type Worked = Pick<SignedRecord, 'kind' | 'key' | 'author' | 'powNonce'>;

const context = utf8('altnet/pow/1\0');

/** SHA-256("altnet/pow/1\0" ‖ kind 1 ‖ key 32 ‖ author 32 ‖ nonce 8): its leading zero bits. */
export function powBitsOf({ kind, key, author, powNonce }: Worked): number {
  return leadingZeroBits(
    hash('sha256', concatBytes(context, Uint8Array.of(kind), key, author, powNonce), 'buffer'),
  );
}

export interface PowProgress {
  readonly tried: number;
  /** Tries after which the chance of success is 63 %. */
  readonly triesExpected: number;
}

export interface PowTask extends Pick<RecordFields, 'kind' | 'key'> {
  /** Ed25519 public key, 32 bytes. */
  readonly author: Bytes;
  /** Leading zero bits wanted. */
  readonly bits: number;
  readonly signal?: AbortSignal | undefined;
  /** Called after every slice of about 10 ms. */
  readonly onProgress?: ((progress: PowProgress) => void) | undefined;
}

/** About 10 ms of hashing: long enough to matter, short enough to leave requests unharmed. */
const sliceTries = 8192;

/**
 * The 8-byte nonce; zeros when no work is wanted. Gives other work its turn between slices.
 * Rejects with the signal's reason.
 */
export async function findPow(
  { kind, key, author, bits, signal, onProgress }: PowTask,
  { timers, random }: Pick<World, 'timers' | 'random'>,
): Promise<Bytes> {
  if (signal?.aborted) throw abortReason(signal);
  if (bits === 0) return new Uint8Array(8);
  const start = random.bytes(8);
  const input = Buffer.from(concatBytes(context, Uint8Array.of(kind), key, author, start));
  for (let tried = sliceTries; ; tried += sliceTries) {
    const nonce = trySlice(input, bits);
    if (nonce) return nonce;
    onProgress?.({ tried, triesExpected: 2 ** bits });
    await nextTurn(timers);
    if (signal?.aborted) throw abortReason(signal);
  }
}

/** Counts the nonce at the end of `input` up, in place, until a hash fits or the slice is over. */
function trySlice(input: Buffer, bits: number): Bytes | undefined {
  const at = input.length - 8;
  let nonce = input.readBigUInt64BE(at);
  for (let i = 0; i < sliceTries; i += 1) {
    if (leadingZeroBits(hash('sha256', input, 'buffer')) >= bits) {
      return new Uint8Array(input.subarray(at));
    }
    nonce = BigInt.asUintN(64, nonce + 1n);
    input.writeBigUInt64BE(nonce, at);
  }
  return undefined;
}

function nextTurn(timers: World['timers']): Promise<void> {
  return new Promise((resolve) => {
    timers.after(0, resolve);
  });
}
