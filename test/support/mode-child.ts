/**
 * A node that has less time than others to become a server: `mode-child.ts FOLDER LISTEN ROLE
 * [BOOTSTRAP]`, ROLE being public or earned. It prints its mode as a line of JSON, again and again.
 */
import process from 'node:process';
import { silentLogger } from '../../src/base/logger.ts';
import { startNode } from '../../src/node/node.ts';
import { nodeOptionsIn } from './node-options.ts';

const [, , folder = '', listen = '', role = '', bootstrap] = process.argv;
const node = await startNode(
  nodeOptionsIn(folder, {
    listen,
    bootstrap: bootstrap === undefined ? [] : [bootstrap],
    public: role === 'public',
    mode: {
      votesMin: 3,
      clocksMin: 3,
      networksMin: 3,
      stableMs: 1000,
      testIntervalMinMs: 1000,
      lookIntervalMs: 250,
      knockWaitMs: 500,
    },
  }),
  { log: silentLogger },
);
const end = (): void => void node.stop().then(() => process.exit(0));
process.once('SIGTERM', end);
setInterval(() => void say(), 250);

async function say(): Promise<void> {
  const { mode, reason, address, table } = await node.services.stats();
  process.stdout.write(`${JSON.stringify({ mode, reason, address, table })}\n`);
}
