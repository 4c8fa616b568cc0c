/** Our own question to another resolver, in octets. Pure. */
import type { Bytes } from '../../base/bytes.ts';
import { edns, flags, headerBytes, types } from '../codes.ts';
import type { Query } from '../query.ts';

export interface Question {
  /** Name, type and class in lower case, one character per octet. */
  readonly key: string;
  readonly dnssecOk: boolean;
  readonly checkingDisabled: boolean;
}

export function questionOf({ key, edns: extension, flags: asked }: Query): Question {
  return {
    key,
    dnssecOk: extension?.dnssecOk === true,
    checkingDisabled: (asked & flags.checkingDisabled) !== 0,
  };
}

/** Under which its answer is remembered: with DO and CD there are other records in it. */
export function cacheKey({ key, dnssecOk, checkingDisabled }: Question): string {
  return `${key}${dnssecOk ? 'D' : '-'}${checkingDisabled ? 'C' : '-'}`;
}

/** Of the client nothing but what it asks goes out: not its ID, its spelling, its options. */
export function encodeQuestion(
  { key, dnssecOk, checkingDisabled }: Question,
  { id, withOpt }: { readonly id: number; readonly withOpt: boolean },
): Bytes {
  const message = Buffer.alloc(headerBytes + key.length + (withOpt ? 11 : 0));
  message.writeUInt16BE(id, 0);
  // AD: that the answer was validated may be said also to who did not ask for signatures.
  const asked = flags.recursionDesired | flags.authenticData;
  message.writeUInt16BE(asked | (checkingDisabled ? flags.checkingDisabled : 0), 2);
  message.writeUInt16BE(1, 4);
  message.write(key, headerBytes, 'latin1');
  if (!withOpt) return message;
  const at = headerBytes + key.length;
  message.writeUInt16BE(1, 10);
  message.writeUInt16BE(types.opt, at + 1);
  message.writeUInt16BE(edns.udpBytes, at + 3);
  message.writeUInt16BE(dnssecOk ? edns.dnssecOk : 0, at + 7);
  return message;
}
