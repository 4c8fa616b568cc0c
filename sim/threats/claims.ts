/** Names as simulated people claim and see them, and as an observer sees who holds them. */
import { CID } from 'multiformats/cid';
import { create } from 'multiformats/hashes/digest';
import { type Bytes, equalBytes } from '../../src/base/bytes.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Contact } from '../../src/identity/contact.ts';
import { Names } from '../../src/name/names.ts';
import type { ResolvedName } from '../../src/name/types.ts';
import { seqOf, type SignedRecord } from '../../src/record/envelope.ts';
import { parseKeyName } from '../../src/record/label.ts';
import { makeNameRecord, nameKey, type NameTitle } from '../../src/record/name.ts';
import { pkNameKey } from '../../src/record/pkname.ts';
import { MemoryNameNotes } from '../../test/support/name-net.ts';
import { simNetworkId, type SimNode, simProfile } from '../node.ts';
import type { Simulation } from '../simulation.ts';

const dagPb = 0x70;
const sha256Code = 0x12;

export function rootOf(fill: number): CID {
  return CID.createV1(dagPb, create(sha256Code, new Uint8Array(32).fill(fill)));
}

function readZoneFile(): Promise<never> {
  return Promise.reject(new Error('there are no files here'));
}

/** A node's user: remembers owners, and publishes through the node's own publisher. */
export function userOf({ dht, publisher, world, authorKey }: SimNode): Names {
  const notes = new MemoryNameNotes();
  const log = silentLogger;
  const deps = { dht, publisher, notes, readZoneFile, authorKey, world, log };
  return new Names({ ...deps, network: simNetworkId, profile: simProfile });
}

/** Of a name, or of a key name. */
function keyOf(label: string): Bytes {
  const owner = parseKeyName(label);
  return owner ? pkNameKey(owner) : nameKey(label);
}

export interface ClaimTerms extends Pick<NameTitle, 'transfers'> {
  readonly epoch?: number;
  readonly version?: number;
  /** Unix seconds; the node's now when left out. */
  readonly issued?: number;
  readonly expires?: number;
}

/** What a node's user signs for `label`, whether others accept it or not. */
export function claimOf(node: SimNode, label: string, terms: ClaimTerms = {}): SignedRecord {
  const { epoch = 0, version = 1, issued = node.now(), expires, transfers } = terms;
  const stamp = { seq: seqOf(epoch, version), issued, expires };
  const author = { key: node.authorKey, network: simNetworkId };
  return makeNameRecord({ label, root: rootOf(version), transfers }, stamp, author);
}

export function isOwnedBy({ owner }: ResolvedName, { authorKey }: SimNode): boolean {
  return owner !== undefined && equalBytes(owner, authorKey.publicKey);
}

/** What a node publishes under `label`: a name, or its own key name. */
export function recordOf({ publisher }: SimNode, label: string): SignedRecord {
  const published = publisher.list().find(({ record }) => equalBytes(record.key, keyOf(label)));
  if (!published) throw new Error(`${label} is not published here`);
  return published.record;
}

/** Whether a node holds the name for `owner`, confirmed or not. */
export function isHeldFor({ authorKey }: SimNode, label: string): (node: SimNode) => boolean {
  const key = keyOf(label);
  return ({ records }) =>
    records.list(key).some(({ record }) => equalBytes(record.author, authorKey.publicKey));
}

export interface Holders {
  readonly confirmed: number;
  readonly provisional: number;
}

/** How many of the 20 nodes nearest to a name hold it for `owner`. */
export function holdersFor(sim: Simulation, label: string, { authorKey }: SimNode): Holders {
  const key = keyOf(label);
  const held = sim
    .closest(key, 20)
    .flatMap(({ records }) => records.list(key))
    .filter(({ record }) => equalBytes(record.author, authorKey.publicKey));
  const provisional = held.filter((stored) => stored.provisional).length;
  return { confirmed: held.length - provisional, provisional };
}

/** The storage set of a name as `asker` sees it: who has the votes, nearest first. */
export async function votersFor(
  sim: Simulation,
  label: string,
  asker: SimNode,
): Promise<readonly SimNode[]> {
  const search = async (): Promise<readonly Contact[]> => {
    const answers = asker.dht.gather(keyOf(label), { reach: 'whole' });
    for (;;) {
      const step = await answers.next();
      if (step.done === true) return step.value.closest;
    }
  };
  const closest = await sim.world.until(search());
  return closest.flatMap(({ id }) => sim.nodes.filter(({ contact }) => equalBytes(contact.id, id)));
}
