/**
 * A node with a relay's part to play: `relay-child.ts FOLDER LISTEN ROLE [BOOTSTRAP]`, ROLE being
 * relay, or home: one that asks its router. Lines of JSON come in, each an `Errand`, and a line goes
 * out for each.
 */
import process from 'node:process';
import { createInterface } from 'node:readline';
import { silentLogger } from '../../src/base/logger.ts';
import { startNode } from '../../src/node/node.ts';
import { relayDefaults } from '../../src/node/options.ts';
import { nodeOptionsIn } from './node-options.ts';
import type { Errand } from './relay-host.ts';

const [, , folder = '', listen = '', role = '', bootstrap] = process.argv;
const isRelay = role === 'relay';
const isHome = role === 'home';
const node = await startNode(
  nodeOptionsIn(folder, {
    listen,
    bootstrap: bootstrap === undefined ? [] : [bootstrap],
    public: isRelay,
    relay: { ...relayDefaults, listen: isRelay ? listen : undefined },
    portMapping: isHome,
    // Less time and fewer networks than others: three nodes are all there are.
    mode: { votesMin: 2, networksMin: 2, lookIntervalMs: 250 },
    tcpProof: { lookMs: 250, retryMinMs: 500 },
    // No copies: what is read comes from who published it.
    replicas: 0,
  }),
  { log: silentLogger },
);
process.once('SIGTERM', () => void node.stop().then(() => process.exit(0)));
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const errand = JSON.parse(line) as Errand;
  const { services } = node;
  try {
    if (errand.do === 'publish') say(await services.publish({ path: errand.path }));
    else if (errand.do === 'fetch') say(await services.fetch(errand));
    else if (errand.do === 'peers') say(await services.peers());
    else if (errand.do === 'stats') say(await services.stats());
    else say(await services.relays());
  } catch (error) {
    say({ error: String(error) });
  }
}

function say(what: object): void {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}
