/**
 * Two whole nodes and a hostile peer. One node publishes things; the other has fetched, resolved and
 * found all of them before its operator blocks half. For each thing that is denied there is one
 * like it that is not, so that a node that answers nothing at all proves nothing.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CID } from 'multiformats/cid';
import type { NodeServices } from '../../../src/api/ports.ts';
import { parseHostPort } from '../../../src/base/address.ts';
import { type Bytes, parseHex } from '../../../src/base/bytes.ts';
import { sha256 } from '../../../src/base/hash.ts';
import { silentLogger } from '../../../src/base/logger.ts';
import { type Link, requireLink } from '../../../src/content/dag/root.ts';
import { contactOf } from '../../../src/identity/contact.ts';
import { startCore } from '../../../src/node/core.ts';
import type { NodeOptions } from '../../../src/node/options.ts';
import type { Parts } from '../../../src/node/parts.ts';
import { startSurfaces } from '../../../src/node/surfaces.ts';
import { atEnd, type Ending, temporaryFolder } from '../cleanup.ts';
import { nodeOptionsIn } from '../node-options.ts';
import { browse } from './browse.ts';
import { RawPeer, type Target } from './raw-peer.ts';

export const token = 'a-token-that-is-long-enough';

export interface WholeNode extends Target {
  readonly parts: Parts;
  readonly services: NodeServices;
  /** Of its data. */
  readonly folder: string;
  readonly gateway: { readonly host: string; readonly port: number };
  /** Of the API. */
  readonly api: string;
}

/** A site on the publisher's disk, and what became of it. */
export interface Site {
  readonly folder: string;
  readonly cid: CID;
  /** The CID. */
  readonly text: string;
  readonly link: Link;
}

export interface Subjects {
  /** Its root is blocked. */
  readonly denied: Site;
  readonly allowed: Site;
  /**
   * Allowed as a whole; the block of `secret.html` is denied, and so are the paths `private` and
   * `404.html`.
   */
  readonly mixed: Site;
  readonly secret: Bytes;
  /** By SHA-256: the first is blocked. */
  readonly values: { readonly denied: string; readonly allowed: string };
}

/** Of names: blocked itself, showing the denied root, and neither. */
export const names = { denied: 'banned', leading: 'shady', allowed: 'good' } as const;
/** Of URLs: blocked itself, and one with links to a denied and to an allowed root. */
export const urls = {
  denied: 'https://dead.example/page',
  mixed: 'https://gone.example/',
} as const;
/** A page that its operator does not want to lead to. */
export const deniedTarget = 'https://bad.example/copy';

export interface DeniedNet {
  readonly t: Ending;
  /** Denies nothing. */
  readonly outside: WholeNode;
  readonly inside: WholeNode;
  readonly hostile: RawPeer;
  readonly subjects: Subjects;
}

export async function startDeniedNet(t: Ending): Promise<DeniedNet> {
  const outside = await startWhole(t);
  const inside = await startWhole(t);
  await inside.services.bootstrap(`127.0.0.1:${outside.contact.endpoint.port}`);
  await until(() => [outside, inside].every(({ parts }) => parts.dht.table.size > 0));
  const hostile = await new RawPeer().start(t);
  const subjects = await publishAll(t, outside.services);
  await visitAll(t, inside, subjects);
  await blockAll(inside, subjects);
  return { t, outside, inside, hostile, subjects };
}

async function startWhole(t: Ending): Promise<WholeNode> {
  const folder = temporaryFolder(t);
  const options: NodeOptions = nodeOptionsIn(folder, {
    gateway: '127.0.0.1:0',
    registrar: '127.0.0.1:0',
    registrarToken: token,
    public: true,
    replicas: 1,
  });
  const stack = new AsyncDisposableStack();
  atEnd(t, () => stack.disposeAsync());
  const building = { stack, log: silentLogger };
  const core = await startCore(options, building);
  const surfaces = await startSurfaces(core, {
    ...building,
    options,
    startedMs: 0,
    monitor: undefined,
  });
  const { parts } = core;
  const [endpoint] = parts.transport.address();
  const { registrar } = surfaces.ready;
  const gateway = parseHostPort(surfaces.ready.gateway ?? '');
  if (!endpoint || !gateway || registrar === null) throw new Error('it listens');
  return {
    parts,
    services: surfaces.services,
    folder,
    gateway,
    api: `http://${registrar}`,
    contact: contactOf(parts.identity.node.publicKey, endpoint),
    addresses: parts.peers.addresses(),
  };
}

