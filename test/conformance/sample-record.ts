/** Records for the conformance suites: well-formed and signed, of no particular meaning. */
import type { Bytes } from '../../src/base/bytes.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { encodeBody } from '../../src/record/body.ts';
import { seqOf, type SignedRecord, signRecord } from '../../src/record/envelope.ts';
import { recordKinds } from '../../src/record/kinds.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';

const author = new SigningKey('author', new Uint8Array(32).fill(9));
const network = networkId(networkProfiles.local);

/** 32 bytes that start with `first`. */
export function sampleKey(first: number): Bytes {
  const key = new Uint8Array(32).fill(0x55);
  key[0] = first;
  return key;
}

/** Records that differ in any argument differ in their bytes. */
export function sampleRecord(key: Bytes, version = 1): SignedRecord {
  const fields = {
    kind: recordKinds.link,
    tombstone: false,
    key,
    seq: seqOf(0, version),
    issued: 1_767_225_600,
    expires: 1_767_312_000,
    powNonce: new Uint8Array(8),
    body: encodeBody(new Map([[1, 'https://example.org/']])),
  };
  return signRecord(fields, author, network);
}
