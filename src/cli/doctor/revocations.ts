/** Whether what the trusted revokers say is as new as they promised. */
import type { RevocationListInfo } from '../../api/ports-trust.ts';
import { countOf, formatMoment } from '../format.ts';
import { type Check, type Finding, ok, skipped, warn } from './finding.ts';

export const revocations: Check = {
  name: 'revocations',
  async run({ node }) {
    if (node.state !== 'running') return [skipped('only a running node can tell')];
    const followed = await node.services.revocations();
    if (followed.length === 0) return [ok('no revoker is trusted')];
    return followed.map(judgeRevoker);
  },
};

function judgeRevoker({
  revoker,
  state,
  entries,
  issued,
  equivocated,
}: RevocationListInfo): Finding {
  const name = `revoker ${revoker.slice(0, 16)}`;
  if (equivocated) {
    return warn(
      `${name} has signed two lists that contradict each other; both are in force`,
      'ask who runs it whether the key was stolen, and take it out of trusted-revokers.txt if so',
    );
  }
  const of = issued === undefined ? '' : `, of ${formatMoment(issued)}`;
  if (state === 'fresh') return ok(`${name}: ${countOf(entries, 'entry', 'entries')}${of}`);
  const found =
    state === 'stale' ? `the list of ${name} is stale${of}` : `no list of ${name} was seen`;
  return warn(
    found,
    'ask who runs it whether the node that signs it is up; what it revoked since is not known here',
  );
}
