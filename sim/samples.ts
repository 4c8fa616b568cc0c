/** Records of each kind as simulated users publish them, and how well the network holds them. */
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { equalBytes, utf8 } from '../src/base/bytes.ts';
import { sha256 } from '../src/base/hash.ts';
import { forEachOf } from '../src/base/parallel.ts';
import type { StoreResult } from '../src/dht/placing/storing.ts';
import type { SignedRecord } from '../src/record/envelope.ts';
import type { SigningKey } from '../src/identity/key.ts';
import { hashUrl, makeLinkRecord } from '../src/record/link.ts';
import { makeNameRecord } from '../src/record/name.ts';
import { makeProviderRecord } from '../src/record/provider.ts';
import { signCertificate } from '../src/record/zone.ts';
import { simNetworkId, type SimNode } from './node.ts';
import type { Simulation } from './simulation.ts';

export const simKinds = ['name', 'link', 'provider'] as const;
export type SimKind = (typeof simKinds)[number];

const rawCodec = 0x55;
const sha256Code = 0x12;

function multihashOf(text: string): ReturnType<typeof create> {
  return create(sha256Code, sha256(utf8(text)));
}

/** What `node` would publish under `label`: a name, a link for a URL, or itself as provider. */
export function sampleOf(
  kind: SimKind,
  { node, label, version = 1 }: { node: SimNode; label: string; version?: number },
): SignedRecord {
  const stamp = { seq: BigInt(version), issued: node.now() };
  const author = { key: node.authorKey, network: simNetworkId };
  if (kind === 'name') {
    return makeNameRecord({ label, root: rootOf(label) }, stamp, author);
  }
  if (kind === 'link') {
    const target = `https://archive.example/${label}`;
    return makeLinkRecord({ urlHash: hashUrl(`//${label}.example/`), target }, stamp, author);
  }
  const host = { key: node.nodeKey, network: simNetworkId };
  return makeProviderRecord({ multihash: multihashOf(label).bytes, multiaddrs: [] }, stamp, host);
}

/** What `node` would publish under `label` in the zone whose key `registrar` is. */
export function zoneNameOf(
  registrar: SigningKey,
  { node, label }: { node: SimNode; label: string },
): SignedRecord {
  const now = node.now();
  const zone = registrar.publicKey;
  const owner = node.authorKey.publicKey;
  const terms = { label, owner, serial: 1, notBefore: now - 60, notAfter: now + 365 * 86_400 };
  const certificate = signCertificate(terms, { key: registrar, network: simNetworkId });
  const root = rootOf(label);
  const stamp = { seq: 1n, issued: now };
  const author = { key: node.authorKey, network: simNetworkId };
  return makeNameRecord({ label, root, certificate }, stamp, author, { zone });
}

/** What a name with this label shows. */
export function rootOf(label: string): CID {
  return CID.createV1(rawCodec, multihashOf(label));
}

/** Where a link of this label hangs, and where it leads. */
export function linkUrlOf(label: string): string {
  return `https://${label}.example/`;
}

export interface Published {
  readonly kind: SimKind;
  readonly record: SignedRecord;
  readonly by: SimNode;
  readonly result: StoreResult;
}

/** `count` records of each kind, each stored once by a node drawn by lot. */
export async function publishSome(sim: Simulation, count: number): Promise<Published[]> {
  const published: Published[] = [];
  for (const kind of simKinds) {
    for (let i = 0; i < count; i++) {
      const by = sim.one();
      const record = sampleOf(kind, { node: by, label: `${kind}-${i}` });
      published.push({ kind, record, by, result: await sim.world.until(by.dht.store(record)) });
    }
  }
  return published;
}

/** Whether `node` finds exactly this record, stopping as soon as it does. */
export async function finds(
  sim: Simulation,
  node: SimNode,
  { key, hash }: SignedRecord,
): Promise<boolean> {
  const isIt = ({ records }: { records: readonly SignedRecord[] }): boolean =>
    records.some((record) => equalBytes(record.hash, hash));
  const search = async (): Promise<boolean> => {
    for await (const gathered of node.dht.gather(key)) if (isIt(gathered)) return true;
    return false;
  };
  return sim.world.until(search());
}

/** How many of the 20 nodes nearest to its key hold the record. */
export function holdersOf(sim: Simulation, { key, hash }: SignedRecord): number {
  const holds = (node: SimNode): boolean =>
    node.records.list(key).some(({ record }) => equalBytes(record.hash, hash));
  return sim.closest(key, 20).filter(holds).length;
}

/**
 * How much of the true 20 nearest the lookups find, as a share: of `tries` random keys, each looked
 * up from a random node (which itself is not among the answers). Several `atOnce` make less time
 * pass, and with it less upkeep: of a large network that is most of the work.
 */
export async function lookupExactness(
  sim: Simulation,
  tries: number,
  { atOnce = 1 }: { readonly atOnce?: number } = {},
): Promise<number> {
  let found = 0;
  let expected = 0;
  const questions = Array.from({ length: tries }, () => ({
    node: sim.one(),
    key: sim.random.bytes(32),
  }));
  const lookups = forEachOf(questions, atOnce, async ({ node, key }) => {
    const { closest } = await node.dht.lookup(key);
    const ids = sim
      .closest(key, 21)
      .filter((other) => other !== node)
      .slice(0, 20)
      .map(({ contact }) => contact.id);
    found += ids.filter((id) => closest.some((contact) => equalBytes(contact.id, id))).length;
    expected += ids.length;
  });
  await sim.world.until(lookups);
  return found / expected;
}
