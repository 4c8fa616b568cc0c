/**
 * The dag-pb form of a node, read in one pass over its octets. It accepts what `@ipld/dag-pb` does
 * as far as AltNet uses it, at a twentieth of the cost: whoever asks for a node of many links,
 * again and again, must not keep this node busy. It knows nothing of UnixFS.
 */
import { asBuffer, type Bytes } from '../../base/bytes.ts';
import { OctetReader, wireTypes } from './octet-reader.ts';
import type { Link } from './root.ts';

/**
 * Links of one node. Programs give a file's node 174 or 1,024, a shard 256 and a folder that is not
 * sharded at most 7,489 (262,144 octets of names and CIDs, of which 34 and a name of one octet are
 * the shortest).
 */
export const nodeLinksMax = 8192;

/** `size`: of all blocks below, as this node says. */
export interface DecodedLink extends Link {
  readonly name: string;
  readonly size: number;
}

export type DecodedNode =
  | {
      readonly kind: 'node';
      readonly data: Bytes | undefined;
      readonly links: readonly DecodedLink[];
    }
  | { readonly kind: 'bad'; readonly why: string };

const dataField = 1;
const linksField = 2;
const hashField = 1;
const nameField = 2;
const totalField = 3;

const malformed: DecodedNode = { kind: 'bad', why: 'a block is not UnixFS' };
const foreign: DecodedNode = {
  kind: 'bad',
  why: 'a link has a hash or codec that AltNet does not use',
};
const tooMany: DecodedNode = {
  kind: 'bad',
  why: `a node has more than ${nodeLinksMax} links`,
};

/** Refuses a node of too many links before it looks into any of them. */
export function decodeNodeOctets(bytes: Bytes): DecodedNode {
  const places: { readonly at: number; readonly end: number }[] = []; // BOUNDED by nodeLinksMax
  const reader = new OctetReader(bytes);
  let data: Bytes | undefined;
  let linksAreOver = false;
  while (!reader.isAtEnd) {
    const key = reader.varint();
    const length = reader.varint();
    const at = reader.at;
    if (!reader.skip(length)) return malformed;
    if (key === ((linksField << 3) | wireTypes.octets) && !linksAreOver) {
      if (places.length === nodeLinksMax) return tooMany;
      places.push({ at, end: reader.at });
    } else if (key === ((dataField << 3) | wireTypes.octets) && data === undefined) {
      data = bytes.subarray(at, reader.at);
      linksAreOver = places.length > 0;
    } else {
      return malformed;
    }
  }
  const links: DecodedLink[] = [];
  for (const { at, end } of places) {
    const link = decodeLink(bytes, at, end);
    if (typeof link === 'string') return link === 'foreign' ? foreign : malformed;
    links.push(link);
  }
  return { kind: 'node', data, links };
}

/** The fields in this order, each at most once, the hash always. */
function decodeLink(bytes: Bytes, at: number, end: number): DecodedLink | 'foreign' | 'malformed' {
  const reader = new OctetReader(bytes, at, end);
  let link: Link | undefined;
  let name = '';
  let size = 0;
  let last = 0;
  while (!reader.isAtEnd) {
    const key = reader.varint();
    const field = key >> 3;
    if (field <= last) return 'malformed';
    last = field;
    if (key === ((totalField << 3) | wireTypes.varint)) {
      size = reader.varint();
      if (reader.isBroken) return 'malformed';
      continue;
    }
    const length = reader.varint();
    const from = reader.at;
    if (!reader.skip(length)) return 'malformed';
    if (key === ((hashField << 3) | wireTypes.octets)) {
      link = parseCidOctets(bytes, from, length);
      if (!link) return 'foreign';
    } else if (key === ((nameField << 3) | wireTypes.octets)) {
      name = asBuffer(bytes).toString('utf8', from, reader.at);
    } else {
      return 'malformed';
    }
  }
  return link ? { codec: link.codec, hash: link.hash, name, size } : 'malformed';
}

/** CIDv1 of SHA-256 with a codec that is used here, or CIDv0, which means dag-pb. */
function parseCidOctets(bytes: Bytes, at: number, length: number): Link | undefined {
  const isV1 = length === 36 && bytes[at] === 0x01;
  if (!isV1 && length !== 34) return undefined;
  const multihashAt = isV1 ? at + 2 : at;
  if (bytes[multihashAt] !== 0x12 || bytes[multihashAt + 1] !== 0x20) return undefined;
  // Copied: as a view it would keep the whole block in memory.
  const hash = bytes.slice(multihashAt + 2, multihashAt + 34);
  const code = isV1 ? bytes[at + 1] : 0x70;
  if (code === 0x70) return { codec: 'dag-pb', hash };
  return code === 0x55 ? { codec: 'raw', hash } : undefined;
}
