/** Whether the certificates that this author gave as a registrar are good for a while. */
import type { CertificateInfo } from '../../api/ports-trust.ts';
import { countOf } from '../format.ts';
import { type Check, fail, type Finding, ok, shorten, skipped, warn } from './finding.ts';

/** Its owner must hear of a new one, and use it. */
const soonSeconds = 14 * 86_400;

export const certificates: Check = {
  name: 'certificates',
  async run({ node, nowMs }) {
    if (node.state !== 'running') return [skipped('only a running node can tell')];
    const all = await node.services.certificates();
    const given = all.filter(({ state }) => state !== 'withdrawn');
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
