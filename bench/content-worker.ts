/**
 * The processes of bench/content.ts: each is forked for one role, answers with one message and, as
 * far as it serves, waits until it is told to end. A role each, so that memory and warm-up of one
 * measurement are not those of another.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { connect, createServer } from 'node:tls';
import { importer } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { open as openLmdb } from 'lmdb';
import type { CID } from 'multiformats/cid';
import { systemWorld } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import type { ProviderSearch } from '../src/content/ports.ts';
import { parseRoot, rootHex } from '../src/content/root.ts';
import { Sites } from '../src/content/sites.ts';
import { contactOf } from '../src/identity/contact.ts';
import { SigningKey } from '../src/identity/key.ts';
import { PeerHost } from '../src/peer/host.ts';
import type { SignedRecord } from '../src/record/envelope.ts';
import { openStore } from '../src/store/store.ts';

/** What a worker is asked to do. */
export type Task =
  | { readonly role: 'serve'; readonly folder: string; readonly file: string }
  | {
      readonly role: 'fetch';
      readonly folder: string;
      readonly root: string;
      readonly record: SignedRecord;
    }
  | { readonly role: 'tls-serve'; readonly bytes: number }
  | { readonly role: 'tls-read'; readonly bytes: number; readonly port: number }
  | { readonly role: 'lmdb'; readonly bytes: number; readonly folder: string }
  | { readonly role: 'importer'; readonly file: string };

export interface Answer {
  readonly seconds: number;
  /** Most memory that the process ever held; undefined where the system does not tell. */
  readonly peakMegabytes: number | undefined;
  readonly root?: string;
  readonly record?: SignedRecord;
  readonly port?: number;
}

const chunkBytes = 256 * 1024;
const psk = { identity: 'bench', psk: Buffer.alloc(32, 7) };
/** As fast as the suite of libp2p's TLS 1.3 and needs no certificate. */
const tlsOptions = { ciphers: 'PSK-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' as const };

async function peakMegabytes(): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const status = await readFile('/proc/self/status', 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}

async function timed(work: () => Promise<void>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

interface Node {
  readonly sites: Sites;
  /** The provider record of what was published last. */
  readonly published: () => SignedRecord | undefined;
}

async function startNode(folder: string, found: readonly SignedRecord[]): Promise<Node> {
  const store = await openStore({ folder, world: systemWorld, log: silentLogger });
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  let last: SignedRecord | undefined;
  const publisher = {
    publish(record: SignedRecord): Promise<{ stored: number }> {
      last = record;
      return Promise.resolve({ stored: 1 });
    },
  };
  const search: ProviderSearch = {
    async *gather() {
      const endpoint = { ip: Uint8Array.of(127, 0, 0, 1), port: 1 };
      yield { from: contactOf(new Uint8Array(32), endpoint), records: found };
    },
  };
  const { blocks, roots } = store;
  const signer = { key, network: new Uint8Array(16) };
  const sites = new Sites({ blocks, roots, publisher, search, connections: host, signer });
  await sites.start();
  return { sites, published: () => last };
}

async function serve({ folder, file }: Task & { role: 'serve' }): Promise<Answer> {
  const { sites, published } = await startNode(folder, []);
  let root = '';
  const seconds = await timed(async () => {
    root = rootHex((await sites.publish(file)).root);
  });
  const record = published();
  if (!record) throw new Error('nothing was announced');
  return { seconds, peakMegabytes: await peakMegabytes(), root, record };
}

async function fetchSite({ folder, root, record }: Task & { role: 'fetch' }): Promise<Answer> {
  const { sites } = await startNode(folder, [record]);
  const seconds = await timed(async () => {
    await sites.ensure(parseRoot(root));
  });
  return { seconds, peakMegabytes: await peakMegabytes() };
}

async function serveTls({ bytes }: Task & { role: 'tls-serve' }): Promise<Answer> {
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
  const { port } = server.address() as AddressInfo;
  return { seconds: 0, peakMegabytes: undefined, port };
}

async function readTls({ bytes, port }: Task & { role: 'tls-read' }): Promise<Answer> {
  const seconds = await timed(async () => {
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
  });
  return { seconds, peakMegabytes: await peakMegabytes() };
}

async function putLmdb({ bytes, folder }: Task & { role: 'lmdb' }): Promise<Answer> {
  const database = openLmdb({ path: folder, encoding: 'binary', keyEncoding: 'binary' });
  const value = randomBytes(chunkBytes);
  const seconds = await timed(async () => {
    let writes: Promise<boolean>[] = [];
    for (let at = 0; at < bytes; at += chunkBytes) {
      value.writeUInt32BE(at, 0);
      const key = createHash('sha256').update(value.subarray(0, 4)).digest();
      writes.push(database.put(key, Buffer.from(value)));
      if (writes.length < 64) continue;
      await Promise.all(writes);
      writes = [];
    }
    await Promise.all(writes);
    await database.flushed;
  });
  await database.close();
  return { seconds, peakMegabytes: await peakMegabytes() };
}

async function importToMemory({ file }: Task & { role: 'importer' }): Promise<Answer> {
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
  const seconds = await timed(async () => {
    for await (const _ of importer([{ path: 'file', content }], store, options)) continue;
  });
  return { seconds, peakMegabytes: await peakMegabytes() };
}

const roles: { readonly [R in Task['role']]: (task: Task & { role: R }) => Promise<Answer> } = {
  serve,
  fetch: fetchSite,
  'tls-serve': serveTls,
  'tls-read': readTls,
  lmdb: putLmdb,
  importer: importToMemory,
};

function perform<R extends Task['role']>(task: Task & { role: R }): Promise<Answer> {
  return roles[task.role](task);
}

/** The first message is the task; the next one asks for the peak memory of a server. */
async function main(): Promise<void> {
  const [task] = (await once(process, 'message')) as [Task];
  process.send?.(await perform(task));
  process.on('message', () => {
    void peakMegabytes().then((peak) => process.send?.({ seconds: 0, peakMegabytes: peak }));
  });
}

if (process.send) await main();
