/**
 * What the parts below the content can do at best, one function each: reading a TLS stream, writing
 * into the store, the common UnixFS importer, and files without any of ours. Nothing here may be
 * slower than it has to be, or the shares that are printed flatter.
 */
import { createHash, hash as hashOnce, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  createReadStream,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  writeFileSync,
  writevSync,
} from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { connect, createServer } from 'node:tls';
import { importer } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import type { CID } from 'multiformats/cid';
import { forEachOf } from '../src/base/parallel.ts';
import type { Block } from '../src/content/ports.ts';
import { openBenchStore } from './content-node.ts';

const chunkBytes = 256 * 1024;
const psk = { identity: 'bench', psk: Buffer.alloc(32, 7) };
/** As fast as the suite of libp2p's TLS 1.3 and needs no certificate. */
const tlsOptions = { ciphers: 'PSK-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' as const };
const batchBytes = 4 * 1024 * 1024;

/** The port; each connection gets `bytes`. */
export async function serveTls(bytes: number): Promise<number> {
  const piece = randomBytes(chunkBytes);
  const server = createServer({ ...tlsOptions, pskCallback: () => psk.psk }, (socket) => {
    let left = bytes;
    const send = (): void => {
      while (left > 0) {
        left -= piece.length;
        if (!socket.write(piece)) return;
      }
      socket.end();
    };
    socket.on('drain', send);
    socket.on('error', () => undefined);
    send();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Reads and counts, nothing else. */
export async function readTls(port: number, bytes: number): Promise<void> {
  const socket = connect({
    ...tlsOptions,
    port,
    host: '127.0.0.1',
    pskCallback: () => psk,
    checkServerIdentity: () => undefined,
  });
  let got = 0;
  for await (const chunk of socket) got += (chunk as Buffer).length;
  if (got < bytes) throw new Error(`only ${got} bytes came`);
}

export interface StoreWrite {
  readonly folder: string;
  readonly blocks: number;
  readonly blockBytes: number;
  /** Given to one `putAll`. */
  readonly batchBytes: number;
}

/**
 * The store's own `putAll` through a holding, two batches at a time. The blocks differ by what they
 * are called only: making up a gigabyte would take longer than writing it, and the disk does not
 * care.
 */
export async function writeStore(write: StoreWrite, timed: Timing): Promise<number> {
  const { folder, blocks, blockBytes } = write;
  const bytes = randomBytes(blockBytes);
  const all: Block[] = Array.from({ length: blocks }, (_, i) => {
    return { hash: createHash('sha256').update(String(i)).digest(), bytes };
  });
  const batchBlocks = Math.max(1, Math.floor(write.batchBytes / blockBytes));
  await using store = await openBenchStore(folder);
  await using holding = await store.holdings.open({ kind: 'own' });
  const batches = Array.from({ length: Math.ceil(blocks / batchBlocks) }, (_, i) =>
    all.slice(i * batchBlocks, (i + 1) * batchBlocks),
  );
  return await timed(() => forEachOf(batches, 2, (batch) => holding.putAll(batch)));
}

/** The least that verifying blocks can cost. */
export function hashBlocks(blocks: number, blockBytes: number): void {
  const bytes = randomBytes(blockBytes);
  for (let i = 0; i < blocks; i++) hashOnce('sha256', bytes, 'buffer');
}

/** Seconds that the work took. */
export type Timing = (work: () => Promise<unknown>) => Promise<number>;

export async function importToMemory(file: string): Promise<void> {
  const blocks = new Map<string, Uint8Array>(); // BOUNDED by the file
  const store = {
    put(cid: CID, block: Uint8Array): Promise<CID> {
      blocks.set(cid.toString(), block);
      return Promise.resolve(cid);
    },
  };
  const options = {
    cidVersion: 1 as const,
    rawLeaves: true,
    chunker: fixedSize({ chunkSize: chunkBytes }),
  };
  const content = createReadStream(file, { highWaterMark: 4 * chunkBytes });
  for await (const _ of importer([{ path: 'file', content }], store, options)) continue;
}

/**
 * The least that publishing small files can cost: each is listed, read and hashed, and all of them
 * are appended to one file that is brought to the disk once. In one thread, as below.
 */
export function copyToOneFile(from: string, to: string): void {
  const target = openSync(to, 'w');
  let parts: Buffer[] = []; // BOUNDED by batchBytes
  let bytes = 0;
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = readFileSync(path.join(entry.parentPath, entry.name));
    hashOnce('sha256', content, 'buffer');
    parts.push(content);
    bytes += content.length;
    if (bytes < batchBytes) continue;
    writevSync(target, parts);
    parts = [];
    bytes = 0;
  }
  writevSync(target, parts);
  fsyncSync(target);
  closeSync(target);
}

/**
 * The least that exporting can cost: as many folders and files, one after the other, without being
 * checked. Handing them to other threads takes the system several times as long.
 */
export function writeFiles(
  folder: string,
  { folders, filesEach, fileBytes }: { folders: number; filesEach: number; fileBytes: number },
): void {
  const content = randomBytes(fileBytes);
  for (let i = 0; i < folders; i++) {
    const name = path.join(folder, String(i));
    mkdirSync(name, { recursive: true });
    for (let j = 0; j < filesEach; j++) writeFileSync(path.join(name, String(j)), content);
  }
}
