/**
 * Whether a file can be given to LMDB. LMDB trusts what it maps: a damaged page ends in a crash of
 * the whole process, which no handler can catch. So the trees are walked here first, with reads
 * that can fail. It knows LMDB's file format (its version 2, little-endian, 64 bits) and nothing
 * of what we keep in it.
 *
 * Checked are the structure of every branch and leaf page in use, that values on pages of their own
 * lie inside the file, and the lists of free pages; not our values.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../base/errors.ts';

export type Inspection =
  | { readonly state: 'absent' }
  | { readonly state: 'sound' }
  /** The newest state is damaged (the power failed), the one last flushed is whole. */
  | { readonly state: 'sound-when-flushed' }
  | { readonly state: 'damaged'; readonly why: string };

/** Throws what opening the file throws, if it exists. */
export function inspectDatabaseFile(file: string): Inspection {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return { state: 'absent' };
    throw error;
  }
  try {
    return inspect(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

interface Meta {
  readonly transaction: bigint;
  readonly lastPage: number;
  readonly trees: readonly Tree[];
}

interface Tree {
  readonly depth: number;
  readonly root: number;
  /** Its values are lists of free pages. */
  readonly free: boolean;
}

interface TreePage {
  readonly number: number;
  /** 1 for a leaf. */
  readonly depth: number;
  readonly free: boolean;
}

const pageHeaderBytes = 24;
const nodeHeaderBytes = 8;
const metaBytes = 144;
const metaPages = 2;
const treeBytes = 48;
const metaMagic = 0xbeef_c0de;
const metaVersion = 2;
const noPage = 2n ** 64n - 1n;
const pageFlags = { branch: 1, leaf: 2, overflow: 4, meta: 8 } as const;
const nodeFlags = { bigData: 1, subTree: 2 } as const;

function inspect(fd: number, fileBytes: number): Inspection {
  // LMDB itself starts a file of length 0 afresh.
  if (fileBytes === 0) return { state: 'absent' };
  const first = readBytes(fd, 0, pageHeaderBytes + metaBytes);
  if (!isMeta(first)) return { state: 'damaged', why: 'it is not an LMDB file' };
  const pageBytes = first.readUInt32LE(pageHeaderBytes + 24);
  if (![4096, 8192, 16_384, 32_768].includes(pageBytes)) return damaged('page size');
  const [head, flushed, second] = [0, pageBytes / 2, pageBytes].map((at) => readMeta(fd, at));
  if (!head || !second) return damaged('meta page');
  const newest = head.transaction >= second.transaction ? head : second;
  const fault = new TreeWalk({ fd, fileBytes, pageBytes }).faultOf(newest);
  if (fault === undefined) return { state: 'sound' };
  if (flushed && flushed.transaction < newest.transaction) {
    const older = new TreeWalk({ fd, fileBytes, pageBytes }).faultOf(flushed);
    if (older === undefined) return { state: 'sound-when-flushed' };
  }
  return damaged(fault);
}

function damaged(what: string): Inspection {
  return { state: 'damaged', why: `bad ${what}` };
}

function readBytes(fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const count = readSync(fd, bytes, 0, length, at);
  return bytes.subarray(0, count);
}

function isMeta(page: Buffer): boolean {
  return (
    page.length === pageHeaderBytes + metaBytes &&
    page.readUInt32LE(pageHeaderBytes) === metaMagic &&
    (page.readUInt32LE(pageHeaderBytes + 4) & 0xffff) === metaVersion
  );
}

function readMeta(fd: number, at: number): Meta | undefined {
  const page = readBytes(fd, at, pageHeaderBytes + metaBytes);
  if (!isMeta(page)) return undefined;
  const free = readTree(page, { at: pageHeaderBytes + 24, free: true });
  const main = readTree(page, { at: pageHeaderBytes + 24 + treeBytes, free: false });
  return {
    transaction: page.readBigUInt64LE(pageHeaderBytes + 128),
    lastPage: Number(page.readBigUInt64LE(pageHeaderBytes + 120)),
    trees: [free, main].filter((tree) => tree !== undefined),
  };
}

/** Undefined for a tree without entries. */
function readTree(page: Buffer, { at, free }: { at: number; free: boolean }): Tree | undefined {
  const root = page.readBigUInt64LE(at + 40);
  if (root === noPage) return undefined;
  return { depth: page.readUInt16LE(at + 6), root: Number(root), free };
}

/** Walks the trees of one snapshot; each page is read once. */
class TreeWalk {
  readonly #fd: number;
  readonly #pageBytes: number;
  readonly #filePages: number;
  #lastPage = 0;
  #pagesLeft = 0;

  constructor({ fd, fileBytes, pageBytes }: { fd: number; fileBytes: number; pageBytes: number }) {
    this.#fd = fd;
    this.#pageBytes = pageBytes;
    this.#filePages = Math.floor(fileBytes / pageBytes);
  }

  /** What is wrong first, or undefined. */
  faultOf(meta: Meta): string | undefined {
    this.#lastPage = meta.lastPage;
    // Pages that point at each other in a circle would otherwise keep us busy for ever.
    this.#pagesLeft = this.#filePages;
    for (const tree of meta.trees) {
      const fault = this.#walkTree(tree);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }

  #walkTree({ root: number, depth, free }: Tree): string | undefined {
    return depth < 1 || depth > 32 ? 'tree depth' : this.#walkPage({ number, depth, free });
  }

  #walkPage({ number, depth, free }: TreePage): string | undefined {
    if (!this.#isInUse(number, 1) || --this.#pagesLeft < 0) return `reference to page ${number}`;
    const page = this.#read(number, 1);
    const isLeaf = depth === 1;
    const fault = `page ${number}`;
    if (!hasHeader(page, { number, flags: isLeaf ? pageFlags.leaf : pageFlags.branch })) {
      return fault;
    }
    const entries = page.readUInt16LE(20) >> 1;
    const room = this.#pageBytes - pageHeaderBytes;
    const upper = page.readUInt16LE(22);
    if (entries * 2 > upper || upper > room || entries === 0) return fault;
    for (let i = 0; i < entries; i++) {
      const at = page.readUInt16LE(pageHeaderBytes + 2 * i);
      if (at < upper || at + nodeHeaderBytes > room) return fault;
      const node = page.subarray(pageHeaderBytes + at);
      const below = isLeaf
        ? this.#checkLeaf(node, free)
        : this.#walkPage({ number: childOf(node), depth: depth - 1, free });
      if (below !== undefined) return below;
    }
    return undefined;
  }

  #checkLeaf(node: Buffer, free: boolean): string | undefined {
    const dataBytes = node.readUInt32LE(0);
    const flags = node.readUInt16LE(4);
    const dataAt = nodeHeaderBytes + node.readUInt16LE(6);
    const bigData = (flags & nodeFlags.bigData) !== 0;
    const subTree = (flags & nodeFlags.subTree) !== 0;
    if (dataAt + (bigData ? 24 : dataBytes) > node.length) return 'length of an entry';
    const data = node.subarray(dataAt, dataAt + (bigData ? 24 : dataBytes));
    if (bigData) return this.#checkOverflow({ reference: data, dataBytes, free });
    if (free) return this.#checkFreeList(data);
    if (!subTree) return undefined;
    if (dataBytes !== treeBytes) return 'length of a table';
    const tree = readTree(data, { at: 0, free: false });
    return tree && this.#walkTree(tree);
  }

  #checkOverflow(value: {
    reference: Buffer;
    dataBytes: number;
    free: boolean;
  }): string | undefined {
    const number = Number(value.reference.readBigUInt64LE(0));
    const pages = Math.ceil((pageHeaderBytes + value.dataBytes) / this.#pageBytes);
    if (!this.#isInUse(number, pages)) return `reference to page ${number}`;
    const page = this.#read(number, value.free ? pages : 1);
    if (!hasHeader(page, { number, flags: pageFlags.overflow })) return `page ${number}`;
    if (!value.free) return undefined;
    return this.#checkFreeList(page.subarray(pageHeaderBytes, pageHeaderBytes + value.dataBytes));
  }

  /**
   * A count, then as many signed words: 0 is a gap, n a free page, −n the length of a run whose
   * first page is the next word. LMDB writes to these pages without looking.
   */
  #checkFreeList(list: Buffer): string | undefined {
    const fault = 'list of free pages';
    if (list.length < 8) return fault;
    const count = Number(list.readBigInt64LE(0));
    if (count < 0 || (count + 1) * 8 > list.length) return fault;
    let run = 1;
    for (let at = 8; at <= count * 8; at += 8) {
      const word = Number(list.readBigInt64LE(at));
      if (word > 0 && !this.#isInUse(word, run)) return fault;
      run = word < 0 ? -word : 1;
    }
    return undefined;
  }

  #isInUse(number: number, pages: number): boolean {
    return (
      number >= metaPages && number + pages - 1 <= Math.min(this.#lastPage, this.#filePages - 1)
    );
  }

  #read(number: number, pages: number): Buffer {
    return readBytes(this.#fd, number * this.#pageBytes, pages * this.#pageBytes);
  }
}

function hasHeader(page: Buffer, { number, flags }: { number: number; flags: number }): boolean {
  return (
    page.length >= pageHeaderBytes &&
    page.length % 4096 === 0 &&
    page.readBigUInt64LE(0) === BigInt(number) &&
    page.readUInt16LE(18) === flags
  );
}

function childOf(node: Buffer): number {
  return node.readUInt32LE(0) + node.readUInt16LE(4) * 2 ** 32;
}
