/** What a hostile peer asks a node over UDP, by method. */
import assert from 'node:assert/strict';
import { type Bytes, equalBytes, utf8 } from '../../../src/base/bytes.ts';
import { unixSeconds, systemWorld } from '../../../src/base/clock.ts';
import { sha256 } from '../../../src/base/hash.ts';
import { multihashOf } from '../../../src/content/dag/root.ts';
import type { Method, SyncEntry } from '../../../src/dht/ports.ts';
import { parseRecord, type SignedRecord } from '../../../src/record/envelope.ts';
import { hashUrl, linkKey, makeLinkRecord, parseLink } from '../../../src/record/link.ts';
import { makeNameRecord } from '../../../src/record/name.ts';
import { makePkNameRecord } from '../../../src/record/pkname.ts';
import { makeProviderRecord, providerKey } from '../../../src/record/provider.ts';
import { canonicalUrl } from '../../../src/record/url.ts';
import { nameKey } from '../../../src/record/zone.ts';
import { type DeniedNet, deniedTarget, names, urls } from './net.ts';
import type { Target } from './raw-peer.ts';
import { check, type Rows } from './rows.ts';

function stamp(): { seq: bigint; issued: number } {
  return { seq: 1n, issued: unixSeconds(systemWorld.clock) };
}

/** Records of the hostile peer: what of them a node must not take, and others like them. */
function records({ hostile, subjects }: DeniedNet): Record<string, [SignedRecord, SignedRecord]> {
  const { denied, allowed } = subjects;
  const { author, node } = hostile;
  // An author has few links under one URL.
  const link = (target: string, sha?: Bytes): SignedRecord =>
    makeLinkRecord({ urlHash: sha256(utf8(target)), target, sha256: sha }, stamp(), author);
  const provider = (site: typeof denied): SignedRecord =>
    makeProviderRecord({ multihash: multihashOf(site.link), multiaddrs: [] }, stamp(), node);
  const name = (label: string, root: typeof denied, sub?: typeof denied): SignedRecord => {
    const subnames = sub && new Map([['blog', sub.cid]]);
    return makeNameRecord({ label, root: root.cid, subnames }, stamp(), author);
  };
  return {
    'a name that is denied': [name(names.denied, allowed), name('fine', allowed)],
    'a name that shows what is denied': [name('first', denied), name('second', allowed)],
    'a name with one below it that does': [
      name('third', allowed, denied),
      name('fourth', allowed, allowed),
    ],
    'a key name that shows it': [
      makePkNameRecord({ root: denied.cid }, stamp(), author),
      makePkNameRecord({ root: allowed.cid }, stamp(), author),
    ],
    'a provider of it': [provider(denied), provider(allowed)],
    'a link to its root': [
      link(`ipfs://${denied.text}/a/b.html`),
      link(`ipfs://${allowed.text}/a/b.html`),
    ],
    'a link to it by another gateway': [
      link(`https://gw.example/ipfs/${denied.text}/`),
      link(`https://gw.example/ipfs/${allowed.text}/`),
    ],
    'a link to a denied name': [
      link(`http://${names.denied}.alt/page`),
      link(`http://${names.allowed}.alt/page`),
    ],
    'a link to a denied page': [link(deniedTarget), link('https://fine.example/copy')],
    'a link to content by its SHA-256': [
      link('https://a.example/', subjects.secret),
      link('https://b.example/', sha256(Uint8Array.of(1))),
    ],
  };
}

/** All that a node says it holds under a key, live or withdrawn. */
async function get(net: DeniedNet, from: Target, key: Bytes): Promise<readonly SignedRecord[]> {
  const request = { method: 'get', key, mode: 'full', minSeq: 0n, cursor: 0, ids: [] } as const;
  const { records: held } = await net.hostile.call(from, request);
  return held.flatMap((bytes) => {
    const parsed = parseRecord(bytes);
    return parsed.ok ? [parsed.record] : [];
  });
}

/** The first octets of the hashes of what the other node, which denies nothing, hands out. */
async function idsOutside(net: DeniedNet, key: Bytes): Promise<readonly Bytes[]> {
  const live = (await get(net, net.outside, key)).filter(({ tombstone }) => !tombstone);
  return live.map(({ hash }) => hash.subarray(0, 16));
}

