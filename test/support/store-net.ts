/** Nodes of the content net whose blocks are in a real store with a budget. */
import type { TestContext } from 'node:test';
import { randomBytes } from 'node:crypto';
import { type ReplicationOptions } from '../../src/content/replication/replicator.ts';
import { Sites } from '../../src/content/sites.ts';
import { SigningKey } from '../../src/identity/key.ts';
import { PeerHost } from '../../src/peer/host.ts';
import { networkId, networkProfiles } from '../../src/record/network.ts';
import type { Store, StoreOptions } from '../../src/store/store.ts';
import { atEnd } from './cleanup.ts';
import { KeeperBoard, type RecordBoard } from './content-net.ts';
import { testStore } from './store-folder.ts';

export interface StoreNode {
  readonly key: SigningKey;
  readonly host: PeerHost;
  /** The one of the node that the store is in. */
  readonly folder: string;
  readonly store: Store;
  readonly sites: Sites;
}

export async function startStoreNode(
  t: TestContext,
  board: RecordBoard,
  {
    keepers = new KeeperBoard(),
    replication = {},
    ...budget
  }: Pick<StoreOptions, 'budgetBytes' | 'perPeerBudgetBytes'> & {
    readonly keepers?: KeeperBoard;
    readonly replication?: Partial<ReplicationOptions>;
  } = {},
): Promise<StoreNode> {
  const { folder, store } = await testStore(t, budget);
  const key = new SigningKey('node', randomBytes(32));
  const host = new PeerHost({ key, listen: [{ host: '127.0.0.1', port: 0 }] });
  await host.start();
  atEnd(t, () => host.stop());
  const signer = { key, network: networkId(networkProfiles.local) };
  const { blocks, holdings } = store;
  const net = { publisher: board.of(key), search: board, connections: host, keepers, signer };
  const sites = new Sites(
    { blocks, holdings, ...net },
    {
      replication: {
        replicas: 0,
        repairIntervalMs: 3_600_000,
        isKeeper: () => true,
        perPeerBytesMax: Number.MAX_SAFE_INTEGER,
        ...replication,
      },
    },
  );
  await sites.start();
  atEnd(t, () => sites.stop());
  return { key, host, folder, store, sites };
}
