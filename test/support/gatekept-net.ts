/**
 * A network of real nodes where some go by a registrar and a revoker (the members), some by nobody
 * (the outsiders), and the rest only store; and what can be seen from outside of a site that a node
 * keeps, shows, or refuses.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { open as openDatabase } from 'lmdb';
import type { NodeServices } from '../../src/api/ports.ts';
import { parseEndpoint, parseHostPort } from '../../src/base/address.ts';
import { parseHex, toHex } from '../../src/base/bytes.ts';
import { isAltNetError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/base/hash.ts';
import { chunkBytes } from '../../src/content/dag/build.ts';
import { contactOf } from '../../src/identity/contact.ts';
import { atEnd, temporaryFolder } from './cleanup.ts';
import { altnet, type ClusterNode, knowsPeers, servicesOf, startNode } from './cluster.ts';
import type { Target } from './denied/raw-peer.ts';
import { clientOf, type Reply } from './gateway.ts';

export interface GatekeptNet {
  /** Where all join. */
  readonly bootstrap: ClusterNode;
  readonly registrar: ClusterNode;
  /** Goes by the registrar, as it revokes names of that zone. */
  readonly revoker: ClusterNode;
  /** Go by both. In the lists of the first one there are other lines as well: `badLines`. */
  readonly members: readonly [ClusterNode, ClusterNode, ClusterNode, ClusterNode];
  /** Go by nobody. */
  readonly outsiders: readonly [ClusterNode, ClusterNode];
}

const listNames = ['trusted-registrars.txt', 'trusted-revokers.txt', 'blocklist.txt'] as const;

/** What the first member's operator wrote, line by line, where KEY is the one that counts. */
export const badLines: Readonly<Record<(typeof listNames)[number], readonly string[]>> = {
  'trusted-registrars.txt': ['# whom we trust', 'not a key', 'KEY # the club', 'ab'.repeat(31)],
  'trusted-revokers.txt': ['ff'.repeat(32), '', 'KEY', 'KEY KEY'],
  'blocklist.txt': ['/ipfs/nonsense', '/name/unwanted', '/nowhere/at/all'],
};

export async function startGatekeptNet(t: TestContext): Promise<GatekeptNet> {
  const bootstrap = await startNode(t, { name: 'bootstrap' });
  const join = (name: string, data?: string): Promise<ClusterNode> =>
    startNode(t, { name, data, bootstrap: bootstrap.ready.listen });
  const [registrar, ...plain] = await Promise.all(
    ['registrar', 'author', 'reader', 'storer 1', 'storer 2'].map((name) => join(name)),
  );
  const [author, reader] = plain;
  assert.ok(registrar && author && reader);
  const zone = registrar.ready.authorPublicKey;
  const revokerData = temporaryFolder(t);
  writeFileSync(path.join(revokerData, 'trusted-registrars.txt'), `${zone}\n`);
  const revoker = await join('revoker', revokerData);
  const lists = { zone, revoker: revoker.ready.authorPublicKey };
  const members = await Promise.all([
    join('member 1', trustingFolder(t, lists, { hasBadLines: true })),
    join('member 2', trustingFolder(t, lists)),
    join('member 3', trustingFolder(t, lists)),
    join('member 4', trustingFolder(t, lists)),
  ]);
  const all = [bootstrap, registrar, ...plain, revoker, ...members];
  atEnd(t, () => Promise.all(all.map((node) => node.end())));
  await Promise.all(all.map((node) => knowsPeers(node, all.length / 2)));
  return { bootstrap, registrar, revoker, members, outsiders: [author, reader] };
}

