/** Whether this author's names resolve and will for a while, and so with certificates it gave. */
import type { OwnName } from '../../api/ports.ts';
import type { CertificateInfo, RegistrarServices } from '../../api/ports-trust.ts';
import { countOf, formatMoment } from '../format.ts';
import { describeError } from '../tui.ts';
import {
  type Check,
  type CheckContext,
  fail,
  type Finding,
  ok,
  shorten,
  skipped,
  warn,
} from './finding.ts';

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
  { name }: OwnName,
  { services }: Running,
  { signal, nowMs }: CheckContext,
): Promise<Finding | undefined> {
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

export const certificates: Check = {
  name: 'certificates',
  async run({ node, nowMs }) {
    if (node.state !== 'running') return [skipped('only a running node can tell')];
    const { certificates: list } = node.services as Partial<RegistrarServices>;
    if (!list) return [skipped('this node does not tell')];
    const given = (await list.call(node.services)).filter(({ state }) => state !== 'withdrawn');
    if (given.length === 0) return [ok('you have certified no name')];
    return judgeCertificates(given, nowMs() / 1000);
  },
};

function namesOf(list: readonly CertificateInfo[]): string {
  return shorten(list.map(({ name }) => name));
}

function judgeCertificates(given: readonly CertificateInfo[], nowSeconds: number): Finding[] {
  const ended = given.filter(({ state }) => state === 'expired');
  const soon = given.filter(
    ({ state, not_after: end }) => state === 'valid' && end - nowSeconds < soonSeconds,
  );
  const good = given.length - ended.length - soon.length;
  const renew = 'renew what is still wanted with: altnet registrar certify NAME OWNER';
  return [
    ...(ended.length > 0 ? [fail(`expired: ${namesOf(ended)}`, renew)] : []),
    ...(soon.length > 0 ? [warn(`about to expire: ${namesOf(soon)}`, renew)] : []),
    ...(good > 0 ? [ok(`${countOf(good, 'certificate')} of yours in order`)] : []),
  ];
}