function isAmong(ids: readonly Bytes[], id: Bytes): boolean {
  return ids.some((one) => equalBytes(one, id));
}

/** Keys of the DHT under which only something denied stands, and some with something allowed. */
function keys({ subjects }: DeniedNet): { denied: readonly Bytes[]; allowed: readonly Bytes[] } {
  const provider = ({ link }: typeof subjects.denied): Bytes => providerKey(multihashOf(link));
  return {
    denied: [nameKey(names.denied), nameKey(names.leading), provider(subjects.denied)],
    allowed: [nameKey(names.allowed), provider(subjects.allowed), linkKeyOf(urls.mixed)],
  };
}

function linkKeyOf(url: string): Bytes {
  return linkKey(hashUrl(canonicalUrl(url).canonical));
}

const store = check('takes no record of what is denied', async (net) => {
  for (const [what, [denied, allowed]] of Object.entries(records(net))) {
    assert.equal(await net.hostile.store(net.inside, denied), 'REVOKED', what);
    const held = await get(net, net.inside, denied.key);
    assert.ok(
      !isAmong(
        held.map(({ hash }) => hash),
        denied.hash,
      ),
      what,
    );
    assert.match(await net.hostile.store(net.inside, allowed), /^OK/, `and not: ${what}`);
  }
});

const full = check('hands out no record of what is denied', async (net) => {
  const { denied, allowed } = keys(net);
  for (const key of denied) {
    assert.ok((await idsOutside(net, key)).length > 0, 'there is such a record');
    const held = await get(net, net.inside, key);
    assert.ok(held.every(({ tombstone }) => tombstone));
  }
  for (const key of allowed) assert.ok((await get(net, net.inside, key)).length > 0);
});

const digests = check('nor says that it has one', async (net) => {
  for (const key of keys(net).denied) {
    const ids = await idsOutside(net, key);
    const request = { method: 'get', key, mode: 'digest', minSeq: 0n, cursor: 0, ids: [] } as const;
    const told = (await net.hostile.call(net.inside, request)).digests;
    assert.ok(!told.some(({ hash }) => isAmong(ids, hash)));
  }
});

const byId = check('nor hands it out by its hash', async (net) => {
  for (const key of keys(net).denied) {
    const ids = (await idsOutside(net, key)).slice(0, 2);
    const request = { method: 'get', key, mode: 'by-id', minSeq: 0n, cursor: 0, ids } as const;
    assert.deepEqual((await net.hostile.call(net.inside, request)).records, []);
  }
});

const links = check('of the links for a URL only those to what is allowed', async (net) => {
  const held = await get(net, net.inside, linkKeyOf(urls.mixed));
  const targets = held.map((record) => parseLink(record)?.target);
  assert.deepEqual(targets, [`ipfs://${net.subjects.allowed.text}`]);
});

const sync = check('lists no record of what is denied for a neighbour', async (net) => {
  const { hostile, inside } = net;
  const listed: SyncEntry[] = []; // BOUNDED by what the node holds
  for (let after = new Uint8Array(48); ;) {
    const { entries, more } = await hostile.call(inside, { method: 'sync', after });
    listed.push(...entries);
    const last = entries.at(-1);
    if (!more || !last) break;
    after = new Uint8Array(48);
    after.set(last.key);
    after.set(last.hash, 32);
  }
  const { denied, allowed } = keys(net);
  for (const key of denied) {
    const ids = await idsOutside(net, key);
    assert.ok(!listed.some(({ hash }) => isAmong(ids, hash)));
  }
  for (const key of allowed) assert.ok(listed.some((one) => equalBytes(one.key, key)));
});

export const rpcRows: Rows<Method> = {
  ping: 'It tells of the node, and of nothing that others look for.',
  find: 'It tells of other nodes near to an ID.',
  get: [full, digests, byId, links],
  store: [store],
  sync: [sync],
  reach: 'It makes another node send a PING.',
  leave: 'It is about the node that says it.',
  announce: 'It brings lists of revocations, which hold hashes of hashes.',
};
