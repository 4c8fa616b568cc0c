/**
 * The few records that this node makes itself, as octets: where names lead to, and that there is
 * nothing more. They are made once, at the start. Knows no question.
 */
import { type Answer, encode } from 'dns-packet';
import { isIPv4 } from 'node:net';
import type { Bytes } from '../base/bytes.ts';
import { headerBytes } from './codes.ts';

/** A site stays where it is, at the gateway: only its name may go. */
export const addressTtlSeconds = 60;
/** How long resolvers may say for themselves that there is nothing: a new name is to open soon. */
export const nothingTtlSeconds = 10;
/** RFC 8482 asks for a long one: whoever asks ANY gets the same again and again. */
const anyTtlSeconds = 3600;

/** Records of one section. */
export interface Section {
  readonly count: number;
  readonly octets: Bytes;
}

export const noRecords: Section = { count: 0, octets: new Uint8Array(0) };

/**
 * Points to the name of the question, wherever it stands in the message: always after the header.
 */
const questionName = Uint8Array.of(0xc0, 0x0c);

/** Addresses of the name that was asked for, by family; undefined where there is none. */
export interface AddressRecords {
  readonly v4: Section | undefined;
  readonly v6: Section | undefined;
}

export function addressRecords(ips: readonly string[]): AddressRecords {
  const [v4, v6] = [ips.find((ip) => isIPv4(ip)), ips.find((ip) => !isIPv4(ip))];
  const ttl = addressTtlSeconds;
  return {
    v4: v4 === undefined ? undefined : ofQuestion({ ...own, type: 'A', ttl, data: v4 }),
    v6: v6 === undefined ? undefined : ofQuestion({ ...own, type: 'AAAA', ttl, data: v6 }),
  };
}

/** What ANY is answered with, whatever there is (RFC 8482, 4.2). */
export function anyRecord(): Section {
  const data = { cpu: 'RFC8482', os: '' };
  return ofQuestion({ ...own, type: 'HINFO', ttl: anyTtlSeconds, data });
}

/** The start of authority of `zone`, which lets resolvers remember that there is nothing. */
export function authorityRecord(zone: string): Section {
  const ttl = nothingTtlSeconds;
  const data = {
    mname: zone,
    rname: '.', // nobody reads mail about it
    serial: 1,
    refresh: 3600,
    retry: 600,
    expire: 86_400,
    minimum: ttl,
  };
  return { count: 1, octets: encodeRecord({ name: zone, type: 'SOA', ttl, data }) };
}

const own = { name: '.' } as const;

function encodeRecord(record: Answer): Bytes {
  return encode({ answers: [record] }).subarray(headerBytes);
}

/** The record with a pointer in place of the root's one octet. */
function ofQuestion(ofRoot: Answer): Section {
  const record = encodeRecord(ofRoot);
  const octets = new Uint8Array(questionName.length + record.length - 1);
  octets.set(questionName);
  octets.set(record.subarray(1), questionName.length);
  return { count: 1, octets };
}
