/** Production's revocation on simulated nodes: who revokes, who trusts whom. Files are never needed. */
import type { Bytes } from '../../src/base/bytes.ts';
import { AltNetError } from '../../src/base/errors.ts';
import { silentLogger } from '../../src/base/logger.ts';
import { hashOfContent, type Revocation } from '../../src/record/revocations.ts';
import { fileRoot } from '../../src/revocation/list-files.ts';
import { RevokerLists } from '../../src/revocation/lists.ts';
import { Revocations } from '../../src/revocation/revocations.ts';
import { MemoryNotes } from '../../test/support/memory-notes.ts';
import { Trusted } from '../../test/support/revocation-net.ts';
import { simNetworkId, type SimNode, simProfile } from '../node.ts';

/** Lists are short here. */
function noFiles(): Promise<never> {
  return Promise.reject(new AltNetError('NO_PROVIDERS', { root: '' }));
}

export interface SimFollower {
  readonly node: SimNode;
  readonly lists: RevokerLists;
  readonly revocations: Revocations;
}

/** From now on the node goes by the revocations of `trusts`. */
export async function follow(
  node: SimNode,
  trusts: readonly Bytes[],
  notes: MemoryNotes = new MemoryNotes(),
): Promise<SimFollower> {
  const { dht, publisher, world, authorKey } = node;
  const log = silentLogger;
  const trusted = new Trusted(trusts);
  const lists = new RevokerLists({ trusted, own: authorKey.publicKey, notes, ...world, log });
  await lists.start();
  const revocations = new Revocations({
    lists,
    network: dht,
    publisher,
    files: { read: noFiles, publish: noFiles, rootOf: fileRoot },
    signer: { key: authorKey, network: simNetworkId },
    profile: simProfile,
    clock: { unixMs: () => world.clock.unixMs(), isDoubtful: () => false },
    world,
    log,
  });
  node.onAnnounce = ({ contact }, record) => revocations.announced(record, contact.id);
  await revocations.start();
  return { node, lists, revocations };
}

export const revokedHash = (n: number): Bytes => new Uint8Array(32).fill(n);

export function revocationOf(n: number): Revocation {
  return { type: 1, target: hashOfContent(revokedHash(n)), undo: false };
}

export function knows({ lists }: SimFollower, n: number): boolean {
  return lists.ofBlock(revokedHash(n)) !== undefined;
}