/** A data folder whose node will go by these two. */
export function trustingFolder(
  t: TestContext,
  { zone, revoker }: { readonly zone: string; readonly revoker: string },
  { hasBadLines = false }: { readonly hasBadLines?: boolean } = {},
): string {
  const data = temporaryFolder(t);
  const write = (name: (typeof listNames)[number], key: string): void => {
    const lines = hasBadLines ? badLines[name] : ['KEY'];
    writeFileSync(path.join(data, name), `${lines.join('\n').replaceAll('KEY', key)}\n`);
  };
  write('trusted-registrars.txt', zone);
  write('trusted-revokers.txt', revoker);
  if (hasBadLines) write('blocklist.txt', '');
  return data;
}

export interface SiteFolder {
  readonly folder: string;
  readonly title: string;
  /** SHA-256 of the blocks that are files of their own on the disk of who holds the site. */
  readonly blocks: readonly string[];
}

export function makeSite(t: TestContext, title: string): SiteFolder {
  const folder = temporaryFolder(t);
  const picture = randomBytes(2 * chunkBytes + 99_999);
  writeFileSync(path.join(folder, 'index.html'), `<title>${title}</title><h1>${title}</h1>`);
  writeFileSync(path.join(folder, 'picture.bin'), picture);
  const blocks = [0, 1, 2].map((i) => picture.subarray(i * chunkBytes, (i + 1) * chunkBytes));
  return { folder, title, blocks: blocks.map((block) => toHex(sha256(block))) };
}

export interface PublishedSite extends SiteFolder {
  readonly root: string;
  readonly cid: string;
}

/** Publishes on `author`, under a name when words for that are given. */
export async function publishSite(
  author: ClusterNode,
  site: SiteFolder,
  ...words: string[]
): Promise<PublishedSite> {
  const { root, cid } = await altnet(author, 'publish', site.folder, ...words);
  return { ...site, root: String(root), cid: String(cid) };
}

/** How many of the site's blocks the store of this node has, which need not run. */
export async function blocksHeldBy({ data }: ClusterNode, { blocks }: SiteFolder): Promise<number> {
  const file = path.join(data, 'store', 'index.mdb');
  const index = openDatabase({ path: file, noSubdir: true, readOnly: true, maxDbs: 16 });
  try {
    const how = { name: 'blocks', encoding: 'binary', keyEncoding: 'binary' } as const;
    const table = index.openDB<Buffer, Buffer>(how);
    return blocks.filter((hex) => table.doesExist(Buffer.from(hex, 'hex'))).length;
  } finally {
    await index.close();
  }
}

/** Whether nothing of the site is left there: not on the disk, nor in what the node tells of it. */
export async function isGone(node: ClusterNode, site: PublishedSite): Promise<boolean> {
  if ((await blocksHeldBy(node, site)) > 0) return false;
  const sites = await (await servicesOf(node)).sites();
  return sites.every(({ root }) => root !== site.root);
}

/** What the gateway answers for `host`. */
export function open(node: ClusterNode, host: string): Promise<Reply> {
  const port = parseHostPort(node.ready.gateway)?.port;
  assert.ok(port !== undefined, `${node.name} has a gateway`);
  return clientOf(port)(host, '/');
}

/** "fetched", or the code of what kept the node from it. */
export async function fetchBy(t: TestContext, node: ClusterNode, what: string): Promise<string> {
  const dest = path.join(temporaryFolder(t), 'copy');
  try {
    await (await servicesOf(node)).fetch({ what, dest });
    return 'fetched';
  } catch (error) {
    if (isAltNetError(error)) return error.code;
    throw error;
  }
}

/** What is required within a minute; polled more often than `eventually` does. */
export async function withinMinute(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const endMs = performance.now() + 60_000;
  while (!(await holds())) {
    assert.ok(performance.now() < endMs, `not within a minute: ${what}`);
    await delay(25);
  }
}

/** Where a peer of our own making sends its packets. */
export function targetOf({ ready }: ClusterNode, keys: ReturnType<NodeServices['keys']>): Target {
  const publicKey = parseHex(keys.nodePublicKey, 32);
  const endpoint = parseEndpoint(ready.listen);
  assert.ok(publicKey && endpoint);
  return { contact: contactOf(publicKey, endpoint), addresses: [] };
}
