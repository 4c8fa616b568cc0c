/**
 * The server process of bench/dns.ts: the DNS service with names that all exist, and one resolver,
 * whose port is given, for all others. It prints its port and runs until its stdin ends.
 */
import process from 'node:process';
import { systemWorld } from '../src/base/clock.ts';
import { silentLogger } from '../src/base/logger.ts';
import { DnsService } from '../src/dns/dns-service.ts';
import type { NameResolver } from '../src/name/types.ts';

/** As from a cache: which answer it is does not matter here, only that there is one. */
const names: NameResolver = {
  resolve: (name) => Promise.resolve({ name, state: 'ok', asked: 5 }),
};

const service = new DnsService(
  { names, world: systemWorld, log: silentLogger },
  {
    tld: 'alt',
    ips: ['127.0.0.1'],
    upstream: [`127.0.0.1:${process.argv[2]}`],
    // Each name is asked for the first time within the first second.
    existence: { lookups: { perSecond: 1e6, burst: 1e6 } },
    sources: { lookups: { perSecond: 1e6, burst: 1e6 } },
  },
  { host: '127.0.0.1', port: 0 },
);
await service.start();
console.log(service.address().port);
process.stdin.on('end', () => process.exit()).resume();
