/**
 * The node's metrics and health, told from before its parts are there until after they are gone:
 * whoever watches a node wants to know above all why it is not ready.
 */
import { systemWorld } from '../base/clock.ts';
import { Metrics } from '../metrics/metrics.ts';
import { MetricsServer } from '../metrics/server.ts';
import { bindOrMove, formatHostPort } from './bind.ts';
import type { Building } from './core.ts';
import type { NodeOptions } from './options.ts';

export interface Monitor {
  readonly metrics: Metrics;
  /** "host:port", the real one. */
  readonly address: string;
  /** A sentence for the user when the port moved. */
  readonly note: string | undefined;
}

/** Undefined when switched off. Rejects with PORT_TAKEN, BIND_FAILED or BAD_ADDRESS. */
export async function startMonitor(
  { metrics: address, metricsExplicit: explicit }: NodeOptions,
  { stack, log }: Building,
): Promise<Monitor | undefined> {
  if (address === undefined) return undefined;
  const metrics = new Metrics(systemWorld);
  const { value, note } = await bindOrMove({ address, explicit }, async (at) => {
    const server = new MetricsServer({ metrics, log }, at);
    await server.start();
    return server;
  });
  metrics.start();
  stack.defer(() => metrics.stop());
  stack.use(value);
  return { metrics, address: formatHostPort(value.address()), note };
}
