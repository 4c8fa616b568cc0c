/** Whether there is room for what the node may store, and whether its database is whole. */
import { statfs } from 'node:fs/promises';
import path from 'node:path';
import { formatBytes } from '../../base/byte-count.ts';
import { systemCode } from '../../base/errors.ts';
import { inspectStore, type StoreInspection } from '../../node/inspect-store.ts';
import { type Check, type CheckContext, fail, type Finding, ok, warn } from './finding.ts';

/** Below this the store takes nothing more, so that keys and logs still find room. */
const reserveBytes = 16 * 2 ** 20;

export const disk: Check = {
  name: 'disk',
  async run(context) {
    const { data } = context.folders;
    const store = await inspectStore(data);
    return [await inspectSpace(context, store), ...(store ? inspectDatabase(store, context) : [])];
  },
};

async function inspectSpace(
  { folders: { data }, node, budgetBytes }: CheckContext,
  store: StoreInspection | undefined,
): Promise<Finding> {
  const { bavail, bsize } = await statOfDisk(data);
  const freeBytes = bavail * bsize;
  const used = node.state === 'running' ? node.stats.bytes : undefined;
  const wanted = Math.max(0, budgetBytes - (used ?? store?.databaseBytes ?? 0));
  const usage =
    used === undefined
      ? `the store may take ${formatBytes(budgetBytes)}`
      : `the store takes ${formatBytes(used)} of ${formatBytes(budgetBytes)}`;
  const found = `${formatBytes(freeBytes)} free, ${usage}`;
  if (freeBytes < reserveBytes) {
    return fail(found, `free space on the disk that holds ${data}: nothing more can be stored`);
  }
  if (freeBytes >= wanted) return ok(found);
  return warn(found, 'free some space, or start the node with a lower --store-budget');
}

/** Of the folder, or of the nearest one above that exists. */
async function statOfDisk(folder: string): Promise<{ bavail: number; bsize: number }> {
  try {
    return await statfs(folder);
  } catch (error) {
    const above = path.dirname(folder);
    const isMissing = ['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '');
    if (!isMissing || above === folder) throw error;
    return statOfDisk(above);
  }
}

function inspectDatabase(
  { folder, database, databaseBytes, afterCrash }: StoreInspection,
  { budgetBytes }: CheckContext,
): Finding[] {
  const findings: Finding[] = [];
  if (database?.state === 'damaged') {
    const advice = `move it away to start afresh, your keys are kept apart: mv ${folder} ${folder}.damaged`;
    findings.push(fail(`the database in ${folder} is damaged: ${database.why}`, advice));
  }
  if (database?.state === 'sound-when-flushed') {
    const advice = 'start the node: it goes back to what was last flushed, and loses some seconds';
    findings.push(warn(`the newest writes in ${folder} are damaged`, advice));
  }
  if (databaseBytes > budgetBytes) {
    const found = `the database takes ${formatBytes(databaseBytes)}, more than the ${formatBytes(budgetBytes)} of --store-budget`;
    findings.push(warn(found, 'raise --store-budget, or drop sites with: altnet unpublish'));
  }
  if (afterCrash) {
    const advice =
      'start the node: it checks its blocks and goes on; look for what ended it, such as a lack of memory, with: dmesg';
    findings.push(warn('the last node here ended without closing its store', advice));
  }
  if (findings.length > 0) return findings;
  const whole = database ? 'is whole' : 'is in use';
  return [ok(`the database ${whole} and takes ${formatBytes(databaseBytes)}`)];
}
