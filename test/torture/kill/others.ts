/** Sites of a node that is left in peace, for others to fetch. */
import path from 'node:path';
import { RunningNode } from '../running.ts';
import { type Bench, folderIn } from '../scenario.ts';
import { writeSite } from '../samples.ts';
import type { OtherSite } from './operations.ts';

const siteBytes = 1_500_000;

export interface Steady {
  readonly bootstrap: string;
  readonly sites: readonly OtherSite[];
}

/** The node ends with `stack`. */
export async function startSteady(
  bench: Bench,
  stack: AsyncDisposableStack,
  count: number,
): Promise<Steady> {
  const data = folderIn(bench, 'steady');
  // It offers copies to those that are killed, again and again: writing them is killed as well.
  const options = ['--replicas', '3', '--repair-interval', '4'];
  const node = RunningNode.start({ name: 'steady', data, options });
  stack.use(node);
  const { listen: bootstrap } = await node.ready();
  const services = await node.services();
  const sites: OtherSite[] = [];
  for (let i = 0; i < count; i++) {
    const folder = path.join(folderIn(bench, 'others'), `site-${i}`);
    const digests = writeSite(folder, bench.random, { bytesMin: siteBytes });
    const { root } = await services.publish({ path: folder });
    sites.push({ root, digests });
  }
  return { bootstrap, sites };
}
