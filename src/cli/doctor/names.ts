/** Whether this author's names resolve, and will for a while. */
import type { OwnName } from '../../api/ports-names.ts';
import { countOf, formatMoment } from '../format.ts';
import { describeError } from '../tui.ts';
import { type Check, type CheckContext, type Finding, ok, skipped, warn } from './finding.ts';

/** A node renews its names when half of their 90 days is over: so late, nobody did. */
const soonSeconds = 14 * 86_400;
const lookupsMax = 32;

type Running = Extract<CheckContext['node'], { state: 'running' }>;

export const names: Check = {
  name: 'names',
  async run(context) {
    const { node } = context;
    if (node.state !== 'running') return [skipped('only a running node can tell')];
    const own = await node.services.names();
    if (own.length === 0) return [ok('you hold no name')];
    const asked = own.slice(0, lookupsMax);
    const findings = await Promise.all(asked.map((name) => inspectName(name, node, context)));
    const good = findings.filter((finding) => finding === undefined).length;
    const rest = own.length > asked.length ? `, ${own.length - asked.length} not looked at` : '';
    return [
      ...findings.filter((finding) => finding !== undefined),
      ...(good > 0 ? [ok(`${countOf(good, 'name')} of yours in order${rest}`)] : []),
    ];
  },
};

/** Undefined when all is well. */
async function inspectName(
  { name, certified_until: certifiedUntil }: OwnName,
  { services }: Running,
  { signal, nowMs }: CheckContext,
): Promise<Finding | undefined> {
  if (certifiedUntil !== undefined && certifiedUntil - nowMs() / 1000 < soonSeconds) {
    return warn(
      `the certificate of ${name} ends ${formatMoment(certifiedUntil)}, and the name with it`,
      'ask its registrar for a new one, and use it with: altnet registrar accept CERTIFICATE',
    );
  }
  try {
    const { state, expires } = await services.resolve(name, { signal });
    if (state !== 'ok' && state !== 'new') {
      return warn(
        `${name} does not resolve: ${state}`,
        `publish it again with: altnet update ${name} ROOT`,
      );
    }
    if (expires === undefined || expires - nowMs() / 1000 > soonSeconds) return undefined;
    return warn(
      `${name} expires ${formatMoment(expires)} and was not renewed`,
      `leave the node running, or renew it with: altnet update ${name} ROOT`,
    );
  } catch (error) {
    return warn(describeError(error).message, `look again with: altnet resolve ${name} --fresh`);
  }
}