export function siteFolder(t: Ending, files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder(t);
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  return folder;
}

const secretPage = '<p>what somebody wants gone</p>';

async function publishAll(t: Ending, services: NodeServices): Promise<Subjects> {
  const site = async (files: Readonly<Record<string, string>>): Promise<Site> => {
    const folder = siteFolder(t, files);
    const { cid: text } = await services.publish({ path: folder });
    const cid = CID.parse(text);
    return { folder, cid, text, link: requireLink(cid) };
  };
  const denied = await site({ 'index.html': 'denied', 'a/b.html': 'below it' });
  const allowed = await site({ 'index.html': 'allowed', 'a/b.html': 'below that' });
  const mixed = await site({
    'index.html': 'mixed',
    'secret.html': secretPage,
    'private/page.html': 'behind closed doors',
    '404.html': 'our own page for what is missing',
  });
  for (const [name, { text: root }] of [
    [names.denied, allowed],
    [names.leading, denied],
    [names.allowed, allowed],
  ] as const) {
    await services.register({ name, root });
  }
  const values = {
    denied: (await services.putValue(Buffer.from('denied value'))).key,
    allowed: (await services.putValue(Buffer.from('allowed value'))).key,
  };
  for (const target of [`ipfs://${denied.text}/a`, `ipfs://${allowed.text}`, deniedTarget]) {
    await services.putLink({ url: urls.mixed, target });
  }
  await services.putLink({ url: urls.denied, target: `ipfs://${allowed.text}` });
  return { denied, allowed, mixed, secret: sha256(Buffer.from(secretPage)), values };
}

/** All caches of the node are warm then. */
async function visitAll(t: Ending, inside: WholeNode, subjects: Subjects): Promise<void> {
  const { services } = inside;
  const { denied, allowed, mixed, values } = subjects;
  for (const { text: what } of [denied, allowed, mixed]) {
    const dest = path.join(temporaryFolder(t), 'copy');
    await services.fetch({ what, dest });
  }
  for (const name of Object.values(names)) await services.resolve(name);
  for (const key of Object.values(values)) await services.getValue(key);
  for (const url of Object.values(urls)) for await (const _ of services.getLinks(url)) continue;
  const pages = ['/', '/a/b.html', '/secret.html', '/private/page.html', '/nothing'];
  for (const { text } of [denied, allowed, mixed]) {
    for (const page of pages) await browse(inside, `${text}.localhost`, page);
  }
  for (const name of Object.values(names)) await browse(inside, `${name}.localhost`);
}

/** As operators do: by hand in the file, and by commands. */
async function blockAll(node: WholeNode, subjects: Subjects): Promise<void> {
  const { services, folder, parts } = node;
  const { denied, mixed, secret, values } = subjects;
  writeFileSync(path.join(folder, 'blocklist.txt'), `/ipfs/${denied.text}\n`);
  await until(() => parts.trust.denials.ofBlock(denied.link.hash) !== undefined);
  for (const what of [
    Buffer.from(secret).toString('hex'),
    `/ipfs/${mixed.text}/private`,
    `/ipfs/${mixed.text}/404.html`,
    values.denied,
    names.denied,
    urls.denied,
    deniedTarget,
  ]) {
    await services.block({ what });
  }
}

export function hashOf(hex: string): Bytes {
  const hash = parseHex(hex, 32);
  if (!hash) throw new Error('it has 64 hex digits');
  return hash;
}

const patienceMs = 20_000;

export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + patienceMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error('it never came true');
    await delay(50);
  }
}
