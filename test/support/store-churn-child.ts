/**
 * A process that a test kills: `store-churn-child.ts FOLDER SEED` writes, shares, completes,
 * removes and evicts in a small store without end. It prints `ready`, `done ROOT` once an own root
 * is complete for good, and `removed ROOT` before it asks for a removal.
 */
import process from 'node:process';
import { toHex, utf8 } from '../../src/base/bytes.ts';
import { systemWorld } from '../../src/base/clock.ts';
import { isAltNetError } from '../../src/base/errors.ts';
import { sha256 } from '../../src/base/hash.ts';
import { silentLogger } from '../../src/base/logger.ts';
import type { Block, Holding, HoldingKind } from '../../src/content/ports.ts';
import { openStore } from '../../src/store/store.ts';
import { manualWorld } from './manual-world.ts';
import { churnBudgetBytes, churnBlock } from './store-samples.ts';

const [, , folder = '', seed = '0'] = process.argv;
const budgets = { budgetBytes: churnBudgetBytes, perPeerBudgetBytes: churnBudgetBytes / 4 };
const store = await openStore({ folder, world: systemWorld, log: silentLogger, ...budgets });
const { random } = manualWorld(Number(seed) + 1);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const below = (limit: number): number => Math.floor(random.fraction() * limit);
const own: Uint8Array[] = []; // BOUNDED by ownMax
/** What those name. BOUNDED likewise */
const sites = new Map<string, ReadonlyMap<string, Uint8Array>>();
const ownMax = 6;
say('ready');

/** More of them than it takes for a holding to have a list of another one's. */
function siteBlocks(version: number): Block[] {
  return Array.from({ length: 300 }, (_, i) => churnBlock(i < version % 7 ? 300 + i : i));
}

function someBlocks(): Block[] {
  return Array.from({ length: 1 + below(40) }, () => churnBlock(below(400)));
}

async function writeOne(i: number): Promise<void> {
  const kind = (['own', 'replica', 'visited', 'visited'] as const)[below(4)] ?? 'visited';
  const link = { codec: 'raw', hash: sha256(utf8(`${seed}/${i}`)) } as const;
  const from = new Uint8Array(32).fill(below(3));
  const root = kind === 'own' ? undefined : link;
  await using holding = await store.holdings.open({ kind, root, from });
  if (below(3) === 0) await holding.reserve(300_000);
  const named = new Map<string, Uint8Array>(); // BOUNDED by the blocks that there are
  const name = (blocks: readonly Block[]): void => {
    for (const { hash } of blocks) named.set(toHex(hash), hash);
  };
  if (kind === 'own' && below(2) === 0) {
    const blocks = siteBlocks(i);
    await putSite(holding, blocks);
    name(blocks);
  }
  for (let round = below(4); round >= 0; round--) {
    const blocks = someBlocks();
    const missing = await holding.adopt(blocks.map(({ hash }) => hash));
    if (below(2) === 0 || missing.length > 0) await holding.putAll(blocks);
    name(blocks);
  }
  if (below(4) === 0) return;
  await holding.complete({ link, files: 1, bytes: 1 });
  if (kind === 'own') sites.set(toHex(link.hash), named);
  await settle(kind, link.hash);
}

/** As whoever publishes does: what it has in common with another version, then all of it. */
async function putSite(holding: Holding, blocks: readonly Block[]): Promise<void> {
  const root = own[below(own.length)];
  const before = root && sites.get(toHex(root));
  if (!before) return holding.putAll(blocks);
  const names = new Set(blocks.map(({ hash }) => toHex(hash)));
  const common = [...before.values()].filter((hash) => names.has(toHex(hash)));
  const without = [...before.values()].filter((hash) => !names.has(toHex(hash)));
  await holding.adopt(common, { like: { root, without } });
  await holding.putAll(blocks);
}

async function settle(kind: HoldingKind, root: Uint8Array): Promise<void> {
  store.holdings.touch(root);
  if (kind !== 'own') return;
  say(`done ${toHex(root)}`);
  own.push(root);
  const old = own.length > ownMax ? own.shift() : undefined;
  if (!old) return;
  sites.delete(toHex(old));
  say(`removed ${toHex(old)}`);
  await store.holdings.remove(old);
}

async function churn(lane: number): Promise<never> {
  for (let i = lane; ; i += 3) {
    try {
      await writeOne(i);
    } catch (error) {
      if (!isAltNetError(error, 'STORE_FULL')) throw error;
    }
  }
}

await Promise.all([churn(0), churn(1), churn(2)]);
