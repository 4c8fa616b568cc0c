/**
 * The dag-pb form of a node, byte for byte as `@ipld/dag-pb` encodes it. That library takes a link
 * apart and checks it several times, half of the time that an unchanged folder costs; what is
 * encoded here was made here. It knows nothing of UnixFS.
 */
import { type Bytes, compareBytes } from '../../base/bytes.ts';
import type { Codec } from './root.ts';

export interface NodeLink {
  readonly name: string;
  readonly codec: Codec;
  readonly hash: Bytes;
  /** Bytes of all blocks below. */
  readonly total: number;
}

const linksTag = 0x12;
const dataTag = 0x0a;
const hashTag = 0x0a;
const nameTag = 0x12;
const totalTag = 0x18;
const cidBytes = 36;

/** Links of one name keep their order, others are sorted. */
export function encodeNode(data: Bytes, links: readonly NodeLink[]): Bytes {
  const sorted = links.map((link) => ({ link, name: Buffer.from(link.name) }));
  sorted.sort((a, b) => compareBytes(a.name, b.name));
  const lengths = sorted.map(({ link, name }) => lengthOfLink(link, name));
  let length = 1 + varintLength(data.length) + data.length;
  for (const one of lengths) length += 1 + varintLength(one) + one;
  const writer = new Writer(length);
  for (const [i, { link, name }] of sorted.entries()) {
    writer.octet(linksTag);
    writer.varint(lengths[i] ?? 0);
    writer.octet(hashTag);
    writer.octet(cidBytes);
    writer.bytes(cidHeads[link.codec]);
    writer.bytes(link.hash);
    writer.octet(nameTag);
    writer.varint(name.length);
    writer.bytes(name);
    writer.octet(totalTag);
    writer.varint(link.total);
  }
  writer.octet(dataTag);
  writer.varint(data.length);
  writer.bytes(data);
  return writer.written;
}

/** CIDv1, codec, SHA-256 of 32 octets. */
const cidHeads: Readonly<Record<Codec, Bytes>> = {
  'dag-pb': Uint8Array.of(0x01, 0x70, 0x12, 0x20),
  raw: Uint8Array.of(0x01, 0x55, 0x12, 0x20),
};

function lengthOfLink({ total }: NodeLink, name: Bytes): number {
  return 2 + cidBytes + 1 + varintLength(name.length) + name.length + 1 + varintLength(total);
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

class Writer {
  readonly written: Uint8Array;
  #at = 0;

  constructor(length: number) {
    this.written = new Uint8Array(length);
  }

  octet(value: number): void {
    this.written[this.#at++] = value;
  }

  bytes(value: Bytes): void {
    this.written.set(value, this.#at);
    this.#at += value.length;
  }

  /** Sizes may need more than the 32 bits of the operators on bits. */
  varint(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.octet((rest % 0x80) | 0x80);
    this.octet(rest);
  }
}
