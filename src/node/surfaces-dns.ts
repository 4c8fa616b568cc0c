/**
 * The DNS service of a node: where it listens, which names it answers for, and when what it knows
 * of them has become old. What it answers is not its matter.
 */
import type { DnsService } from '../dns/dns-service.ts';
import { type Bound, bindOrMove } from './bind.ts';
import type { Building } from './core.ts';
import type { NodeOptions } from './options.ts';
import type { Parts } from './parts.ts';

/** Undefined when it is switched off. Rejects with PORT_TAKEN, BIND_FAILED or BAD_ADDRESS. */
export async function startDns(
  { names, trust, world }: Pick<Parts, 'names' | 'trust' | 'world'>,
  {
    options: { dns, tld },
    stack,
    log,
  }: Building & { readonly options: Pick<NodeOptions, 'dns' | 'tld'> },
): Promise<Bound<DnsService> | undefined> {
  if (!dns) return undefined;
  // Who switches it off does without its code, too.
  const { DnsService: Service } = await import('../dns/dns-service.ts');
  const { ips, upstream } = dns;
  const bound = await bindOrMove(dns, async (at) => {
    const service = new Service({ names, world, log }, { tld, ips, upstream }, at);
    await service.start();
    return service;
  });
  stack.use(bound.value);
  // Other registrars have given other names.
  stack.defer(trust.registrars.onChange(() => bound.value.forgetAll()));
  return bound;
}
