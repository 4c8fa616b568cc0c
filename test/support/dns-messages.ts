/** DNS messages for tests, written and read by a library that knows nothing of our own code. */
import assert from 'node:assert/strict';
import { type Answer, type DecodedPacket, decode, encode, type RecordType } from 'dns-packet';
import { parseQuery, type Query } from '../../src/dns/query.ts';

export interface QueryInput {
  readonly name: string;
  readonly type?: RecordType;
  readonly id?: number;
  /** Left out: no EDNS. */
  readonly edns?: {
    readonly udpBytes?: number;
    readonly dnssecOk?: boolean;
    /** Octets that only make it longer. */
    readonly padding?: number;
  };
  /** Bits of the header; RD when left out. */
  readonly flags?: number;
}

const recursionDesired = 0x0100;
export const dnssecOk = 0x8000;

export function encodeQuery(input: QueryInput): Buffer {
  const { name, type = 'A', id = 4711, edns, flags = recursionDesired } = input;
  return encode({
    type: 'query',
    id,
    flags,
    questions: [{ name, type, class: 'IN' }],
    ...(edns && { additionals: [optRecord(edns)] }),
  });
}

function optRecord({
  udpBytes = 1232,
  dnssecOk: wanted = false,
  padding,
}: NonNullable<QueryInput['edns']>): Answer {
  return {
    name: '.',
    type: 'OPT',
    udpPayloadSize: udpBytes,
    extendedRcode: 0,
    ednsVersion: 0,
    flags: wanted ? dnssecOk : 0,
    flag_do: wanted,
    options: padding === undefined ? [] : [{ type: 'PADDING', code: 12, length: padding }],
  };
}

/** As our own reader sees it. */
export function queryOf(input: QueryInput): Query {
  const parsed = parseQuery(encodeQuery(input), 65_535);
  assert.equal(parsed.kind, 'query');
  return parsed.kind === 'query' ? parsed.query : assert.fail();
}

export interface ReadAnswer extends DecodedPacket {
  readonly rcode: number;
  readonly isTruncated: boolean;
}

export function decodeAnswer(message: Uint8Array): ReadAnswer {
  const packet = decode(Buffer.from(message));
  const opt = packet.additionals?.find(({ type }) => type === 'OPT');
  const upper = opt?.type === 'OPT' ? opt.extendedRcode : 0;
  const flags = Buffer.from(message).readUInt16BE(2);
  return { ...packet, rcode: (flags & 15) | (upper << 4), isTruncated: (flags & 0x0200) !== 0 };
}

/** "name type ttl data" of each record of a section. */
export function linesOf(records: readonly Answer[] | undefined): string[] {
  return (records ?? []).map((one) => {
    const ttl = 'ttl' in one ? one.ttl : '';
    const data = 'data' in one ? JSON.stringify(one.data) : '';
    return `${one.name} ${one.type} ${ttl} ${data.replaceAll('"', '')}`;
  });
}
