/** Whether each port is free, held by the node that runs here, or held by somebody else. */
import { requireHostPort } from '../../node/bind.ts';
import {
  type Check,
  type CheckContext,
  fail,
  type Finding,
  ok,
  type ServicePort,
  skipped,
  warn,
} from './finding.ts';
import { findPortHolder } from './port-holder.ts';
import { tryPort } from './try-port.ts';

type Protocol = ServicePort['protocols'][number];

export const ports: Check = {
  name: 'ports',
  async run(context) {
    const places = context.ports.flatMap((place) =>
      place.protocols.map((protocol) => ({ place, protocol })),
    );
    return await Promise.all(
      places.map(({ place, protocol }) => inspectPort(place, protocol, context)),
    );
  },
};

async function inspectPort(
  { service, address, explicit, ofService }: ServicePort,
  protocol: Protocol,
  { node, signal }: CheckContext,
): Promise<Finding> {
  const at = requireHostPort(address);
  const name = `${service} ${address} (${protocol.toUpperCase()})`;
  if (at.port === 0) return ok(`${name} takes any free port`);
  const outcome = await tryPort(protocol, at);
  if (outcome === 'free') {
    return ok(node.state === 'none' ? `${name} is free` : `${name} is free; the node is not there`);
  }
  const option = `--${service}`;
  if (outcome === 'EACCES') {
    return fail(`${name} is not allowed to you`, `choose a port above 1023 with ${option}`);
  }
  if (outcome !== 'EADDRINUSE') {
    const advice = `choose an address of this machine with ${option}, such as 127.0.0.1:${at.port}`;
    return fail(`${name} cannot be taken (${outcome})`, advice);
  }
  const holder = await findPortHolder(protocol, at.port, signal);
  if (
    node.state !== 'none' &&
    (holder ? holder.pid === node.pid : isWhereNodeListens(at.port, node))
  )
    return ok(`${name} is held by the node that runs here`);
  if (ofService && !holder) return ok(`${name} is held, as by the service of the system`);
  const by = holder ? `process ${holder.pid} (${holder.program})` : 'another program';
  const found = `${name} is held by ${by}`;
  const stop = holder ? `end that program with: kill ${holder.pid}` : 'end that program';
  if (!explicit && node.state === 'running')
    return skipped(`${found}; the node that runs here is elsewhere: say where with ${option}`);
  if (explicit) return fail(found, `${stop}, or choose another port with ${option}`);
  return warn(
    found,
    `${stop}, or choose a port with ${option}; else a start takes the next free one`,
  );
}

/** Where the system does not say who holds a port, the node's own word counts. */
function isWhereNodeListens(port: number, node: CheckContext['node']): boolean {
  return node.state === 'running' && node.stats.listen.endsWith(`:${port}`);
}
